#!/usr/bin/env python3
"""Random images, filesystems and boot sectors: the tool neither crashes nor changes anything, as TAP.

rig.py has how to run it. MOLT_FUZZ_ROUNDS (200) and MOLT_FUZZ_SEED (1) say how much and what; a failure prints the round.
"""

import gzip
import hashlib
import json
import os
import random
import struct
import sys
import tempfile
import zlib
from pathlib import Path

from rig import Device, Failure, SECTOR, check, esp8266_image, good, main, micropython_image, molt, test
import esp32


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
def of_damaged_firmwares_no_file_is_made(folder):
    whole, plain = micropython_image(0x9000 + 9000, 1), esp8266_image(20000, 2)
    other = bytearray(plain)
    other[15000:15400] = bytes(400)
    (folder / "other").write_bytes(other)
    out, back = folder / "out", folder / "back"
    statuses = [0, 0]
    for number in range(rounds(4)):
        rng = random.Random(seed_of(number) + 300000)
        # What is behind the loaded part of the plain one has no checksum.
        source = rng.choice([whole, plain])
        data = mutate(rng, source) if rng.random() < 0.6 else plain[:18000] + rng.randbytes(rng.randrange(1, 2000))
        is_bad = source is whole and len(data) > 40000 and data[4:] != whole[4:]
        kind = rng.randrange(4)
        data = gzip.compress(data, 1) if kind == 0 else mutate(rng, gzip.compress(plain, 1)) if kind == 1 else data
        (folder / "fuzz").write_bytes(data)
        for command in (["compress", "fuzz", out], ["delta", "fuzz", "other", out], ["delta", "--reverse", "other", "fuzz", out, back]):
            words = [folder / word if word in ("fuzz", "other") else word for word in command]
            result = molt(*words, *rng.choice([[], ["--json"]]))
            made = [path for path in (out, back) if path.exists()]
            check(result.status in (0, 1), "round", number, command, "->", result.status, result.err[-2000:])
            check(result.status == 1 or not is_bad, "round", number, command, "was accepted")
            if result.status:
                check(len(result.err.splitlines()) == 1 and result.err.startswith("molt: "), "round", number, command, result.err)
                check(result.out == "" and made == [], "round", number, command, "left", made, result.out)
            else:
                check(len(made) == 1 + (len(command) == 6), "round", number, command, "made", made)
                if command[0] == "compress":
                    check(gzip.decompress(out.read_bytes()) == data, "round", number, "it unpacks to another image")
            statuses[result.status] += 1
            for path in made:
                path.unlink()
    check(min(statuses) > rounds(4) // 3, "both happen:", statuses)


@test
def no_damaged_delta_file_is_taken(folder):
    old = micropython_image(0x9000 + 9000, 1)
    body = bytearray(old[:-16])
    body[0xA100:0xA300] = bytes(0x200)
    new = bytes(body) + hashlib.md5(body[4:]).digest()
    for name, image in (("old", old), ("new", new)):
        (folder / name).write_bytes(image)
    good("delta", folder / "old", folder / "new", folder / "patch")
    patch = (folder / "patch").read_bytes()
    device = Device(folder, "1M", old=old, new=new)
    for number in range(rounds(4)):
        rng = random.Random(seed_of(number) + 400000)
        data = bytearray(mutate(rng, patch))
        # So that the parser has to say it, and not the CRC.
        if len(data) > 16 and rng.random() < 0.7:
            struct.pack_into("<I", data, 12, len(data))
            data[-4:] = struct.pack("<I", zlib.crc32(data[:-4]))
        (folder / "fuzz").write_bytes(data)
        device.reset()
        info = molt("info", folder / "fuzz", *rng.choice([[], ["--json"]]))
        check(info.status in (0, 1), "round", number, "info", info.status, info.err)
        good("put", device.path, f"{folder / 'fuzz'}:fuzz")
        image = device.now()
        command = rng.choice(["plan", "upgrade"])
        result = fuzz_run(device, image, command, device.path, "fuzz", *(["-q"] if command == "upgrade" else []))
        if result.status == 0 and command == "upgrade":
            check(device.now()[4:len(new)] == new[4:], "round", number, "another image than the patch is for")


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
            fuzz_run(device, data, rng.choice(["doctor", "map", "info"]), device.path)
            fuzz_run(device, data, *rng.choice([["frozen", "ls", device.path], ["migrate", device.path, folder / "out", "--to", "stock-1M"]]))
            last = rng.choice([["upgrade", device.path, "fw/new.bin", "-q"], ["put", device.path, folder / "file0"],
                               ["rm", device.path, "main.py"], ["get", device.path, "lib/a/b/c.mpy", folder / "got"]])
            statuses[fuzz_run(device, data, *last).status] += 1
        except Exception as error:
            kept = Path(tempfile.gettempdir()) / f"molt-fuzz-{seed_of(number)}.bin"
            kept.write_bytes(data)
            raise Failure(f"round {number}, dump kept as {kept}: {error}") from error
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


def damage_esp32(rng, data):
    """Boot loader, partition table with the rows behind its MD5, molt's loader and plan, headers of the firmware."""
    data = bytearray(data)
    begin, size = rng.choice([(0, 64), (esp32.TABLE, 288), (esp32.TABLE, 288), (esp32.TABLE, 288), (esp32.LOADER, 400),
                              (esp32.PLAN, 4096), (esp32.APP, 320)])
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = begin + rng.randrange(size)
        if rng.random() < 0.5:
            data[at] ^= 1 << rng.randrange(8)
        else:
            struct.pack_into("<I", data, at // 4 * 4, rng.choice([0, 0xFFFFFFFF, 0x7FFFF000, 0x80000000, 0x10000, 0xF000, 0x6000, 0x100000]))
    if rng.random() < 0.6:
        # So that what it says is believed.
        data[esp32.TABLE + 112:esp32.TABLE + 128] = hashlib.md5(data[esp32.TABLE:esp32.TABLE + 96]).digest()
    return bytes(data)


@test
def no_damaged_flash_of_an_esp32_crashes_it_or_is_changed_where_it_is_refused(folder):
    device = esp32.Board(folder)
    states = [device.before, device.install().before]
    good("upgrade", device.path, "new.bin", "-q", "--cut", 150)
    states.append(device.now())
    statuses = [0, 0]
    for number in range(rounds(4)):
        rng = random.Random(seed_of(number) + 900000)
        data = damage_esp32(rng, rng.choice(states))
        device.path.write_bytes(data)
        try:
            for command in rng.choice([["info", "--json"], ["info"], ["map"], ["doctor"]]), rng.choice([["plan", "new.bin"], ["ls"]]):
                statuses[fuzz_run(device, data, command[0], device.path, *command[1:]).status] += 1
            last = rng.choice([["install"], ["uninstall"], ["upgrade", "new.bin"], ["boot"]])
            result = molt(last[0], device.path, *last[1:], "-q")
            check(result.status in (0, 1) and (result.status == 0 or device.now() == data), last, result.err[-2000:])
            check(device.now()[:esp32.LOADER] == data[:esp32.LOADER], last, "the boot loader")
            statuses[result.status] += 1
        except Exception as error:
            kept = Path(tempfile.gettempdir()) / f"molt-fuzz-{seed_of(number)}.bin"
            kept.write_bytes(data)
            raise Failure(f"round {number}, dump kept as {kept}: {error}") from error
    check(min(statuses) > rounds(4) // 2, "both happen:", statuses)


if __name__ == "__main__":
    sys.exit(main())
