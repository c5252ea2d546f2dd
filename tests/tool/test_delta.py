#!/usr/bin/env python3
"""Delta files: made, told, planned, carried out and refused by the tool, as TAP. rig.py has how to run it."""

import gzip
import hashlib
import json
import struct
import sys

from rig import KB, Device, check, esp32_image, good, main, micropython_image, molt, noise, on_terminal, refused, test


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
def both_directions_are_made_at_once(folder):
    old, new = pair(folder)
    good("delta", folder / "old.bin", folder / "new.bin", folder / "up")
    good("delta", folder / "new.bin", folder / "old.bin", folder / "back")
    said = good("delta", "--reverse", folder / "old.bin", folder / "new.bin").out
    check("new.bin.delta: " in said and "old.bin.delta: " in said, said)
    good("delta", "--reverse", folder / "old.bin", folder / "new.bin", folder / "1", folder / "2")
    for named, usual, alone in (("1", "new.bin.delta", "up"), ("2", "old.bin.delta", "back")):
        made = (folder / alone).read_bytes()
        check((folder / named).read_bytes() == made and (folder / usual).read_bytes() == made, "the same as", alone)
    sizes = [json.loads(good("info", folder / name, "--json").out)["new"]["size"] for name in ("1", "2")]
    check(sizes == [len(new), len(old)], sizes)


@test
def json_says_what_was_made(folder):
    old, new = pair(folder)
    (folder / "new.gz").write_bytes(gzip.compress(new))
    told = json.loads(good("delta", folder / "old.bin", folder / "new.gz", folder / "up", "--json").out)
    check(told["old"]["size"] == len(old) and told["old"]["kind"] == "image", told)
    check(told["new"]["size"] == len(new) and told["new"]["kind"] == "gzip file", told)
    check([made["makes"] for made in told["made"]] == ["new"], told)
    header = json.loads(good("info", folder / "up", "--json").out)
    made = told["made"][0]
    check(made["size"] == header["size"] == (folder / "up").stat().st_size, made, header)
    check(made["window"] == header["window"] and made["stash_files"] == header["stash_files"], made, header)
    check(made["sectors_made"] + made["sectors_stashed"] == header["operations"] == made["sectors_written"] - 2, made, header)
    both = json.loads(good("delta", "--reverse", folder / "old.bin", folder / "new.gz", "--json").out)
    check([made["makes"] for made in both["made"]] == ["new", "old"], both)
    failed = refused("delta", folder / "old.bin", folder / "none", "--json")
    check(failed.out == "", failed.out)


@test
def the_firmware_of_a_dump_is_taken_also_in_resident_mode(folder):
    old = micropython_image(300 * KB, 1)
    device = Device(folder, old=old, new=next_version(old, 2))
    device.blank_reserved()
    (folder / "new.bin").write_bytes(device.new)
    said = good("delta", device.path, folder / "new.bin", folder / "1").out
    check("flash.bin: a dump; taken is the firmware at its beginning, 307200 bytes" in said and "resident" not in said, said)
    good("install", device.path, "-q")
    said = good("delta", device.path, folder / "new.bin", folder / "2").out
    check("307200 bytes" in said and "with its own first sector from 0x" in said, said)
    check((folder / "1").read_bytes() == (folder / "2").read_bytes(), "it is the same firmware")
    told = json.loads(good("delta", device.path, folder / "new.bin", folder / "2", "--json").out)["old"]
    check(told["kind"] == "dump" and told["resident"] and told["head_address"] > 0xF0000, told)
    good("put", device.path, f"{folder / '2'}:up")
    good("upgrade", device.path, "up", "-q")
    # The dump of a device that has the new firmware already is as good as the image.
    said = good("delta", folder / "old.img", device.path, folder / "3").out
    check(f"{len(device.new)} bytes" in said, said)
    fresh = folder / "fresh.bin"
    good("mkflash", fresh, "--size", "1M", "--firmware", folder / "old.img", "--put", f"{folder / '3'}:up")
    good("upgrade", fresh, "up", "-q")
    check(fresh.read_bytes()[4:len(device.new)] == device.new[4:], "the new firmware is there")


@test
def a_dump_without_a_firmware_that_can_be_taken_is_refused(folder):
    pair(folder)
    device = Device(folder, old=micropython_image(300 * KB, 1), new=micropython_image(300 * KB, 7))
    data = device.before
    damaged = bytearray(data)
    damaged[0x20000] ^= 1
    good("upgrade", device.path, "fw/new.bin", "-q", "--cut", "600")
    half = device.now()
    for content, sentence in ((half, "an upgrade is in progress"), (bytes(damaged), "MD5"), (b"\xff" * len(data), "")):
        device.path.write_bytes(content)
        refused("delta", device.path, folder / "new.bin", folder / "out", saying=sentence)
        refused("delta", folder / "new.bin", device.path, folder / "out", saying=sentence)
    (folder / "packed.gz").write_bytes(gzip.compress(data, 1))
    refused("delta", folder / "packed.gz", folder / "new.bin", folder / "out", saying="unpack it first")
    check(not (folder / "out").exists(), "nothing is written")


@test
def no_firmware_is_written_over_and_none_made_of_itself(folder):
    old, new = pair(folder)
    (folder / "same.bin").write_bytes(old)
    (folder / "also").hardlink_to(folder / "new.bin")
    refused("delta", folder / "old.bin", folder / "same.bin", saying="are the same firmware")
    for out in ("old.bin", "new.bin", "also"):
        refused("delta", folder / "old.bin", folder / "new.bin", folder / out, saying="would take the place of a firmware")
    refused("delta", "--reverse", folder / "old.bin", folder / "new.bin", folder / "up", folder / "old.bin", saying="take the place")
    refused("delta", "--reverse", folder / "old.bin", folder / "new.bin", folder / "up", folder / "up", saying="name two")
    refused("delta", folder / "old.bin", folder / "new.bin", folder / "up", folder / "back", saying="--reverse")
    good("delta", folder / "old.bin", folder / "new.bin", folder / "up")
    refused("delta", folder / "up", folder / "new.bin", folder / "out", saying="this is a delta file")
    check(not (folder / "out").exists() and not (folder / "back").exists(), "nothing else is written")
    check((folder / "old.bin").read_bytes() == old and (folder / "new.bin").read_bytes() == new, "the firmwares are as they were")
    check(molt("delta", folder / "old.bin", folder / "new.bin", "--window", "100").status == 2, "a window of 100 bytes")


@test
def on_a_terminal_it_shows_how_far_it_is(folder):
    pair(folder)
    said = on_terminal("delta", folder / "old.bin", folder / "new.bin", folder / "up")
    check("comparing" in said and "applying" in said and "%" in said, said)
    check(good("delta", folder / "old.bin", folder / "new.bin", folder / "up").err == "", "and says nothing elsewhere")


@test
def pointers_that_move_by_one_distance_cost_little(folder):
    # 4,000 pointers to places all over a piece that moves by 0x1a4: the bytes change by a carry or not, the numbers all the same.
    old, _ = pair(folder)
    table = bytes().join(struct.pack("<I", 0x40210000 + int.from_bytes(noise(8000, 6)[2 * i:2 * i + 2], "little")) for i in range(4000))
    moved = bytes().join(struct.pack("<I", word + 0x1A4) for (word,) in struct.iter_unpack("<I", table))
    for name, content in (("1", table), ("2", moved)):
        body = old[:0x20000] + content + old[0x20000:-16]
        body = body[:0x8FFC] + struct.pack("<I", len(body)) + body[0x9000:]
        (folder / name).write_bytes(body + hashlib.md5(body[4:]).digest())
    good("delta", folder / "1", folder / "2", folder / "up")
    size = (folder / "up").stat().st_size
    check(size < 600, size)


def call0(off, target):
    return struct.pack("<I", (target - 4 - (off & ~3)) << 4 & 0xFFFFC0 | 5)[:3]


def firmware_with_addresses(body, places, off_of):
    """`body` with a pointer and a call to each of these places, where they are by now."""
    body = bytearray(body)
    for i, place in enumerate(places):
        at = off_of(0xA000 + 12 * i)
        body[at:at + 4] = struct.pack("<I", 0x40200000 + off_of(place))
        body[at + 4:at + 7] = call0(at + 4, off_of(place))
        body[at + 7:at + 12] = b"\0\0\0\x08\0"  # one of 3 bytes, one of 2
    return bytes(body[:-16]) + hashlib.md5(body[4:-16]).digest()


@test
def addresses_that_moved_are_predicted(folder):
    # In noise each 64th byte begins what looks like a call.
    base = bytes(byte ^ (at >= 0x9000 and byte & 0x3F == 5) for at, byte in enumerate(micropython_image(300 * KB, 1)))
    places = [0x12000 + 4 * (int.from_bytes(noise(6000, 6)[2 * i:2 * i + 2], "little") % 0x8000) for i in range(1000)]
    # Some bytes more in the new one from here on, and from there, so that most calls and pointers change, each by another number.
    more = [(0x13000 + 0x3000 * i, 28 + 44 * i) for i in range(8)]
    moved = b"".join(noise(size, at) + base[at:end] for (at, size), (end, _) in zip(more, [*more[1:], (len(base), 0)]))
    moved = (base[:more[0][0]] + moved)[:len(base)]

    def off_in_moved(off):
        return off + sum(size for at, size in more if off >= at)

    (folder / "1").write_bytes(firmware_with_addresses(base, places, lambda off: off))
    (folder / "2").write_bytes(firmware_with_addresses(moved, places, off_in_moved))
    said = good("delta", folder / "1", folder / "2", folder / "up").out
    told = json.loads(good("delta", "--reverse", folder / "1", folder / "2", folder / "up", folder / "back", "--json").out)["made"]
    for made, name in zip(told, ("up", "back")):
        check(5 < made["map_entries"] < 20 and made["size_without_map"] > 1.3 * made["size"], made)
        info = json.loads(good("info", folder / name, "--json").out)
        check(info["map_entries"] == made["map_entries"] and info["predicts_calls"] and info["window"] == made["window"], info)
        check(struct.unpack_from("<H", (folder / name).read_bytes(), 4)[0] == 2 * made["map_entries"] + 1, "what the format says")
    check("predicted, by a map of" in said and "predicts   pointers and calls that moved" in good("info", folder / "up").out, said)
    dump = folder / "flash.bin"
    good("mkflash", dump, "--size", "1M", "--firmware", folder / "1", "--put", folder / "up", "--put", folder / "back")
    for file, name in (("up", "2"), ("back", "1")):
        good("upgrade", dump, file, "-q")
        image = (folder / name).read_bytes()
        check(dump.read_bytes()[4:len(image)] == image[4:], name, "is there")


@test
def what_is_smaller_without_a_map_has_none(folder):
    pair(folder)
    made = json.loads(good("delta", folder / "old.bin", folder / "new.bin", folder / "up", "--json").out)["made"][0]
    check(made["map_entries"] == 0 and made["size_without_map"] == made["size"], made)
    check((folder / "up").read_bytes()[4:6] == b"\0\0", "and says so")
    check("predict" not in good("info", folder / "up").out, "in words, too")


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
    data[4:6] = b"\1\0"
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
    (folder / "large.bin").write_bytes(micropython_image(1100 * KB, 1))
    refused("delta", folder / "old.bin", folder / "large.bin", saying="up to 1048576 bytes")


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
