#!/usr/bin/env python3
"""Which filesystem of a dump is meant, as TAP: the same one for every command, or none. rig.py has how to run it."""

import json
import sys

from rig import (Device, KB, SECTOR, SYSTEM_SIZE, check, fat_boot_sector, good, littlefs_2_0, littlefs_version, main,
                 micropython_image, molt, noise, refused, test)

MOLT_FS = 0x110000
STOCK_FS = 0x100000


def made(folder, name, image, files, *words, size="4M"):
    """A dump from mkflash, its bytes."""
    (folder / "image").write_bytes(image)
    for number, (path, data) in enumerate(files.items()):
        (folder / f"{name}{number}").write_bytes(data)
        words += ("--put", f"{folder / f'{name}{number}'}:{path}")
    good("mkflash", folder / name, "--size", size, "--firmware", folder / "image", *words)
    return bytearray((folder / name).read_bytes())


def written(folder, data, name="flash.bin"):
    (folder / name).write_bytes(data)
    return folder / name


def got(folder, path, name, *words):
    good("get", path, name, folder / "got", *words)
    return (folder / "got").read_bytes()


def shown(*words):
    return json.loads(good("map", "--json", *words).out)


def regions(path, kind):
    return [r for r in shown(path)["regions"] if r["kind"] == kind]


MARKED = (MOLT_FS, 0)


def stale_under_live(folder, mark):
    """A firmware for molt's map over a stock device: the old littlefs still begins at 0x100000, the live one at 0x110000."""
    image = micropython_image(300 * KB, 1, mark)
    old = made(folder, "old", micropython_image(300 * KB, 2), {"old.txt": noise(5000, 3)})
    new = made(folder, "new", image, {"live.txt": noise(6000, 4), "new.bin": image}, "--variant", "molt")
    return new[:STOCK_FS] + old[STOCK_FS:MOLT_FS] + new[MOLT_FS:]


# Every command that needs the filesystem, with what it needs.
def commands(folder, path):
    return [["ls", path], ["get", path, "live.txt", folder / "got"], ["put", path, folder / "old0"], ["rm", path, "live.txt"],
            ["extents", path, "new.bin"], ["plan", path, "new.bin"], ["upgrade", path, "new.bin", "-q"], ["install", path],
            ["frozen", "ls", path], ["migrate", path, folder / "out", "--to", "molt"]]


@test
def the_firmware_s_mark_decides_where_two_filesystems_are(folder):
    data = stale_under_live(folder, MARKED)
    path = written(folder, data)
    check("littlefs at 0x110000" in good("ls", path).out and got(folder, path, "live.txt") == noise(6000, 4), "the live one")
    refused("get", path, "old.txt", folder / "got", saying="no such file")
    good("put", path, f"{folder / 'old0'}:more.txt")
    now = path.read_bytes()
    check(now[:MOLT_FS] == data[:MOLT_FS] and got(folder, path, "live.txt") == noise(6000, 4), "only the live one is written")
    check(shown(path)["map"] == "molt" and regions(path, "filesystem")[0]["addr"] == MOLT_FS, "map")
    check(json.loads(good("plan", path, "new.bin", "--json").out)["filesystem"]["address"] == MOLT_FS, "plan")
    good("migrate", path, folder / "out", "--to", "molt")
    check(got(folder, folder / "out", "live.txt") == noise(6000, 4), "migrate")
    check("old.txt" in good("ls", path, "--fs-start", hex(STOCK_FS)).out, "the other one by its place")
    # Also while an upgrade is in progress, and in resident mode.
    (folder / "next").write_bytes(micropython_image(310 * KB, 9, MARKED))
    good("put", path, f"{folder / 'next'}:next.bin")
    whole = path.read_bytes()
    good("upgrade", path, "next.bin", "-q", "--cut", "40")
    check("littlefs at 0x110000" in good("ls", path).out, "while an upgrade is in progress")
    path.write_bytes(whole[:0x108000] + b"\xff" * 0x8000 + whole[MOLT_FS:])
    good("install", path)
    check("littlefs at 0x110000" in good("ls", path).out, "in resident mode")


@test
def where_nothing_decides_both_are_named_and_nothing_is_written(folder):
    data = stale_under_live(folder, None)
    path = written(folder, data)
    for command in commands(folder, path):
        said = refused(*command, saying="two filesystems, at 0x100000 and at 0x110000").err
        check("--fs-start" in said and path.read_bytes() == data and not (folder / "out").exists(), command, said)
    found = good("map", path)
    check("two filesystems" in found.err and "molt: note: " in found.err, found.err)
    check(shown(path)["notes"], "the same for programs")
    check(got(folder, path, "live.txt", "--fs-start", hex(MOLT_FS)) == noise(6000, 4), "named")
    good("put", path, f"{folder / 'old0'}:more.txt", "--fs-start", hex(MOLT_FS))
    check(shown(path, "--fs-start", hex(MOLT_FS))["map"] == "molt", "map")
    good("upgrade", path, "new.bin", "-q", "--fs-start", hex(MOLT_FS), "--erase-all")


@test
def a_filesystem_elsewhere_than_the_firmware_looks_is_not_taken_for_its_own(folder):
    old = made(folder, "old", micropython_image(300 * KB, 2), {"old.txt": noise(5000, 3), "live.txt": b"x"})
    (folder / "image").write_bytes(micropython_image(300 * KB, 1, MARKED))
    data = bytearray(old)
    data[:300 * KB] = (folder / "image").read_bytes()
    path = written(folder, data)
    for command in (["ls", path], ["put", path, folder / "old0"], ["migrate", path, folder / "out", "--to", "molt"]):
        said = refused(*command, saying="looks for its filesystem at 0x110000").err
        check("littlefs at 0x100000" in said and "--fs-start 0x100000" in said and path.read_bytes() == data, said)
    check(got(folder, path, "old.txt", "--fs-start", "0x100000") == noise(5000, 3), "named")
    # None at all: the device makes one.
    path.write_bytes(data[:STOCK_FS] + b"\xff" * (len(data) - STOCK_FS))
    refused("ls", path, saying="makes one, at 0x110000")
    check(shown(path)["map"] == "molt", "the map is that of the mark")


@test
def a_second_superblock_block_is_never_a_first(folder):
    # One file of one block: shifted by a block, all is in order still.
    for words in ([], ["--fs-size", "2M"]):
        data = made(folder, "one", micropython_image(300 * KB, 1), {"p": noise(3000, 5)}, *words)
        data[STOCK_FS:STOCK_FS + SECTOR] = b"\xff" * SECTOR
        path = written(folder, data)
        check("littlefs at 0x100000" in good("ls", path).out, "the first is erased", words)
        check(got(folder, path, "p") == noise(3000, 5), "read rightly", words)
    # At a place that no map has nothing tells them apart.
    data = made(folder, "one", micropython_image(300 * KB, 1), {"p": noise(3000, 5)}, "--fs-start", "0x140000", "--fs-size", "1M")
    data[0x140000:0x141000] = b"\xff" * SECTOR
    path = written(folder, data)
    refused("get", path, "p", folder / "got", saying="at 0x140000 and at 0x141000")
    check(got(folder, path, "p", "--fs-start", "0x140000") == noise(3000, 5), "named")
    # Both blocks are there, and a directory further on is lost.
    for words in ([], ["--fs-size", "2M"]):
        data = made(folder, "two", micropython_image(300 * KB, 1), {"p": noise(3000, 5), "a/b/s.txt": noise(9000, 6)}, *words)
        path = written(folder, data)
        check(got(folder, path, "p") == noise(3000, 5), "whole")
        blocks = [at for at in range(STOCK_FS + 2 * SECTOR, len(data), SECTOR) if data[at:at + SECTOR] != b"\xff" * SECTOR]
        for at in blocks:
            damaged = data[:at] + bytes(SECTOR) + data[at + SECTOR:]
            path.write_bytes(damaged)
            result = molt("get", path, "p", folder / "got")
            check(result.status == 1 or (folder / "got").read_bytes() in (noise(3000, 5), bytes(3000)), hex(at), "other bytes")
            if result.status:
                check("0x101000" not in result.err, hex(at), result.err)
            put = molt("put", path, f"{folder / 'two0'}:q")
            check(put.status == 1 or "littlefs at 0x100000" in good("ls", path).out, hex(at), "written elsewhere")
    refused("ls", written(folder, data), "--fs-start", "0x101000", saying="second block of the littlefs that begins at 0x100000")


@test
def a_damaged_filesystem_is_called_damaged_and_not_unused(folder):
    data = made(folder, "one", micropython_image(300 * KB, 1), {"p": noise(3000, 5), "a/b/s.txt": noise(9000, 6)})
    for at in range(STOCK_FS + 2 * SECTOR, STOCK_FS + 60 * SECTOR, SECTOR):
        if data[at:at + SECTOR] == b"\xff" * SECTOR:
            continue
        path = written(folder, data[:at] + bytes(SECTOR) + data[at + SECTOR:])
        if molt("ls", path).status == 0:
            continue
        before = path.read_bytes()
        refused("ls", path, saying="littlefs at 0x100000 is damaged")
        refused("migrate", path, folder / "out", "--to", "stock-2M", saying="is damaged")
        found = regions(path, "filesystem")
        check([(r["addr"], r["label"]) for r in found] == [(STOCK_FS, "damaged")] and found[0]["used"], found)
        check(path.read_bytes() == before and not (folder / "out").exists(), "nothing is written")
        return
    check(False, "no directory was found to be damaged")


@test
def a_second_filesystem_is_neither_unused_nor_left_behind(folder):
    def two(mark):
        main_fs = made(folder, "a", micropython_image(300 * KB, 1, mark), {"a.txt": b"a"}, "--fs-size", "1600K")
        data_fs = made(folder, "b", micropython_image(300 * KB, 2), {"b.txt": b"b"}, "--fs-start", "0x290000")
        return main_fs[:0x290000] + data_fs[0x290000:]

    path = written(folder, two((STOCK_FS, 0)))
    check("a.txt" in good("ls", path).out, "the mark names /")
    check("b.txt" in good("ls", path, "--fs-start", "0x290000").out, "and --fs-start the other")
    found = regions(path, "filesystem")
    check([(r["addr"], r.get("label")) for r in found] == [(STOCK_FS, None), (0x290000, "another littlefs")], found)
    check(not regions(path, "unused"), "nothing is unused")
    (folder / "image").write_bytes(micropython_image(300 * KB, 1, MARKED))
    for words in (["--to", "molt", "--firmware", folder / "image"], ["--to", "stock"]):
        refused("migrate", path, folder / "out", *words, saying="another filesystem, at 0x290000")
        check(not (folder / "out").exists(), "nothing is made")
    path = written(folder, two(None))
    refused("put", path, folder / "a0", saying="at 0x100000 and at 0x290000")
    refused("migrate", path, folder / "out", "--to", "molt", saying="at 0x100000 and at 0x290000")
    for start in ("0x100000", "0x290000"):
        refused("migrate", path, folder / "out", "--to", "stock", "--firmware", folder / "image", "--fs-start", start,
                saying="another filesystem")
    # The user's own sectors go along with their filesystem in them.
    data = made(folder, "c", micropython_image(300 * KB, 1), {"a.txt": b"a"}, "--variant", "molt")
    own = made(folder, "d", micropython_image(300 * KB, 1), {"u.txt": b"u"}, "--fs-size", "32K")
    path = written(folder, data[:STOCK_FS] + own[STOCK_FS:STOCK_FS + 0x8000] + data[STOCK_FS + 0x8000:])
    check("a.txt" in good("ls", path).out and "u.txt" in good("ls", path, "--fs-start", "0x100000").out, "two, one the user's")
    good("migrate", path, folder / "out", "--to", "molt")
    check((folder / "out").read_bytes() == path.read_bytes(), "byte for byte")


@test
def a_dump_of_a_chip_read_with_a_wrong_size_is_recognized(folder):
    data = made(folder, "one", micropython_image(300 * KB, 1), {"p": noise(3000, 5)}, size="2M")
    for times, name in ((2, "2 MB"), (4, "2 MB")):
        path = written(folder, data * times)
        for command in (["ls", path], ["put", path, folder / "one0"], ["map", path], ["plan", path, "p"], ["upgrade", path, "p"],
                        ["install", path], ["boot", path], ["migrate", path, folder / "out", "--to", "molt"]):
            refused(*command, saying=f"the second half repeats the first: the chip has {name}")
            check(path.read_bytes() == data * times, "unchanged")
    check("the second half repeats" in good("info", path).err, "info looks at the image all the same")
    good("ls", written(folder, data))


@test
def fat_is_called_fat(folder):
    data = made(folder, "one", micropython_image(300 * KB, 1), {})
    size = len(data) - SYSTEM_SIZE - STOCK_FS
    data[STOCK_FS:] = b"\xff" * (len(data) - STOCK_FS)
    data[STOCK_FS:STOCK_FS + 512] = fat_boot_sector(size)
    path = written(folder, data)
    for command in (["ls", path], ["put", path, folder / "image"], ["plan", path, "p"], ["upgrade", path, "p"],
                    ["migrate", path, folder / "out", "--to", "molt"], ["ls", path, "--fs-start", "0x100000"]):
        refused(*command, saying="is FAT")
    found = regions(path, "filesystem")
    check([(r["addr"], r["size"], r["label"]) for r in found] == [(STOCK_FS, size, "FAT")], found)
    text = good("map", path).out
    check("FAT" in text and "littlefs" not in text, text)
    check(path.read_bytes() == data, "unchanged")


@test
def a_header_with_another_size_than_the_chip_s_is_noticed(folder):
    device = Device(folder)
    good("ls", device.path)
    for nibble, says in ((2, "1 MB"), (8, "8 MB"), (9, "16 MB"), (0, "512 KB")):
        data = bytearray(device.before)
        data[3] = data[3] & 15 | nibble << 4
        device.path.write_bytes(data)
        for command in (["plan", device.path, "fw/new.bin"], ["map", device.path], ["info", device.path]):
            result = good(*command)
            check(f"the header says that the flash has {says}, and the dump has 4 MB" in result.err, command, result.err)
        check(regions(device.path, "filesystem")[0]["addr"] == STOCK_FS, "the map is that of the filesystem that is there")
        check(json.loads(good("plan", device.path, "fw/new.bin", "--json").out)["notes"], "for programs, too")
        result = good("upgrade", device.path, "fw/new.bin", "-q")
        check("the header says" in result.err, result.err)
    # A build for 1 MB on a larger chip has its header right.
    data = made(folder, "one", micropython_image(300 * KB, 1), {"p": b"p"}, size="1M")
    path = written(folder, data + b"\xff" * (3 << 20))
    check("the header" not in good("map", path).err and shown(path)["map"] == "stock-1M", "it is as it has to be")


@test
def mkflash_goes_by_the_mark_and_refuses_what_contradicts_it(folder):
    out, image = folder / "o.bin", folder / "image"
    image.write_bytes(micropython_image(300 * KB, 1, MARKED))
    base = ["mkflash", out, "--firmware", image]
    for words in ([], ["--variant", "molt"], ["--fs-start", "0x110000"]):
        result = good(*base, "--size", "2M", *words)
        check("littlefs of 940 KB at 0x110000" in result.out and shown(out)["map"] == "molt", result.out)
    out.unlink()
    refused(*base, "--size", "2M", "--variant", "stock", saying="looks for its filesystem at 0x110000")
    refused(*base, "--size", "2M", "--fs-start", "0x100000", saying="looks for its filesystem at 0x110000")
    refused(*base, "--size", "1M", saying="a chip of 1 MB does not have")
    refused(*base, "--size", "1M", "--variant", "molt", saying="looks for its filesystem at 0x110000")
    # In the mapped part the port leaves one sector for native code: user start 0xbf000, filesystem at 0xc0000.
    image.write_bytes(micropython_image(670 * KB, 1, (0xBF000, 0)))
    check("at 0x0c0000" in good(*base, "--size", "1M").out and shown(out)["map"] == "molt", "1 MB")
    image.write_bytes(micropython_image(690 * KB, 1, (0xB0000, 0x50000)))
    check("at 0x100000" in good(*base, "--size", "4M").out, "with ROMFS")
    image.write_bytes(micropython_image(710 * KB, 1, (0xB0000, 0x50000)))
    refused(*base, "--size", "4M", saying="its own ROMFS partition begins at 0x0b0000")
    # The firmware of another map does not go in by migration, either.
    image.write_bytes(micropython_image(300 * KB, 2))
    good(*base, "--size", "4M")
    image.write_bytes(micropython_image(300 * KB, 1, (STOCK_FS, 0)))
    refused("migrate", out, folder / "m.bin", "--to", "molt", "--firmware", image, saying="looks for its filesystem at 0x100000")


@test
def an_empty_romfs_partition_is_known_by_the_mark(folder):
    data = made(folder, "one", micropython_image(600 * KB, 1, (0xB0000, 0x50000)), {"p": b"p"})
    path = written(folder, data)
    check(shown(path)["map"] == "stock-2M-ROMFS", shown(path)["map"])
    check([(r["addr"], r["size"]) for r in regions(path, "romfs")] == [(0xB0000, 0x50000)], regions(path, "romfs"))
    refused("install", path, saying="stock-2M-ROMFS) has no sectors for resident mode")
    check(not any(0xB0000 < r["addr"] + r["size"] and r["addr"] < STOCK_FS for r in regions(path, "frozen")), "frozen modules")
    (folder / "x").write_bytes(micropython_image(720 * KB, 2))
    good("put", path, f"{folder / 'x'}:x")
    refused("plan", path, "x", saying="a region that is in use")


@test
def the_disk_version_of_a_littlefs_stays_what_it_is(folder):
    data = made(folder, "one", micropython_image(300 * KB, 1), {})
    blocks = (len(data) - SYSTEM_SIZE - STOCK_FS) // SECTOR
    data[STOCK_FS:STOCK_FS + blocks * SECTOR] = littlefs_2_0(blocks)
    path = written(folder, data)
    check(littlefs_version(data, STOCK_FS) == 0x00020000, "2.0 to begin with")
    (folder / "new").write_bytes(micropython_image(310 * KB, 2))
    for command in (["put", path, f"{folder / 'new'}:d/new.bin"], ["put", path, f"{folder / 'image'}:x"], ["rm", path, "x"],
                    ["upgrade", path, "d/new.bin", "-q"]):
        good(*command)
        check(littlefs_version(path.read_bytes(), STOCK_FS) == 0x00020000, command)
    check(got(folder, path, "d/new.bin") == (folder / "new").read_bytes(), "and what is in it")
    good("migrate", path, folder / "out", "--to", "molt", "--firmware", folder / "new")
    check(littlefs_version((folder / "out").read_bytes(), MOLT_FS) == 0x00020000, "in another map, too")
    data = made(folder, "one", micropython_image(300 * KB, 1), {"p": b"p"})
    check(littlefs_version(data, STOCK_FS) == 0x00020001, "a new one is 2.1")


if __name__ == "__main__":
    sys.exit(main())
