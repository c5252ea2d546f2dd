#!/usr/bin/env python3
"""The command-line tool, from outside: what it prints, what it returns, what it leaves in the files.

    tests/tool/test_tool.py [MOLT [WORD]]      (default: build/molt, or $MOLT; only the tests with WORD in their names)

Images are synthesized here from the descriptions of the formats. Prints TAP. Python's standard library only.
MOLT_FUZZ_ROUNDS (200) and MOLT_FUZZ_SEED (1) say how much and what is fuzzed; a failure prints the round.
"""

import hashlib
import json
import os
import pty
import random
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOLT = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MOLT", ROOT / "build" / "molt")).resolve()
SECTOR = 4096
KB = 1024
SYSTEM_SIZE = 5 * SECTOR
COMMANDS = ["info", "mkflash", "ls", "get", "put", "rm", "extents", "plan", "upgrade", "boot", "torture", "version", "help"]
TEARS = ["before", "after", "prefix", "suffix", "random", "stray", "zero"]
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Result:
    def __init__(self, process):
        self.status = process.returncode
        self.out = process.stdout.decode("utf-8", "replace")
        self.err = process.stderr.decode("utf-8", "replace")


def molt(*args, **options):
    process = subprocess.run([str(MOLT), *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                             check=False, **options)
    return Result(process)


def check(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what))


def good(*args, **options):
    result = molt(*args, **options)
    check(result.status == 0, "molt", *args, "->", result.status, result.out, result.err)
    return result


def refused(*args, saying=None, **options):
    """Status 1 and exactly one sentence, which says what to do."""
    result = molt(*args, **options)
    check(result.status == 1, "molt", *args, "->", result.status, result.out, result.err)
    lines = result.err.splitlines()
    check(len(lines) == 1 and lines[0].startswith("molt: "), "one sentence:", result.err)
    check(len(lines[0]) > 20 and not lines[0].endswith(":"), "a sentence:", result.err)
    check(saying is None or saying in result.err, "it says", repr(saying), "in", result.err)
    return result


# Images.

def noise(size, seed):
    return random.Random(seed).randbytes(size)


def esp8266_image(size, seed, size_freq=0x00):
    """0xE9, one segment in IRAM, the rest is mapped flash."""
    segment_size = min(24 * KB, size // 8 * 4)
    body = bytearray(noise(size, seed))
    struct.pack_into("<BBBBIII", body, 0, 0xE9, 1, 2, size_freq, 0x40100004, 0x40100000, segment_size)
    checksum = 0xEF
    for byte in body[16:16 + segment_size]:
        checksum ^= byte
    body[(16 + segment_size) | 15] = checksum
    return bytes(body)


def micropython_image(size, seed):
    """Head of three segments, size word at 0x8ffc, mapped part, MD5."""
    # Code refers to the mapped part; without that a file cut short would pass for a smaller image.
    literals = b"".join(struct.pack("<I", 0x40209000 + 8 * i) for i in range(32))
    segments = [(0x40100000, literals + noise(8000 - len(literals), seed)), (0x3FFE8000, noise(400, seed + 1)), (0x3FFE8190, noise(36, seed + 2))]
    head = struct.pack("<BBBBI", 0xE9, 3, 2, 0, 0x40100010)
    checksum = 0xEF
    for vaddr, data in segments:
        head += struct.pack("<II", vaddr, len(data)) + data
        for byte in data:
            checksum ^= byte
    head += bytes(15 - len(head) % 16) + bytes([checksum])
    image = head.ljust(0x8FFC, b"\xff") + struct.pack("<I", size - 16) + noise(size - 16 - 0x9000, seed + 3)
    return image + hashlib.md5(image[4:]).digest()


def esp32_image():
    data = noise(256, 9)
    image = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, 0x40080004) + struct.pack("<BBBBHBHH4sB", 0xEE, 0, 0, 0, 0, 0, 0, 0xFFFF,
                                                                            bytes(4), 1)
    image += struct.pack("<II", 0x40080000, len(data)) + data
    checksum = 0xEF
    for byte in data:
        checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    return image + hashlib.sha256(image).digest()


def sectors_up(size):
    return -(-size // SECTOR) * SECTOR


# Devices.

class Device:
    """A flash dump with an old firmware, the new one as /fw/new.bin, and other files."""

    def __init__(self, folder, size="4M", old=None, new=None, name="flash.bin", seed=100):
        self.folder = folder
        self.path = folder / name
        self.old = old or micropython_image(600 * KB, seed)
        self.new = new or micropython_image(604 * KB + 123, seed + 10)
        self.files = {"main.py": noise(5000, 1), "lib/a/b/c.mpy": noise(40000, 2), "small.txt": b"a few bytes", "empty": b"",
                      "fw/readme": noise(700, 3)}
        (folder / "old.img").write_bytes(self.old)
        (folder / "new.img").write_bytes(self.new)
        puts = []
        for number, (path, data) in enumerate(self.files.items()):
            source = folder / f"file{number}"
            source.write_bytes(data)
            puts += ["--put", f"{source}:{path}"]
        puts[4:4] = ["--put", f"{folder / 'new.img'}:fw/new.bin"]
        good("mkflash", self.path, "--size", size, "--firmware", folder / "old.img", *puts)
        # What lies outside is something, so that a change shows.
        data = bytearray(self.path.read_bytes())
        plan = json.loads(good("plan", self.path, "fw/new.bin", "--json").out)
        self.fs_addr = plan["filesystem"]["address"]
        self.fs_end = self.fs_addr + plan["filesystem"]["size"]
        end = sectors_up(max(len(self.old), len(self.new)))
        data[end:self.fs_addr] = noise(self.fs_addr - end, 4)
        data[self.fs_end:] = noise(len(data) - self.fs_end, 5)
        self.path.write_bytes(data)
        self.before = bytes(data)

    def now(self):
        return self.path.read_bytes()

    def reset(self):
        self.path.write_bytes(self.before)

    def get(self, path):
        out = self.folder / "got"
        good("get", self.path, path, out)
        return out.read_bytes()

    def extents(self, path):
        rows = re.findall(r"^ +\d+ +0x[0-9a-f]+ +0x([0-9a-f]+) +(\d+)$", good("extents", self.path, path).out, re.M)
        return [(int(addr, 16), int(size)) for addr, size in rows]

    def check_upgraded(self, image, params=None, repeated=False):
        """The image is there, every file, and nothing else has changed but the saved file and its directory."""
        now = self.now()
        end = sectors_up(len(image))
        wanted = image[:2] + (params or self.before[2:4]) + image[4:]
        check(now[:len(image)] == wanted, "the image is in place")
        check(now[len(image):end] == b"\xff" * (end - len(image)), "the rest of its last sector is erased")
        check(now[end:self.fs_addr] == self.before[end:self.fs_addr], "between image and filesystem")
        check(now[self.fs_end:] == self.before[self.fs_end:], "the system sectors")
        for path, data in {**self.files, "fw/new.bin": self.new}.items():
            check(self.get(path) == data, "file", path)
        saved = {addr // SECTOR for addr, _ in self.extents("molt.head")}
        changed = {i for i in range(self.fs_addr // SECTOR, self.fs_end // SECTOR)
                   if now[i * SECTOR:(i + 1) * SECTOR] != self.before[i * SECTOR:(i + 1) * SECTOR]}
        # The root directory is a pair of blocks; a repeated preparation may move things.
        check(len(changed - saved) <= (6 if repeated else 2), "changed on the filesystem:", sorted(changed - saved))


@test
def a_4_mb_device_upgrades_and_nothing_else_changes(folder):
    device = Device(folder)
    result = good("upgrade", device.path, "fw/new.bin")
    check("upgraded" in result.out and "proved" in result.out, result.out)
    device.check_upgraded(device.new)
    check(device.get("molt.head")[:SECTOR] == device.before[:SECTOR], "the old first sector is saved")


@test
def a_1_mb_device_upgrades_and_nothing_else_changes(folder):
    device = Device(folder, "1M", old=micropython_image(590 * KB, 1), new=esp8266_image(200 * KB + 7, 2))
    check(device.fs_addr == 0x99000 and device.fs_end == 0xFB000, "MicroPython's place")
    good("upgrade", device.path, "/fw/new.bin")
    device.check_upgraded(device.new)


@test
def chips_of_all_sizes_upgrade_also_to_other_firmwares(folder):
    arduino = (ROOT / "tests" / "vectors" / "image" / "arduino-crc.bin").read_bytes()
    (folder / "old").write_bytes(esp8266_image(150 * KB, 1))
    for size in ("512K", "1M", "2M", "8M", "16M"):
        for new in (arduino, esp8266_image(99 * KB + 3, 2), micropython_image(120 * KB, 3)):
            (folder / "new").write_bytes(new)
            place = ["--fs-start", "256K"] if size == "512K" else []
            dump = folder / "x.bin"
            good("mkflash", dump, "--size", size, "--firmware", folder / "old", "--put", f"{folder / 'new'}:new", *place)
            before = dump.read_bytes()
            good("upgrade", dump, "new", "-q")
            now = dump.read_bytes()
            check(now[:len(new)] == new[:2] + before[2:4] + new[4:], size, "image")
            check(now[sectors_up(len(new)):0x40000] == before[sectors_up(len(new)):0x40000], size, "behind it")


@test
def every_chip_size_has_its_filesystem_where_micropython_has_it(folder):
    (folder / "f").write_bytes(esp8266_image(100 * KB, 1, 0x0F))
    for size, text, code in [(0x80000, "512K", 0), (0x100000, "1M", 2), (0x200000, "2M", 3), (0x400000, "4M", 4),
                             (0x800000, "8M", 8), (0x1000000, "16M", 9)]:
        out = folder / "x.bin"
        good("mkflash", out, "--size", text, "--firmware", folder / "f")
        data = out.read_bytes()
        check(len(data) == size and data[3] == code << 4 | 15, text, "header", hex(data[3]))
        start = {0x80000: None, 0x100000: 0x99000}.get(size, 0x100000)
        if start:
            check(data[start + 8:start + 16] == b"littlefs", "at", hex(start))
            check(struct.unpack_from("<I", data, start + 28)[0] == (size - SYSTEM_SIZE - start) // SECTOR, "its size")
        else:
            check(b"littlefs" not in data, "none")
            refused("ls", out, saying="no littlefs")
    good("mkflash", out, "--size", "4M", "--firmware", folder / "f", "--keep-header")
    check(out.read_bytes()[3] == 0x0F, "--keep-header")
    good("mkflash", out, "--size", "512K", "--firmware", folder / "f", "--fs-start", "0x40000", "--put", f"{folder / 'f'}:a/b")
    check(out.read_bytes()[0x40008:0x40010] == b"littlefs", "--fs-start")


@test
def files_make_the_round_trip(folder):
    device = Device(folder)
    for number, size in enumerate([0, 1, 17, 4096, 4097, 100000]):
        data = noise(size, number)
        (folder / "in.bin").write_bytes(data)
        good("put", device.path, f"{folder / 'in.bin'}:new/dir{number}/f.bin")
        check(device.get(f"/new/dir{number}/f.bin") == data, "size", size)
        process = subprocess.run([str(MOLT), "get", str(device.path), f"new/dir{number}/f.bin", "-"], capture_output=True,
                                 check=True)
        check(process.stdout == data, "to standard output")
    good("put", device.path, folder / "in.bin")
    good("put", device.path, f"{folder / 'in.bin'}:deep/")
    listing = good("ls", device.path).out
    for name in ["in.bin", "deep/in.bin", "new/dir0/f.bin", "new/dir5/f.bin", "lib/a/b/c.mpy", "new/dir3/"]:
        check(re.search(rf"  {re.escape(name)}$", listing, re.M), name, "in", listing)
    check("100000" in listing and "97.7 KB" in listing, "sizes")
    check("main.py" not in good("ls", device.path, "new").out, "only that directory")
    refused("rm", device.path, "new/dir0", saying="not empty")
    good("rm", device.path, "new/dir0/f.bin")
    good("rm", device.path, "new/dir0/")
    refused("get", device.path, "new/dir0/f.bin", folder / "got", saying="no such file")
    check("dir0" not in good("ls", device.path).out, "removed")
    for path, data in device.files.items():
        check(device.get(path) == data, "untouched", path)
    good("get", device.path, "lib/a/b/c.mpy", cwd=folder)
    check((folder / "c.mpy").read_bytes() == device.files["lib/a/b/c.mpy"], "to its own name")


@test
def extents_lead_to_the_bytes(folder):
    device = Device(folder)
    data = b"".join(device.before[addr:addr + size] for addr, size in device.extents("fw/new.bin"))
    check(data == device.new, "bytes through the extents")
    result = good("extents", device.path, "fw/new.bin")
    check(f"0x{zlib.crc32(device.new):08x}" in result.out, "CRC")


@test
def the_plan_agrees_with_the_upgrade(folder):
    old = micropython_image(600 * KB, 1)
    scattered = bytearray(old)
    for sector in (30, 31, 77):
        scattered[sector * SECTOR + 5] ^= 0x55
    scattered[-16:] = hashlib.md5(scattered[4:-16]).digest()
    third = bytearray(micropython_image(600 * KB, 2))
    for sector in range(9, 148, 3):
        third[sector * SECTOR:(sector + 1) * SECTOR] = old[sector * SECTOR:(sector + 1) * SECTOR]
    third[-16:] = hashlib.md5(third[4:-16]).digest()
    for new in (bytes(scattered), bytes(third), micropython_image(700 * KB, 3)):
        for extra in ([], ["--erase-all"]):
            device = Device(folder, old=old, new=new)
            plan = json.loads(good("plan", device.path, "fw/new.bin", "--json", *extra).out)
            check(device.now() == device.before, "plan changes nothing")
            total = sectors_up(len(new)) // SECTOR
            padded = new.ljust(total * SECTOR, b"\xff")
            differing = [i for i in range(1, total)
                         if padded[i * SECTOR:(i + 1) * SECTOR] != device.before[i * SECTOR:(i + 1) * SECTOR]]
            blocks = {b for b in range(1, total // 16) if sum(i // 16 == b for i in differing) >= 5}
            programmed = {i for i in range(1, total) if i in differing or i // 16 in blocks}
            check(plan["sectors"] == {"total": total, "equal": total - 1 - len(programmed), "programmed": len(programmed) + 1},
                  plan["sectors"], len(programmed))
            singly = sum(i // 16 not in blocks for i in programmed)
            if not extra:
                check(plan["erases"] == {"sectors": 2 + singly, "blocks": len(blocks)}, plan["erases"], singly, len(blocks))
            # The boot sector goes in during the preparation.
            check(plan["erases"]["sectors"] == plan["boot"]["sector_erases"] + 1, "tally and simulation", plan)
            check(plan["erases"]["blocks"] == plan["boot"]["block_erases"], "tally and simulation", plan)
            done = good("upgrade", device.path, "fw/new.bin", *extra).out
            numbers = re.search(r"(\d+) erases of 64 KB, (\d+) of 4 KB, (\d+) programs", done)
            sums = [plan["prepare"][k] + plan["boot"][k] for k in ("block_erases", "sector_erases", "programs")]
            check([int(n) for n in numbers.groups()] == sums, done, sums)
            check(plan["operations"]["total"] == sum(sums), "operations")


@test
def plan_tells_times_and_windows(folder):
    device = Device(folder)
    plan = json.loads(good("plan", device.path, "fw/new.bin", "--json").out)
    check(plan["time"][0]["chip"] == "W25Q32" and len(plan["time"]) >= 4, "chips")
    check(plan["time"][0]["fatal_windows_ms"] == [51.4, 51.4], plan["time"][0])
    check(2000 < plan["time"][0]["boot_ms"] < 8000, plan["time"][0])
    text = good("plan", device.path, "fw/new.bin").out
    check("2 x 51 ms" in text and "64 KB erased at once" in text and "window 2" in text, text)


@test
def what_is_in_the_way_is_said_with_its_numbers(folder):
    device = Device(folder, "1M", old=micropython_image(500 * KB, 1), new=micropython_image(250 * KB, 2))
    dump = bytearray(device.before)
    # The filesystem moves down into the way: the same volume, earlier.
    start = 0x30000
    dump[start:start + device.fs_end - device.fs_addr] = dump[device.fs_addr:device.fs_end]
    dump[start + device.fs_end - device.fs_addr:] = b"\xff" * (len(dump) - (start + device.fs_end - device.fs_addr))
    device.path.write_bytes(dump)
    result = refused("plan", device.path, "fw/new.bin", saying="run into the filesystem")
    check("0x03f000" in result.err and "0x030000" in result.err, result.err)
    check("filesystem" in result.out and "the image" in result.out, "a map")
    plan = json.loads(refused("plan", device.path, "fw/new.bin", "--json").out)
    check(plan["possible"] is False and plan["refusal"]["need"] == 0x3F000 and plan["refusal"]["limit"] == start, plan)
    refused("upgrade", device.path, "fw/new.bin", saying="run into the filesystem")
    check(device.now() == bytes(dump), "unchanged")


@test
def erase_all_erases_the_filesystem_and_only_that(folder):
    device = Device(folder)
    good("upgrade", device.path, "fw/new.bin", "--erase-all")
    now = device.now()
    check(now[:len(device.new)] == device.new[:2] + device.before[2:4] + device.new[4:], "image")
    check(now[device.fs_end:] == device.before[device.fs_end:], "system sectors")
    left = [i for i in range(device.fs_addr, device.fs_end, SECTOR) if now[i:i + SECTOR] != b"\xff" * SECTOR]
    check(len(left) <= 2, "left on the filesystem:", left)


@test
def flash_params_are_kept_or_taken(folder):
    device = Device(folder, new=esp8266_image(300 * KB, 5, 0x2F))
    good("upgrade", device.path, "fw/new.bin")
    check(device.now()[2:4] == device.before[2:4] and device.before[3] == 0x40, "kept")
    device.reset()
    good("upgrade", device.path, "fw/new.bin", "--flash-params", "image")
    device.check_upgraded(device.new, params=b"\x02\x2f")
    device.reset()
    good("upgrade", device.path, "fw/new.bin", "--flash-params=keep")
    device.check_upgraded(device.new)


@test
def no_safe_check_lets_a_bad_md5_pass_and_nothing_worse(folder):
    bad = bytearray(micropython_image(300 * KB, 7))
    bad[200 * KB] ^= 1
    device = Device(folder, new=micropython_image(300 * KB, 7))
    (folder / "bad").write_bytes(bad)
    good("put", device.path, f"{folder / 'bad'}:bad")
    before = device.now()
    refused("upgrade", device.path, "bad", saying="MD5")
    check(device.now() == before, "unchanged")
    good("upgrade", device.path, "bad", "--no-safe-check")
    check(device.now()[4:len(bad)] == bytes(bad[4:]), "flashed all the same")


@test
def an_upgrade_to_the_same_image_programs_sector_0_only(folder):
    image = micropython_image(400 * KB, 8)
    device = Device(folder, old=image, new=image)
    plan = json.loads(good("plan", device.path, "fw/new.bin", "--json").out)
    check(plan["sectors"] == {"total": 100, "equal": 99, "programmed": 1}, plan["sectors"])
    good("upgrade", device.path, "fw/new.bin")
    device.check_upgraded(image)


@test
def a_cut_upgrade_goes_on(folder):
    device = Device(folder, new=esp8266_image(150 * KB + 40, 3))
    plan = json.loads(good("plan", device.path, "fw/new.bin", "--json").out)
    total, prepare = plan["operations"]["total"], plan["operations"]["prepare"]
    points = sorted({*range(0, total, max(1, total // 40)), prepare - 1, prepare, total - 1})
    counts = {"again": 0, "boot": 0, "window": 0, "complete": 0}
    for number, op in enumerate(points):
        tear = TEARS[number % len(TEARS)]
        device.reset()
        result = good("upgrade", device.path, "fw/new.bin", "--cut", f"{op}:{tear}", "--quiet")
        check(f"power cut in flash operation {op} of {total} ({tear})" in result.out, result.out)
        check(result.err == "", "quiet", result.err)
        if "start again with: molt upgrade" in result.out:
            counts["again"] += 1
            good("boot", device.path)
            good("upgrade", device.path, "fw/new.bin")
        elif "go on with: molt boot" in result.out:
            counts["boot"] += 1
            check("new firmware starts" in good("boot", device.path).out, "boot")
        elif "nothing boots" in result.out:
            counts["window"] += 1
            before = device.now()
            refused("boot", device.path, saying="nothing in sector 0")
            check(device.now() == before, "unchanged")
            continue
        else:
            counts["complete"] += 1
        device.check_upgraded(device.new, repeated=True)
    check(counts["again"] and counts["boot"] > 20 and counts["window"] <= len(points) // 6, counts)


@test
def cuts_in_a_row_recover(folder):
    device = Device(folder, new=esp8266_image(150 * KB, 3))
    plan = json.loads(good("plan", device.path, "fw/new.bin", "--json").out)
    good("upgrade", device.path, "fw/new.bin", "--cut", f"{plan['operations']['prepare'] + 30}:random", "-q")
    for op, tear in [(1, "zero"), (7, "random"), (20, "stray"), (60, "suffix"), (100, "prefix")]:
        good("boot", device.path, "--cut", f"{op}:{tear}", "-q")
    refused("upgrade", device.path, "fw/new.bin", saying="prepared already")
    good("boot", device.path, "-q")
    device.check_upgraded(device.new)
    check("no upgrade was under way" in good("boot", device.path).out, "afterwards")


@test
def a_source_that_changed_brings_the_old_firmware_back(folder):
    device = Device(folder)
    plan = json.loads(good("plan", device.path, "fw/new.bin", "--json").out)
    good("upgrade", device.path, "fw/new.bin", "--cut", plan["operations"]["prepare"], "-q")
    data = bytearray(device.now())
    addr = device.extents("fw/new.bin")[50][0]
    data[addr + 9] ^= 0x10
    device.path.write_bytes(data)
    check("old firmware was put back" in good("boot", device.path).out, "restored")
    check(device.now()[:len(device.old)] == device.before[:len(device.old)], "untouched")


@test
def a_cut_that_cannot_happen_is_refused(folder):
    device = Device(folder)
    refused("upgrade", device.path, "fw/new.bin", "--cut", "1000000", saying="the whole upgrade has")
    check(device.now() == device.before, "unchanged")


@test
def progress_is_shown(folder):
    device = Device(folder)
    result = good("upgrade", device.path, "fw/new.bin")
    percents = [int(n) for n in re.findall(r"^ *(\d+) %", result.err, re.M)]
    check(percents[0] == 0 and percents[-1] == 100 and 8 <= len(percents) <= 12 and percents == sorted(percents), result.err)
    for phase in ("check", "program"):
        check(phase in result.err, phase)
    device.reset()
    result = good("upgrade", device.path, "fw/new.bin", "--quiet")
    check(result.out == "" and result.err == "", "quiet")
    device.reset()
    screen = on_terminal("upgrade", device.path, "fw/new.bin")
    check("\r" in screen and "[####" in screen and "program" in screen and " of " in screen, screen[:300])
    check("\033[32m" in screen, "colour on a terminal")
    device.reset()
    screen = on_terminal("upgrade", device.path, "fw/new.bin", NO_COLOR="1")
    check("\033[32m" not in screen and "[####" in screen, "no colour where none is wanted")


def on_terminal(*args, **environment):
    chunks = []
    env = {**os.environ, "TERM": "xterm", **environment}
    leader, follower = pty.openpty()
    with subprocess.Popen([str(MOLT), *map(str, args)], stdin=follower, stdout=follower, stderr=follower, env=env) as process:
        os.close(follower)
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:
                break
            if not chunk:
                break
            chunks.append(chunk)
    os.close(leader)
    check(process.returncode == 0, "on a terminal:", process.returncode)
    return b"".join(chunks).decode()


@test
def info_agrees_with_every_vector(folder):
    vectors = sorted((ROOT / "tests" / "vectors" / "image").glob("*.bin"))
    check(len(vectors) > 30, "vectors")
    sentences = set()
    for vector in vectors:
        is_bad = vector.name.startswith("bad-")
        result = refused("info", vector, "--json") if is_bad else good("info", vector, "--json")
        info = json.loads(result.out)
        check(info["valid"] is not is_bad and (info["defect"] is not None) == is_bad, vector.name)
        check(info["size"] == vector.stat().st_size and info["checks"], vector.name)
        failed = [c for c in info["checks"] if c["result"] == "failed"]
        check(len(failed) == is_bad, vector.name, info["checks"])
        text = molt("info", vector)
        check(text.status == is_bad and ("FAILED" in text.out) == is_bad and "\033" not in text.out, vector.name, text.out)
        sentences.add(info["defect"]["text"] if is_bad else "")
    check(len(sentences) > 12, "sentences of their own")


@test
def info_tells_what_an_image_is(folder):
    path = folder / "image \"quoted\"\t\xe4.bin"
    path.write_bytes(micropython_image(300 * KB, 1))
    result = good("info", path)
    check("MicroPython" in result.out and "307200 bytes (300 KB)" in result.out and "IRAM" in result.out, result.out)
    info = json.loads(good("info", path, "--json").out)
    check(info["file"] == str(path) and info["kind"] == "micropython" and info["chip"] == "ESP8266", info)
    check([s["size"] for s in info["segments"]] == [8000, 400, 36], info["segments"])
    check(info["crc32"] == zlib.crc32(path.read_bytes()), "CRC-32")
    strange = os.fsencode(folder) + b"/\xff\xfe.bin"
    Path(os.fsdecode(strange)).write_bytes(esp32_image())
    info = json.loads(good("info", os.fsdecode(strange), "--json").out)
    check(info["kind"] == "esp32" and info["chip"] == "ESP32", info)
    device = Device(folder)
    info = json.loads(good("info", device.path, "--json").out)
    check(info["kind"] == "micropython" and info["image_size"] == len(device.old), "a dump will do")


@test
def every_bad_dump_has_its_sentence(folder):
    def made(name, data):
        (folder / name).write_bytes(data)
        return folder / name

    for command in (["ls"], ["plan", "x"], ["upgrade", "x"], ["extents", "x"], ["get", "x"], ["rm", "x"], ["put", MOLT], ["boot"]):
        name, rest = command[0], command[1:]
        refused(name, folder / "nothing", *rest, saying="there is no such file")
        refused(name, folder, *rest, saying="this is a directory")
        refused(name, "/dev/null", *rest, saying="not a file")
        refused(name, made("empty", b""), *rest, saying="the file is empty")
        refused(name, made("short", b"\xff" * 1000), *rest, saying="1000 bytes are not the size of a flash chip")
        refused(name, made("odd", b"\xff" * (3 << 20)), *rest, saying="3145728 bytes are not the size of a flash chip")
        refused(name, made("blank", b"\xff" * (1 << 20)), *rest, saying="sector 0" if name == "boot" else "no littlefs")
        check((folder / "blank").read_bytes() == b"\xff" * (1 << 20), "unchanged")
    os.mkfifo(folder / "pipe")
    refused("ls", folder / "pipe", saying="not a file")
    (folder / "loop").symlink_to(folder / "loop")
    refused("ls", folder / "loop")
    (folder / "line\nbreak").write_bytes(b"")
    refused("ls", folder / "line\nbreak", saying="the file is empty")


@test
def every_bad_image_on_the_filesystem_has_its_sentence(folder):
    whole = micropython_image(300 * KB, 7)
    damaged = bytearray(whole)
    damaged[100000] ^= 4
    wrong_sum = bytearray(whole)
    wrong_sum[500] ^= 4
    vectors = ROOT / "tests" / "vectors" / "image"
    v2 = (vectors / "esp8266-v2.bin").read_bytes()
    cases = {
        "damaged": (bytes(damaged), "MD5"), "sum": (bytes(wrong_sum), "checksum"), "cut": (whole[:200 * KB], "size word"),
        "text": (b"hello\n" * 1000, "0xE9"), "erased": (b"\xff" * 9000, "0xFF"),
        "gzip": (b"\x1f\x8b\x08" + noise(5000, 1), "gzip"), "esp32": (esp32_image() * 4, "another chip"),
        "v2": (v2, "second-stage"), "tiny": (b"\xe9", "so small"), "empty": (b"", "so small"),
        "large": (micropython_image(1100 * KB, 3), "larger than the part of flash"),
        "long": (micropython_image(1 << 20, 3), None),
    }
    device = Device(folder, "8M")
    for name, (data, _) in cases.items():
        (folder / name).write_bytes(data)
        good("put", device.path, f"{folder / name}:bad/{name}")
    before = device.now()
    sentences = {}
    for name, (_, saying) in cases.items():
        if saying is None:
            continue
        for command in ("plan", "upgrade"):
            sentences[name] = refused(command, device.path, f"bad/{name}", saying=saying).err.split(": ", 2)[2]
            check(device.now() == before, "unchanged after", name)
    check(len(set(sentences.values())) >= len(sentences) - 1, "a sentence for each", sentences)
    refused("upgrade", device.path, "bad", saying="directory")
    refused("upgrade", device.path, "bad/none", saying="no such file")
    refused("upgrade", device.path, "main.py/x")
    refused("get", device.path, "bad", saying="directory")
    refused("extents", device.path, "small.txt", saying="inside its directory")
    refused("extents", device.path, "bad", saying="directory")
    refused("ls", device.path, "none", saying="no such")
    refused("rm", device.path, "/")
    refused("rm", device.path, "none", saying="no such")
    refused("put", device.path, folder / "none", saying="no such file")
    refused("put", device.path, folder, saying="directory")
    refused("put", device.path, f"{folder / 'text'}:main.py/text", saying="not a directory")
    refused("put", device.path, f"{folder / 'text'}:{'n' * 300}", saying="too long")
    (folder / "huge").write_bytes(bytes(8 << 20))
    refused("put", device.path, folder / "huge", saying="room")
    (folder / "big").write_bytes(bytes(0x6E0000))
    refused("put", device.path, folder / "big", saying="full")
    check(device.now() == before, "unchanged")
    good("upgrade", device.path, "bad/long")


@test
def a_full_filesystem_is_refused_and_unchanged(folder):
    device = Device(folder, "1M", new=esp8266_image(100 * KB, 1), old=esp8266_image(90 * KB, 2))
    # Fill it up, block by block.
    (folder / "block").write_bytes(noise(60000, 1))
    (folder / "small").write_bytes(noise(4000, 1))
    for name in ("block", "small"):
        number = 0
        while molt("put", device.path, f"{folder / name}:fill/{name}{number}").status == 0:
            number += 1
    before = device.now()
    refused("upgrade", device.path, "fw/new.bin", saying="full")
    refused("plan", device.path, "fw/new.bin", saying="full")
    check(device.now() == before, "unchanged")
    good("rm", device.path, "fill/block0")
    good("upgrade", device.path, "fw/new.bin")
    check(device.now()[4:100 * KB] == device.new[4:], "with room it works")


@test
def mkflash_refuses_what_would_not_work(folder):
    image, out = folder / "image", folder / "out.bin"
    image.write_bytes(micropython_image(620 * KB, 1))
    base = ["mkflash", out, "--firmware", image]
    refused(*base, "--size", "1M", saying="filesystem begins")
    refused(*base, "--size", "512K", saying="system sectors begin")
    refused(*base, "--size", "4M", "--fs-start", "0x80000", saying="filesystem begins")
    refused(*base, "--size", "4M", "--fs-start", "0x3ff000", saying="no room")
    refused(*base, "--size", "4M", "--fs-start", "8M", saying="no room")
    refused(*base, "--size", "4M", "--fs-size", "4M", saying="no room")
    refused(*base, "--size", "4M", "--put", folder / "none", saying="no such file")
    refused("mkflash", folder / "no" / "out.bin", "--size", "4M", "--firmware", image, saying="cannot be written")
    refused("mkflash", folder, "--size", "4M", "--firmware", image, saying="cannot be written")
    for name, data, saying in [("esp32", esp32_image(), "ESP32"), ("text", b"text" * 100, "0xE9"), ("none", b"", "empty")]:
        (folder / name).write_bytes(data)
        refused("mkflash", out, "--size", "4M", "--firmware", folder / name, saying=saying)
    refused("mkflash", out, "--size", "4M", "--firmware", folder / "nowhere", saying="no such file")
    small = esp8266_image(100 * KB, 1)
    image.write_bytes(small)
    refused(*base, "--size", "512K", "--put", f"{image}:x", saying="no filesystem")
    check(not out.exists(), "nothing was made")


@test
def usage_errors_have_status_2(folder):
    for args in ([], ["bogus"], ["info"], ["info", "a", "b"], ["ls"], ["ls", "a", "--bogus"], ["get", "a"], ["put", "a"],
                 ["rm", "a"], ["extents"], ["plan", "a"], ["plan", "a", "b", "c"], ["upgrade", "a"], ["boot"],
                 ["upgrade", "a", "b", "--cut", "x"], ["upgrade", "a", "b", "--cut", "5:bogus"], ["upgrade", "a", "b", "--cut=-1"],
                 ["upgrade", "a", "b", "--flash-params", "both"], ["ls", "a", "--fs-start", "0x123"],
                 ["ls", "a", "--fs-start", "x"], ["ls", "a", "--fs-start", "5G"], ["mkflash", "x", "--size", "3M"],
                 ["mkflash", "x", "--size", "4M"], ["mkflash", "x", "--firmware", "y"], ["mkflash", "--size", "4M"],
                 ["help", "bogus"]):
        result = molt(*args)
        check(result.status == 2 and result.err and not result.out, args, result.status, result.out, result.err)


@test
def every_command_has_help(folder):
    overview = good("help").out
    check(good("--help").out == overview, "--help")
    for command in COMMANDS:
        check(re.search(rf"^  {command} ", overview, re.M), command, "is listed")
        if command == "torture" and molt("torture", "--help").status == 2:
            continue  # built without it
        check("usage" in good("help", command).out.lower(), command)
        check(good(command, "--help").status == 0, command)
        check(max(len(line) for line in good("help", command).out.splitlines()) <= 100, command)
    check(re.match(r"molt \d+\.\d+\.\d+\n", good("version").out), "version")
    check(good("--version").out == good("version").out, "--version")


@test
def the_filesystem_is_found_or_named(folder):
    device = Device(folder)
    # Another superblock in front of it that leads nowhere, and one in a file behind it.
    data = bytearray(device.before)
    data[0xA8000:0xA8100] = data[device.fs_addr:device.fs_addr + 0x100]
    data[0xA8000 + 40] ^= 1
    device.path.write_bytes(data)
    check("main.py" in good("ls", device.path).out, "found")
    # Either of its two first blocks may be damaged. The one with the higher revision holds the present directory.
    revisions = struct.unpack_from("<I", device.before, device.fs_addr) + struct.unpack_from("<I", device.before,
                                                                                             device.fs_addr + SECTOR)
    for block in (0, 1):
        data = bytearray(device.before)
        at = device.fs_addr + block * SECTOR
        data[at:at + SECTOR] = noise(SECTOR, block)
        device.path.write_bytes(data)
        listing = good("ls", device.path).out
        check(f"littlefs at 0x{device.fs_addr:06x}" in listing, "block", block, "damaged", listing)
        if revisions[block] < revisions[1 - block]:
            check("main.py" in listing, "block", block, "damaged", listing)
            check(device.get("lib/a/b/c.mpy") == device.files["lib/a/b/c.mpy"], "and read rightly")
    device.reset()
    check("main.py" in good("ls", device.path, "--fs-start", hex(device.fs_addr)).out, "named")
    size = hex(device.fs_end - device.fs_addr)
    check("main.py" in good("ls", device.path, "--fs-start", hex(device.fs_addr), "--fs-size", size).out, "with its size")
    refused("ls", device.path, "--fs-start", "0x200000", saying="no littlefs at 0x200000")
    refused("ls", device.path, "--fs-start", "8M")
    refused("ls", device.path, "--fs-size", "64M")
    check(device.now() == device.before, "unchanged")


@test
def the_dump_is_replaced_as_a_whole_or_not_at_all(folder):
    device = Device(folder)
    names = sorted(os.listdir(folder))
    os.chmod(device.path, 0o640)

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    for args in (["upgrade", device.path, "fw/new.bin", "-q"], ["put", device.path, folder / "file0"], ["rm", device.path, "main.py"]):
        # restore_signals=False: the signal for too large a file stays ignored, so that write() fails.
        refused(*args, saying="cannot be written", preexec_fn=little_room, restore_signals=False)
        check(device.now() == device.before, "unchanged")
        check(sorted(os.listdir(folder)) == names, "no temporary is left")
    link = folder / "link.bin"
    link.symlink_to(device.path.name)
    good("upgrade", link, "fw/new.bin", "-q")
    check(link.is_symlink() and os.stat(device.path).st_mode & 0o777 == 0o640, "link and permissions stay")
    device.check_upgraded(device.new)
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([str(MOLT), "ls", str(device.path)], stdout=full, stderr=subprocess.PIPE, check=False)
        check(process.returncode == 1 and b"output cannot be written" in process.stderr, "lost output")


# Fuzzing.

def mutate(rng, data):
    data = bytearray(data)
    kind = rng.randrange(5)
    if kind == 0:
        return rng.randbytes(rng.choice([1, 7, 8, 23, 24, 100, 5000, 70000]))
    if kind == 1:
        return bytes(data[:rng.randrange(len(data))])
    if kind == 2:
        for _ in range(rng.choice([1, 1, 2, 8])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 3:
        # The headers are where most goes wrong.
        for _ in range(rng.choice([1, 2, 4])):
            data[rng.randrange(40)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    else:
        at = rng.randrange(0, len(data), 4)
        struct.pack_into("<I", data, min(at, len(data) - 4), rng.choice([0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x40100000]))
    return bytes(data)


def damage(rng, data, begin, end):
    """Damage a filesystem: mostly its directories, which are in its first blocks and here and there."""
    data = bytearray(data)
    places = [at for at in range(begin, end, SECTOR) if data[at:at + SECTOR] != b"\xff" * SECTOR]
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.choice(places[:12] if rng.random() < 0.7 else places)
        kind = rng.randrange(4)
        if kind == 0:
            for _ in range(rng.choice([1, 2, 10])):
                data[at + rng.randrange(rng.choice([32, 200, SECTOR]))] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:at + SECTOR] = rng.choice([bytes(SECTOR), b"\xff" * SECTOR, rng.randbytes(SECTOR)])
        elif kind == 2:
            other = rng.choice(places)
            data[at:at + SECTOR] = data[other:other + SECTOR]
        else:
            struct.pack_into("<I", data, at + 4 * rng.randrange(64), rng.choice([0, 1, 2, 0xFFFFFFFF, 0x7FFFFFFF, rng.randrange(64)]))
    return bytes(data)


def with_crc(data, at):
    """Make the first commit of the directory block at `at` valid again, so that littlefs believes what is in it."""
    data = bytearray(data)
    tag_before, off = 0xFFFFFFFF, 4
    crc = zlib.crc32(data[at:at + 4])
    while off + 8 <= SECTOR:
        tag = struct.unpack_from(">I", data, at + off)[0] ^ tag_before
        tag_before = tag
        kind, size = tag >> 20 & 0x7FF, tag & 0x3FF
        if tag >> 31:
            break
        if kind & 0x700 == 0x500 and kind != 0x5FF:
            crc = zlib.crc32(data[at + off:at + off + 4], crc)
            struct.pack_into("<I", data, at + off + 4, crc ^ 0xFFFFFFFF)
            break
        off += 4 + (0 if size == 0x3FF else size)
        crc = zlib.crc32(data[at:at + min(off, SECTOR)])
    return bytes(data)


def fuzz_run(device, image, *args):
    """Never a crash; status 1 changes nothing; commands that only read change nothing at all."""
    before = image
    result = molt(*args)
    check(result.status in (0, 1), args, "->", result.status, result.err[-2000:])
    if result.status == 1:
        check(len(result.err.splitlines()) == 1 and result.err.startswith("molt: "), args, result.err)
    if result.status == 1 or args[0] not in ("upgrade", "put", "rm", "boot"):
        check(device.now() == before, args, "changed the dump")
    return result


def rounds(fraction=1):
    return max(1, int(os.environ.get("MOLT_FUZZ_ROUNDS", "200")) // fraction)


def seed_of(number):
    return int(os.environ.get("MOLT_FUZZ_SEED", "1")) * 1000003 + number


@test
def no_random_image_crashes_it_or_changes_anything(folder):
    whole = micropython_image(0x9000 + 9000, 1)
    plain = esp8266_image(60000, 2)
    device = Device(folder, "1M", old=plain, new=whole)
    refused_count = 0
    for number in range(rounds()):
        rng = random.Random(seed_of(number))
        source = rng.choice([whole, whole, plain])
        data = mutate(rng, source)
        (folder / "fuzz").write_bytes(data)
        device.reset()
        info = molt("info", folder / "fuzz", *rng.choice([[], ["--json"]]))
        check(info.status in (0, 1), "round", number, "info", info.status, info.err)
        put = molt("put", device.path, f"{folder / 'fuzz'}:fuzz")
        check(put.status == 0, "round", number, "put", put.err)
        image = device.now()
        command = rng.choice(["plan", "upgrade", "upgrade"])
        result = fuzz_run(device, image, command, device.path, "fuzz", *(["-q"] if command == "upgrade" else []))
        refused_count += result.status
        if source is whole and data[4:] != whole[4:]:
            check(result.status == 1, "round", number, "was accepted")
        check(info.status == 0 or result.status == 1, "round", number, "info refuses it,", command, "does not")
    check(refused_count > rounds() // 3, "refused:", refused_count)


@test
def no_damaged_filesystem_crashes_it_or_changes_anything(folder):
    device = Device(folder, "1M", old=esp8266_image(60000, 2), new=esp8266_image(70000, 4))
    statuses = [0, 0]
    for number in range(rounds()):
        rng = random.Random(seed_of(number) + 500000)
        data = damage(rng, device.before, device.fs_addr, device.fs_end)
        if rng.random() < 0.6:
            for at in (device.fs_addr, device.fs_addr + SECTOR, *rng.sample(range(device.fs_addr, device.fs_end, SECTOR), 8)):
                data = with_crc(data, at)
        device.path.write_bytes(data)
        try:
            statuses[fuzz_run(device, data, "ls", device.path).status] += 1
            statuses[fuzz_run(device, data, "extents", device.path, "fw/new.bin").status] += 1
            statuses[fuzz_run(device, data, "plan", device.path, "fw/new.bin").status] += 1
            last = rng.choice([["upgrade", device.path, "fw/new.bin", "-q"], ["put", device.path, folder / "file0"],
                               ["rm", device.path, "main.py"], ["get", device.path, "lib/a/b/c.mpy", folder / "got"]])
            statuses[fuzz_run(device, data, *last).status] += 1
        except Exception as error:
            kept = Path(tempfile.gettempdir()) / f"molt-fuzz-{seed_of(number)}.bin"
            kept.write_bytes(data)
            raise AssertionError(f"round {number}, dump kept as {kept}: {error}") from error
    check(min(statuses) > rounds() // 5, "both happen:", statuses)


@test
def no_damaged_boot_sector_crashes_it(folder):
    device = Device(folder, "1M", old=esp8266_image(60000, 2), new=esp8266_image(70000, 4))
    plan = json.loads(good("plan", device.path, "fw/new.bin", "--json").out)
    good("upgrade", device.path, "fw/new.bin", "--cut", plan["operations"]["prepare"] + 3, "-q")
    prepared = device.now()
    for number in range(rounds(2)):
        rng = random.Random(seed_of(number) + 700000)
        data = bytearray(prepared)
        for _ in range(rng.choice([1, 2, 20])):
            data[rng.randrange(3328 if rng.random() < 0.1 else SECTOR - 400, SECTOR)] ^= 1 << rng.randrange(8)
        device.path.write_bytes(data)
        fuzz_run(device, bytes(data), "boot", device.path, "-q")
        now = device.now()
        check(now[device.fs_end:] == prepared[device.fs_end:], "round", number, "the system sectors")


def main():
    if not MOLT.exists():
        print(f"Bail out! there is no {MOLT}; make build/molt")
        return 1
    chosen = [function for function in TESTS if len(sys.argv) < 3 or sys.argv[2] in function.__name__]
    print(f"1..{len(chosen)}")
    failed = 0
    for number, function in enumerate(chosen, 1):
        folder = Path(tempfile.mkdtemp(prefix="molt-tool-"))
        fact = function.__name__.replace("_", " ")
        try:
            function(folder)
            print(f"ok {number} - {fact}", flush=True)
        except (AssertionError, OSError, ValueError, KeyError, AttributeError, IndexError, subprocess.SubprocessError) as error:
            failed += 1
            print(f"not ok {number} - {fact}")
            for line in f"{type(error).__name__}: {error}"[:3000].splitlines():
                print(f"# {line}", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
