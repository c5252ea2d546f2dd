#!/usr/bin/env python3
"""Resident mode in dumps, and damage of its boot loader, as TAP. rig.py has how to run it."""

import json
import sys

from rig import Device, SECTOR, check, good, main, micropython_image, noise, refused, test

RESERVED = 0xF8000
OVERLAY = RESERVED + 7 * SECTOR


def resident(folder):
    device = Device(folder)
    device.blank_reserved()
    good("install", device.path)
    device.before = device.now()
    return device


def flipped(data, at, bit=3):
    data = bytearray(data)
    data[at] ^= 1 << bit
    return bytes(data)


def check_damage_is_seen_and_repaired(device, data, where):
    device.path.write_bytes(data)
    for command in (["info", device.path], ["plan", device.path, "fw/new.bin"], ["upgrade", device.path, "fw/new.bin"],
                    ["boot", device.path]):
        refused(*command, saying="the resident boot loader in sector 0 is damaged; molt install repairs it")
        check(device.now() == data, where, command, "changed the dump")
    found = json.loads(good("doctor", device.path, "--json").out)
    check(found["next"] == f"molt install {device.path}" and "is damaged" in " ".join(found["obstacles"]), where, found)
    good("install", device.path, "-q")
    check(device.now()[:SECTOR] == device.before[:SECTOR], where, "sector 0 is as it was")
    changed = [at for at in range(0, len(data), SECTOR) if device.now()[at:at + SECTOR] != device.before[at:at + SECTOR]]
    check(all(RESERVED <= at < RESERVED + 8 * SECTOR for at in changed), where, "and nothing else", changed)
    info = json.loads(good("info", device.path, "--json").out)
    check(info["resident"] and info["valid"], where, info)


@test
def damage_anywhere_in_sector_0_is_seen_and_repaired(folder):
    device = resident(folder)
    places = [*range(4, SECTOR, 421), 0, 1, 0xA1, *range(SECTOR - 32, SECTOR, 9), SECTOR - 1]
    for number, at in enumerate(places):
        check_damage_is_seen_and_repaired(device, flipped(device.before, at, number % 8), hex(at))
    good("upgrade", device.path, "fw/new.bin", "-q")


@test
def a_damaged_overlay_is_seen_and_written_again(folder):
    device = resident(folder)
    for at in (0, 5, 17, 20, 300, 2000):
        data = flipped(device.before, OVERLAY + at)
        device.path.write_bytes(data)
        refused("info", device.path, saying="that carries out upgrades is damaged")
        check("that carries out upgrades is damaged" in good("plan", device.path, "fw/new.bin").err, "plan")
        good("install", device.path, "-q")
        check(device.now() == device.before, hex(at), "repaired")
        device.path.write_bytes(data)
        good("upgrade", device.path, "fw/new.bin", "-q")
        good("info", device.path)
    device.path.write_bytes(device.before[:OVERLAY] + b"\xff" * SECTOR + device.before[OVERLAY + SECTOR:])
    good("install", device.path, "-q")
    check(device.now() == device.before, "one that is not there")


@test
def what_is_whole_is_not_installed_again(folder):
    device = resident(folder)
    refused("install", device.path, saying="installed already, and its boot loader is whole")
    check(device.now() == device.before, "unchanged")
    good("uninstall", device.path)
    refused("uninstall", device.path, saying="not installed")
    good("install", device.path)


@test
def other_sectors_of_the_firmware_are_not_taken_for_a_damaged_loader(folder):
    device = Device(folder)
    device.blank_reserved()
    for data in (noise(SECTOR, 1), b"\xff" * SECTOR, flipped(device.before[:SECTOR], 500)):
        device.path.write_bytes(data + device.before[SECTOR:])
        check("resident" not in refused("plan", device.path, "fw/new.bin").err, "no resident boot loader")
    # One that was taken out leaves its log: that makes nothing resident.
    device.reset()
    good("install", device.path)
    good("uninstall", device.path)
    info = json.loads(good("info", device.path, "--json").out)
    check(not info["resident"], info)
    (folder / "x").write_bytes(micropython_image(300 << 10, 5))
    good("plan", device.path, "fw/new.bin")


if __name__ == "__main__":
    sys.exit(main())
