#!/usr/bin/env python3
"""Delta files: made, told, planned, carried out and refused by the tool, as TAP. rig.py has how to run it."""

import gzip
import hashlib
import json
import sys

from rig import KB, check, esp32_image, good, main, micropython_image, noise, refused, test


def next_version(image, seed):
    """A firmware that has come of this one: words changed, a piece put in, one taken out."""
    body = bytearray(image[:-16])
    for i, byte in enumerate(noise(len(body) // 500, seed)):
        body[0xA000 + (i * 491 + byte) % (len(body) - 0xA000)] ^= byte | 1
    middle = 0x14000
    body[middle:middle] = noise(900, seed + 1)
    del body[middle + 0x6000:middle + 0x6000 + 900]
    return bytes(body) + hashlib.md5(body[4:]).digest()


def pair(folder):
    old = micropython_image(300 * KB, 1)
    new = next_version(old, 2)
    (folder / "old.bin").write_bytes(old)
    (folder / "new.bin").write_bytes(new)
    return old, new


@test
def a_delta_file_turns_one_firmware_into_another_and_back(folder):
    old, new = pair(folder)
    said = good("delta", folder / "old.bin", folder / "new.bin", folder / "up").out
    good("delta", folder / "new.bin", folder / "old.bin", folder / "back")
    size = (folder / "up").stat().st_size
    check(size < 12000 and f"{size} bytes" in said and "more files of 4 KB" in said, size, said)
    dump = folder / "flash.bin"
    good("mkflash", dump, "--size", "1M", "--firmware", folder / "old.bin", "--put", folder / "up", "--put", folder / "back")
    plan = good("plan", dump, "up").out
    check("sectors made of the old ones" in plan and "left alone" not in plan, plan)
    steps = json.loads(good("plan", dump, "up", "--json").out)["steps"]
    check(steps[0]["what"] == "delta" and steps[0]["programmed"] > 40, steps)
    good("upgrade", dump, "up", "-q")
    check(dump.read_bytes()[4:len(new)] == new[4:], "the new firmware is there")
    check("in place already" in good("upgrade", dump, "up").out, "and the file does nothing now")
    good("upgrade", dump, "back", "-q")
    check(dump.read_bytes()[4:len(old)] == old[4:], "the old firmware is there again")


@test
def packed_images_make_the_same_file(folder):
    pair(folder)
    for name in ("old", "new"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / f"{name}.bin").read_bytes()))
    good("delta", folder / "old.bin", folder / "new.bin", folder / "plain")
    good("delta", folder / "old.gz", folder / "new.gz")
    check((folder / "plain").read_bytes() == (folder / "new.gz.delta").read_bytes(), "the same, under its usual name")


@test
def info_tells_what_a_delta_file_is_and_whether_it_is_whole(folder):
    old, new = pair(folder)
    good("delta", folder / "old.bin", folder / "new.bin", folder / "up")
    told = json.loads(good("info", folder / "up", "--json").out)
    check(told["kind"] == "delta file" and told["old"]["size"] == len(old) and told["new"]["size"] == len(new), told)
    check("delta file" in good("info", folder / "up").out, "in words")
    data = bytearray((folder / "up").read_bytes())
    data[len(data) // 3] ^= 16
    (folder / "bad").write_bytes(data)
    (folder / "short").write_bytes(data[:500])
    for name in ("bad", "short"):
        refused("info", folder / name, saying="damaged or cut short")
    data = bytearray((folder / "up").read_bytes())
    data[4] = 1
    (folder / "later").write_bytes(data)
    refused("info", folder / "later", saying="version")


@test
def a_window_that_few_devices_have_is_told(folder):
    old, _ = pair(folder)
    # What is new repeats itself after 9 KB.
    new = old[:-16 - 18000] + 2 * noise(9000, 5)
    (folder / "new.bin").write_bytes(new + hashlib.md5(new[4:]).digest())
    dump = folder / "flash.bin"
    for window, is_told in (("32K", True), ("4K", False)):
        good("delta", folder / "old.bin", folder / "new.bin", folder / "up", "--window", window)
        good("mkflash", dump, "--size", "1M", "--firmware", folder / "old.bin", "--put", folder / "up")
        check(("more than most have free" in good("plan", dump, "up").err) == is_told, window)


@test
def what_makes_no_delta_file_is_said(folder):
    pair(folder)
    (folder / "noise").write_bytes(noise(5000, 3))
    (folder / "c3").write_bytes(esp32_image(5))
    for words in (("old.bin", "noise"), ("noise", "new.bin"), ("old.bin", "c3"), ("old.bin", "none")):
        refused("delta", *(folder / word for word in words))
        check(not (folder / f"{words[1]}.delta").exists(), "nothing is written")


@test
def a_delta_file_for_another_firmware_changes_nothing(folder):
    pair(folder)
    other = micropython_image(300 * KB, 7)
    (folder / "other.bin").write_bytes(other)
    good("delta", folder / "old.bin", folder / "new.bin", folder / "up")
    dump = folder / "flash.bin"
    good("mkflash", dump, "--size", "1M", "--firmware", folder / "other.bin", "--put", folder / "up")
    before = dump.read_bytes()
    refused("upgrade", dump, "up", saying="made for another firmware")
    check(dump.read_bytes() == before, "flash is as it was")


@test
def power_cuts_of_the_tools_own_rehearsal_do_no_harm(folder):
    pair(folder)
    good("delta", folder / "old.bin", folder / "new.bin", folder / "up")
    dump = folder / "flash.bin"
    good("mkflash", dump, "--size", "1M", "--firmware", folder / "old.bin", "--put", folder / "up")
    operations = json.loads(good("plan", dump, "up", "--json").out)["operations"]
    fresh = dump.read_bytes()
    new = (folder / "new.bin").read_bytes()
    for i in range(12):
        dump.write_bytes(fresh)
        at = operations["prepare"] + 3 + i * (operations["total"] - operations["prepare"] - 30) // 12
        good("upgrade", dump, "up", "-q", "--cut", f"{at}:random")
        good("boot", dump)
        check(dump.read_bytes()[4:len(new)] == new[4:], "after a cut at", at)


if __name__ == "__main__":
    sys.exit(main())
