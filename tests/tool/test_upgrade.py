#!/usr/bin/env python3
"""`molt plan` and `molt upgrade` on dumps, as TAP. rig.py has how to run it."""

import hashlib
import json
import re
import sys

from rig import (Device, KB, ROOT, SECTOR, check, esp8266_image, good, main, micropython_image, on_terminal, refused,
                 sectors_up, test)


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
    check(plan["time"][0]["fatal_windows_ms"] == [60.6, 60.6], plan["time"][0])
    check(2000 < plan["time"][0]["boot_ms"] < 8000, plan["time"][0])
    text = good("plan", device.path, "fw/new.bin").out
    check("2 x 61 ms" in text and "64 KB erased at once" in text and "window 2" in text, text)


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
    # Its header is another one: else it would be in place already.
    device = Device(folder, old=image[:2] + b"\x00" + image[3:], new=image)
    plan = json.loads(good("plan", device.path, "fw/new.bin", "--flash-params=image", "--json").out)
    check(plan["sectors"] == {"total": 100, "equal": 99, "programmed": 1}, plan["sectors"])
    good("upgrade", device.path, "fw/new.bin", "--flash-params=image")
    device.check_upgraded(image, params=image[2:4])


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


if __name__ == "__main__":
    sys.exit(main())
