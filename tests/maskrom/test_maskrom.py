#!/usr/bin/env python3
"""The shipped boot loaders on the ESP8266's own mask ROM, as TAP.

    MASKROM=dump.bin tests/maskrom/test_maskrom.py MOLT [WORD]     CUTS=N: so many power cuts (40)

The dump comes from a chip of yours (docs/maskrom.md); without one there is nothing to test. What the boot loaders leave in
flash is compared, byte by byte, with what `molt boot` says on the host.
"""

import json
import os
import random
import shutil
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from board import CUT, entry, power_on
from rig import Device, Failure, KB, TEARS, check, esp8266_image, good, main, test

ROM = Path(os.environ.get("MASKROM") or "none")
CUTS = int(os.environ.get("CUTS") or 40)
MODES = {"qio": 0, "qout": 1, "dio": 2, "dout": 3}
CHIPS = ("w25q", "w25q-old", "gd25q-c", "mx25l", "plain")
# The ROM asks for four lines after it has written 0x0200 to the status registers. On a chip that has its bit elsewhere
# that takes the bit away: nothing starts there in these modes, whatever the firmware is.
ROM_CANNOT = {("mx25l", "qio"), ("mx25l", "qout")}


def small_device(folder, name="flash.bin"):
    """Images of some 40 sectors: some of them erased as blocks, some one by one."""
    return Device(folder, old=esp8266_image(150 * KB, 1), new=esp8266_image(163 * KB + 5, 2), name=name)


def set_mode(device, mode):
    data = bytearray(device.before)
    data[2] = MODES[mode]
    device.before = bytes(data)
    device.old = device.old[:2] + data[2:4] + device.old[4:]
    device.reset()


def gz(device):
    """Beside the image, the same as a gzip file."""
    compressed = device.folder / "new.img.gz"
    good("compress", device.folder / "new.img", compressed)
    good("put", device.path, f"{compressed}:fw/new.bin.gz")
    device.before = device.now()


def install(device):
    device.blank_reserved()
    good("install", device.path)


def arm(device, path="fw/new.bin", *options):
    """What the running firmware does, up to its reset. Returns the bytes that the host's boot loader makes of it."""
    plan = json.loads(good("plan", device.path, path, "--json", *options).out)
    good("upgrade", device.path, path, "-q", *options, "--cut", plan["operations"]["prepare"])
    return boot_on_host(device.path)


def boot_on_host(path, *cuts):
    """The bytes after `molt boot` on a copy, cut at these operations first."""
    copy = path.with_name(path.name + ".host")
    shutil.copy(path, copy)
    for cut in cuts:
        good("boot", "-q", "--cut", cut, copy)
    good("boot", "-q", copy)
    return copy.read_bytes()


def same_bytes(got, wanted, what, loose=frozenset()):
    if got != wanted:
        wrong = [i for i in range(len(wanted)) if got[i] != wanted[i] and i // 4 not in loose]
        check(not wrong, what, ":", len(wrong), "bytes differ, the first at", hex(wrong[0]) if wrong else "")


def upgrade_and_compare(device, image, wanted, *options):
    """Switch on until the firmware begins; flash, RAM and behaviour are what they should be."""
    run = power_on(ROM, device.path, "--until", entry(image), *options)
    check(run.status == 0, "status", run.status, run.err.strip(), "after:", run.out[-300:])
    run.check_clean()
    run.check_loaded(image)
    same_bytes(device.now(), wanted, "flash")
    return run


def kept_header(device, image):
    """The image as it is in flash: with the device's own flash mode, size and frequency."""
    return image[:2] + device.before[2:4] + image[4:]


@test
def the_rom_starts_an_ordinary_firmware(folder):
    device = Device(folder)
    run = upgrade_and_compare(device, device.old, device.before)
    check("ets Jan  8 2013" in run.out and "csum 0x" in run.out, "it is the ROM:", run.out)
    check(not run.ops, "nothing was written", run.ops)


@test
def nothing_starts_where_the_sum_is_wrong(folder):
    device = small_device(folder)
    data = bytearray(device.before)
    data[5000] ^= 4
    device.path.write_bytes(data)
    run = power_on(ROM, device.path, "--until", entry(device.old), "--limit", 20)
    check(run.status != 0 and "csum err" in run.out, run.status, run.out)


@test
def a_transient_upgrade_leaves_what_the_host_says(folder):
    device = Device(folder)
    wanted = arm(device)
    run = upgrade_and_compare(device, device.new, wanted)
    check("molt: upgrading" in run.out and "done" in run.out and run.stats["resets"] == 1, run.out)
    device.check_upgraded(device.new)


@test
def a_transient_upgrade_from_a_gzip_file_leaves_what_the_host_says(folder):
    device = Device(folder)
    gz(device)
    wanted = arm(device, "fw/new.bin.gz")
    upgrade_and_compare(device, device.new, wanted)


@test
def a_transient_upgrade_that_erases_the_filesystem_leaves_what_the_host_says(folder):
    device = small_device(folder)
    wanted = arm(device, "fw/new.bin", "--erase-all")
    upgrade_and_compare(device, device.new, wanted)


@test
def a_resident_boot_loader_starts_the_firmware_and_writes_nothing(folder):
    device = Device(folder)
    install(device)
    installed = device.now()
    run = upgrade_and_compare(device, device.old, installed)
    check(not run.ops and run.stats["resets"] == 0, "a start is no more than a start", run.ops)
    print("# %d instructions from power-on to the firmware" % run.stats["instructions"])


@test
def a_resident_upgrade_leaves_what_the_host_says(folder):
    device = Device(folder)
    install(device)
    wanted = arm(device)
    upgrade_and_compare(device, device.new, wanted)


@test
def a_resident_upgrade_from_a_gzip_file_leaves_what_the_host_says(folder):
    device = Device(folder)
    gz(device)
    install(device)
    wanted = arm(device, "fw/new.bin.gz")
    upgrade_and_compare(device, device.new, wanted)


def every_mode_and_chip(folder, is_resident):
    for mode in MODES:
        device = small_device(folder)
        set_mode(device, mode)
        plain = device.now()
        if is_resident:
            install(device)
        wanted = arm(device)
        armed = device.now()
        for chip in CHIPS:
            status = folder / "flash.bin.status"
            status.unlink(missing_ok=True)
            if (chip, mode) in ROM_CANNOT:
                device.path.write_bytes(plain)
                run = power_on(ROM, device.path, "--until", entry(device.old), "--chip", chip, "--limit", 20)
                check(run.status != 0 and run.stats["noisy_reads"], "the ROM can do it after all:", chip, mode)
                continue
            device.path.write_bytes(armed)
            try:
                upgrade_and_compare(device, device.new, wanted, "--chip", chip, "--limit", 500)
            except Failure as error:
                raise Failure(f"{mode} on {chip}: {error}") from error
            # And on the next day, with the status registers that it has left.
            upgrade_and_compare(device, device.new, wanted, "--chip", chip)


@test
def a_transient_upgrade_works_in_each_flash_mode_on_each_kind_of_chip(folder):
    every_mode_and_chip(folder, False)


@test
def a_resident_upgrade_works_in_each_flash_mode_on_each_kind_of_chip(folder):
    every_mode_and_chip(folder, True)


@test
def an_upgrade_works_whatever_the_chip_says_about_its_reset(folder):
    device = small_device(folder)
    wanted = arm(device)
    armed = device.now()
    for cause in (2, 3, 4, 6):
        for options in ((), ("--keep-registers",)):
            device.path.write_bytes(armed)
            upgrade_and_compare(device, device.new, wanted, "--cause", cause, *options)


@test
def a_transient_upgrade_unlocks_a_chip_that_is_write_protected(folder):
    device = small_device(folder)
    wanted = arm(device)
    upgrade_and_compare(device, device.new, wanted, "--status", 0x1C)


# ---- power cuts

class Scene:
    """A device that is ready to upgrade, in a folder of its own."""

    def __init__(self, folder, mode, is_resident, is_gz):
        self.folder = folder / f"{mode}{'-resident' * is_resident}{'-gz' * is_gz}"
        self.folder.mkdir()
        self.name, self.mode, self.is_resident = self.folder.name, mode, is_resident
        device = small_device(self.folder)
        set_mode(device, mode)
        if is_gz:
            gz(device)
        if is_resident:
            install(device)
        self.wanted = arm(device, "fw/new.bin.gz" if is_gz else "fw/new.bin")
        self.armed = device.now()
        self.image = kept_header(device, device.new)
        run = upgrade_and_compare(device, device.new, self.wanted)
        self.op_count = run.stats["operations"]
        # Words that say how often the boot loader was started, and from where on (docs/format.md, "Log of starts"), differ after
        # cuts, on the host as on the board.
        device.path.write_bytes(self.armed)
        others = [boot_on_host(device.path, *cuts) for cuts in (("3",), ("40:random",), ("60",) * 4, ("25", "50:after") * 2)]
        self.loose = {i // 4 for other in others for i in range(len(other)) if other[i] != self.wanted[i]}
        check(len(self.loose) <= 24, self.name, "so many words depend on the number of starts:", len(self.loose))
        self.loose |= words_of_logs(self.wanted)


def words_of_logs(flash):
    """The words of the logs in stored plans, found by their headers, and of a resident device's state log, in which a torn
    record is passed over: docs/format.md, "Plan header", "Resident configuration", "State"."""
    words = set()
    if flash[4064:4068] == b"MRS2":
        reserved, = struct.unpack_from("<I", flash, 4068)
        words |= set(range((reserved + 4 * 4096) // 4, (reserved + 6 * 4096) // 4))
    for sector in range(0, len(flash), 4096):
        header = sector + 4096 - 132
        if flash[header:header + 8] == b"MOLT\x02\0\0\0":
            set_size, = struct.unpack_from("<I", flash, header + 88)
            journal, log_size = struct.unpack_from("<II", flash, header + 100)
            words |= {(sector + journal + set_size) // 4 + i for i in range(log_size // 4)}
    return words


def some_operation(dice, count):
    """One of `count`: mostly anywhere, often near one of the ends."""
    place = dice.random()
    if place < 0.15:
        return dice.randrange(min(count, 60))
    if place < 0.35:
        return max(0, count - 1 - dice.randrange(140))
    return dice.randrange(count)


def cut_once(scene, number):
    """One device, cut up to four times. Returns "whole", "window" or what is wrong."""
    dice = random.Random(f"{scene.name} {number}")
    flash = scene.folder / f"cut{number}.bin"
    flash.write_bytes(scene.armed)
    chip = dice.choice([c for c in CHIPS if (c, scene.mode) not in ROM_CANNOT])
    name, in_window = [scene.name, chip], False
    try:
        for depth in range(5):
            options = ["--until", entry(scene.image), "--chip", chip, "--seed", dice.randrange(1, 1 << 30), "--limit", 700]
            if depth < 4 and (depth == 0 or dice.random() < 0.4):
                cut = f"{some_operation(dice, scene.op_count if depth == 0 else 400)}:{dice.choice(TEARS)}"
                name.append(cut)
                options += ["--cut", cut]
            run = power_on(ROM, flash, *options)
            # Sector 0 is erased last of all, and programmed again; in resident mode never.
            in_window = in_window or any(op[:2] == ("sector", 0) for op in run.ops)
            if run.status != CUT:
                break
        if run.status != 0:
            is_fatal_window = in_window and not scene.is_resident and run.stats["faults"] == 0
            return "window" if is_fatal_window else f"{' '.join(name)}: {run.err.strip()}"
        run.check_clean()
        run.check_loaded(scene.image)
        same_bytes(flash.read_bytes(), scene.wanted, "flash", scene.loose)
        return "whole"
    except Failure as error:
        return f"{' '.join(name)}: {error}"
    finally:
        for path in scene.folder.glob(f"cut{number}.*"):
            path.unlink()


def cut_devices(folder, is_resident, count):
    """Cut `count` devices; a comment says what became of them. Returns how many do not start any more: in the window only."""
    scenes = [Scene(folder, mode, is_resident, is_gz) for is_gz in (False, True) for mode in MODES]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda i: cut_once(scenes[i % len(scenes)], i), range(count)))
    wrong = [r for r in results if r not in ("whole", "window")]
    print(f"# {len(results)} devices cut: {results.count('whole')} whole, {results.count('window')} in the second fatal window")
    check(not wrong, len(wrong), "lost:", *("\n" + r for r in wrong[:8]))
    return results.count("window")


@test
def power_cuts_lose_nothing_but_where_sector_0_is_rewritten(folder):
    cut_devices(folder, False, CUTS // 2)


@test
def power_cuts_lose_nothing_at_all_in_resident_mode(folder):
    check(cut_devices(folder, True, CUTS - CUTS // 2) == 0, "there is no window")


if __name__ == "__main__":
    if not os.environ.get("MASKROM"):
        print("1..1\nok 1 - the boot loaders run on the chip's own mask ROM # SKIP no dump of it was given; docs/maskrom.md says how "
              "to read one: make maskrom MASKROM=dump.bin")
        sys.exit(0)
    if not ROM.is_file():
        sys.exit(f"there is no {ROM}; MASKROM is a dump of the mask ROM, see docs/maskrom.md")
    ROM = ROM.resolve()
    sys.exit(main())
