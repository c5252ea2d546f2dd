#!/usr/bin/env python3
"""Power cuts by `molt upgrade --cut`, and what `molt boot` makes of them, as TAP. rig.py has how to run it."""

import json
import re
import sys

from rig import Device, KB, SECTOR, TEARS, check, esp8266_image, good, main, refused, test


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
    refused("upgrade", device.path, "fw/new.bin", saying="already prepared")
    good("boot", device.path, "-q")
    device.check_upgraded(device.new)
    check("no upgrade was in progress" in good("boot", device.path).out, "afterwards")


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
    refused("boot", device.path, "--cut", "0", saying="no upgrade is in progress")
    check(device.now() == device.before, "unchanged")


@test
def resident_mode_is_installed_upgrades_and_goes(folder):
    device = Device(folder)
    device.blank_reserved()
    good("install", device.path)
    check("no upgrade was in progress" in good("boot", device.path).out, "a start with nothing to do")
    refused("install", device.path, saying="installed already")
    sector = device.now()[:SECTOR]
    good("upgrade", device.path, "fw/new.bin", "--cut", "40:random", "-q")
    refused("uninstall", device.path, saying="molt boot goes on with it")
    check("upgrade is finished" in good("boot", device.path).out, "the upgrade goes on")
    check(device.now()[:SECTOR] == sector, "sector 0 is as it was")
    check("no upgrade was in progress" in good("boot", device.path).out, "and is over")
    good("uninstall", device.path)
    check(device.now()[:len(device.new)] == device.new[:2] + device.before[2:4] + device.new[4:], "the image is in place")
    refused("uninstall", device.path, saying="not installed")


@test
def resident_mode_waits_for_an_upgrade_that_is_under_way(folder):
    device = Device(folder)
    device.blank_reserved()
    plan = json.loads(good("plan", device.path, "fw/new.bin", "--json").out)
    good("upgrade", device.path, "fw/new.bin", "--cut", plan["operations"]["prepare"], "-q")
    before = device.now()
    refused("install", device.path, saying="an upgrade is in progress")
    check(device.now() == before, "unchanged")


@test
def what_others_have_in_the_reserved_sectors_is_kept(folder):
    device = Device(folder)
    result = refused("install", device.path, saying="hold something that is not molt's")
    first = int(re.search(r"from 0x([0-9a-f]+) on", result.err)[1], 16)
    check(device.now() == device.before, "unchanged")
    device.blank_reserved()
    data = bytearray(device.before)
    data[first + 3 * SECTOR + 5] = 0
    device.path.write_bytes(data)
    refused("install", device.path, saying="--force")
    check(device.now() == bytes(data), "unchanged")
    good("install", device.path, "--force")
    good("uninstall", device.path)
    # What molt itself has left there is not in its way.
    good("install", device.path)


@test
def torture_has_windows_only_without_resident_mode(folder):
    device = Device(folder, old=esp8266_image(60 * KB, 1), new=esp8266_image(64 * KB, 2))
    device.blank_reserved()
    out = good("torture", device.path, "fw/new.bin", "--tears", "random", "-q").out
    check("The named windows" in out and re.search(r"[1-9]\d*  lost in a named window", out), out)
    good("install", device.path)
    out = good("torture", device.path, "fw/new.bin", "--tears", "random", "-q").out
    check("there are no windows" in out and re.search(r" 0  lost in a named window", out), out)


if __name__ == "__main__":
    sys.exit(main())
