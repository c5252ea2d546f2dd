#!/usr/bin/env python3
"""`molt map` and `molt migrate`, from outside, as TAP. Firmwares are made up here; the virtual board is not needed.

    tests/map/test_map_tool.py [MOLT]      (default: build/molt)
"""
import contextlib
import os
import pty
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/map")]
import images  # noqa: E402
import tap  # noqa: E402
from maptool import MOLT, SECTOR, molt, shown  # noqa: E402
from tap import check, test  # noqa: E402

SCRATCH = tempfile.TemporaryDirectory(prefix="map-")
WORK = Path(SCRATCH.name)


def regions(*words):
    return {r["kind"]: r for r in shown(*words)["regions"]}


def image(size):
    """An image as MicroPython's port makes them: three segments, a size word, code, an MD5."""
    segments = [(vaddr, images.noise(12240, size + vaddr)) for vaddr in (0x40100000, 0x3FFE8000, 0x3FFEC000)]
    return images.micropython(size, segments, 0x40100004, size, size_freq=0x40)


FILES = {"main.py": b"print(1)\n", "lib/deep/er/x.py": b"x = 1\n" * 900, "empty": b"", "data/blob": os.urandom(70001)}


def flash(name, *words, files=None, size="4M"):
    path, firmware = WORK / name, WORK / "firmware.bin"
    firmware.write_bytes(image(60000))
    for number, (inside, data) in enumerate((FILES if files is None else files).items()):
        (WORK / f"file{number}").write_bytes(data)
        words += ("--put", f"{WORK / f'file{number}'}:{inside}")
    molt("mkflash", path, "--size", size, "--firmware", firmware, *words)
    return path


def files_of(path, names):
    found = {}
    for name in names:
        molt("get", path, name, WORK / "got")
        found[name] = (WORK / "got").read_bytes()
    return found


@test
def a_picture_has_a_cell_for_each_sector():
    for size, count in (("512K", 128), ("1M", 256), ("4M", 1024), ("16M", 4096)):
        text = molt("map", "--size", size, "--variant", "molt")
        cells = sum(len(m) for m in re.findall(r"^  0x\w+  (\S{64})$", text, re.M))
        hidden = sum(int(m) * 64 for m in re.findall(r"\((\d+) more rows", text))
        check(cells + hidden == count, size, cells, hidden)


@test
def what_is_used_is_told_from_what_is_free():
    path = flash("used.bin", files={"blob": os.urandom(50 * SECTOR)})
    found = regions(path)
    check(found["firmware"]["used"] == 15 * SECTOR == found["firmware"]["size"], found["firmware"])
    check(52 * SECTOR <= found["filesystem"]["used"] <= 56 * SECTOR, found["filesystem"])
    check(found["frozen"]["used"] == found["system"]["used"] == 0, found)
    content = bytearray(path.read_bytes())
    content[found["system"]["addr"] + SECTOR] = 0
    path.write_bytes(content)
    check(regions(path)["system"]["used"] == SECTOR, "a system sector that is written")
    text = molt("map", path)
    check("sSsss" in text and "F" * 15 + "z" in text, text)


@test
def the_firmware_ends_where_it_says_also_behind_another_first_sector():
    path = flash("resident.bin")
    content = bytearray(path.read_bytes())
    content[4:SECTOR] = bytes(SECTOR - 4)
    path.write_bytes(content)
    check(regions(path)["firmware"]["size"] == 15 * SECTOR, regions(path)["firmware"])
    path.write_bytes(b"\xff" * len(content))
    check("frozen" not in regions(path) and shown(path)["map"] == "stock-2M", "a blank chip")


@test
def an_upgrade_is_drawn_into_the_picture():
    path = flash("upgrade.bin", files={"new.bin": image(90000)})
    found = shown(path, "--upgrade", "new.bin")["upgrade"]
    check(found["changed_sectors"] == 22 and found["frozen_modules_met"] == 0 and found["size"] == 90000, found)
    check("*" * 22 + "z" in molt("map", path, "--upgrade", "new.bin"), "cells")
    molt("map", path, "--upgrade", "none.bin", status=1)


@test
def an_upgrade_over_frozen_modules_is_refused_and_says_which():
    room = regions("--size", "4M", "--variant", "molt")["firmware"]["size"]
    path = flash("frozen.bin", "--variant", "molt", files={"large.bin": image(room - 3 * SECTOR + 4), "fits.bin": image(room - 3 * SECTOR)})
    molt("frozen", "add", path, f"{ROOT / 'tests/fuzz/corpus/mpy/hello'}:pkg.hello")
    before = path.read_bytes()
    check(shown(path, "--upgrade", "large.bin")["upgrade"]["frozen_modules_met"] == 1, "the number of modules")
    check("pkg.hello" in molt("map", path, "--upgrade", "large.bin"), "their names")
    molt("map", path, "--upgrade", "large.bin", "--svg", WORK / "frozen.svg")
    check("in the way: pkg.hello" in (WORK / "frozen.svg").read_text(), "in the picture, too")
    for command in ("plan", "upgrade"):
        check("frozen modules pkg.hello" in molt(command, path, "large.bin", status=1), command)
    check(path.read_bytes() == before, "nothing is written")
    check(shown(path, "--upgrade", "fits.bin")["upgrade"]["frozen_modules_met"] == 0, "a smaller one meets none")
    molt("upgrade", path, "fits.bin", "--quiet")
    check("pkg.hello" in molt("frozen", "ls", path), "and leaves them")
    molt("frozen", "rm", path, "pkg.hello")
    molt("upgrade", path, "large.bin", "--quiet")


@test
def a_firmware_that_needs_them_takes_the_reserved_sectors_of_a_stock_map():
    found = regions("--size", "4M", "--firmware", "1000K")
    check("reserved" not in found and found["firmware"]["size"] == 1000 << 10 and found["frozen"]["size"] == 24 << 10, found)


@test
def a_mapped_flash_has_one_bar_and_a_larger_one_two():
    for size, variant, bars in (("512K", "molt", 1), ("1M", "stock", 1), ("1M", "molt", 1), ("2M", "stock", 2), ("16M", "molt", 2)):
        molt("map", "--size", size, "--variant", variant, "--svg", WORK / "bars.svg")
        check((WORK / "bars.svg").read_text().count("crispEdges") == bars, size, variant)


@test
def svg_is_well_formed_whatever_the_name():
    path = flash("a<b>&\".bin")
    for words in ((path,), ("--size", "16M"), ("--size", "512K"), ("--size", "1M", "--variant", "stock-OTA"), (path, "--upgrade", "main.py")):
        out = WORK / "out.svg"
        if "main.py" in words:
            molt("map", *words, "--svg", out, status=1)
            continue
        molt("map", *words, "--svg", out)
        root = xml.etree.ElementTree.parse(out).getroot()
        check(root.tag.endswith("svg"), root.tag)
        names = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
        check("system" in names and "firmware" in names, names)


@test
def colours_are_for_terminals():
    check("\033" not in molt("map", "--size", "4M"), "no colours in a pipe")
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    environment.pop("NO_COLOR", None)
    subprocess.run([MOLT, "map", "--size", "512K"], stdout=slave, check=True, env=environment)
    os.close(slave)
    text = b""
    # What was written to a terminal comes in pieces, and its end is an error.
    with contextlib.suppress(OSError):
        while piece := os.read(master, 65536):
            text += piece
    text = text.decode()
    check("\033[38;5;68m█" in text, "blocks in colour on a terminal")


@test
def a_map_that_is_not_there_is_refused():
    check("stock-1M" in molt("map", "--size", "1M", "--variant", "none", status=1), "the names that there are")
    molt("map", "--size", "512K", "--variant", "stock-2M", status=1)
    molt("map", "--size", "1M", "--variant", "molt", "--firmware", "724K", status=1)
    molt("map", "--size", "4M", "--firmware", "1025K", status=1)
    path = flash("sized.bin", files={})
    for option in ("--size", "--firmware"):
        check(f"leave out {option}" in molt("map", path, option, "1M", status=1), option)
    molt("map", status=2)
    molt("migrate", "a", "b", status=2)
    molt("migrate", WORK / "none", WORK / "out", "--to", "molt", status=1)


@test
def migration_keeps_every_file_and_the_system_sectors():
    old = flash("old.bin")
    content = bytearray(old.read_bytes())
    content[-5 * SECTOR:] = os.urandom(5 * SECTOR)
    old.write_bytes(content)
    molt("migrate", old, WORK / "new.bin", "--to", "molt", "--firmware", WORK / "firmware.bin")
    new = (WORK / "new.bin").read_bytes()
    check(shown(WORK / "new.bin")["map"] == "molt", "the map")
    check(new[-5 * SECTOR:] == content[-5 * SECTOR:], "system sectors")
    check(files_of(WORK / "new.bin", FILES) == FILES, "files")
    check(old.read_bytes() == content, "the old dump stays")
    molt("migrate", WORK / "new.bin", WORK / "back.bin", "--to", "stock", "--firmware", WORK / "firmware.bin")
    check(files_of(WORK / "back.bin", FILES) == FILES and shown(WORK / "back.bin")["map"] == "stock-2M", "and back")


@test
def a_dump_without_a_firmware_does_not_migrate():
    blank = WORK / "blank.bin"
    blank.write_bytes(bytes(1 << 20))
    said = molt("migrate", blank, WORK / "blank2.bin", "--to", "molt", status=1)
    check("no firmware" in said and not (WORK / "blank2.bin").exists(), said)

def migration_to_the_same_map_changes_nothing():
    old = flash("same.bin", "--variant", "molt")
    molt("migrate", old, WORK / "again.bin", "--to", "molt")
    check((WORK / "again.bin").read_bytes() == old.read_bytes(), "byte for byte")


@test
def migration_keeps_user_sectors_and_frozen_modules_in_place():
    old = flash("kept.bin", "--variant", "molt", files={})
    found, content = regions(old), bytearray(old.read_bytes())
    user, frozen = found["user"], found["frozen"]
    content[user["addr"]:user["addr"] + user["size"]] = os.urandom(user["size"])
    top = frozen["addr"] + frozen["size"]
    content[top - 3 * SECTOR:top] = os.urandom(3 * SECTOR)
    old.write_bytes(content)
    molt("migrate", old, WORK / "kept2.bin", "--to", "molt")
    check((WORK / "kept2.bin").read_bytes() == content, "byte for byte")
    # To a map without user sectors they cannot go along, and are not lost silently.
    said = molt("migrate", old, WORK / "kept3.bin", "--to", "stock", "--firmware", WORK / "firmware.bin", status=1)
    check("user region" in said and not (WORK / "kept3.bin").exists(), said)


@test
def migration_keeps_a_romfs_or_refuses():
    old = flash("romfs.bin", files=FILES)
    romfs = regions("--size", "4M", "--variant", "stock-2M-ROMFS")["romfs"]
    content = bytearray(old.read_bytes())
    content[romfs["addr"]:romfs["addr"] + 3] = b"\xd2\xcd\x31"
    old.write_bytes(content)
    check(shown(old)["map"] == "stock-2M-ROMFS", "it is recognized")
    said = molt("migrate", old, WORK / "romfs2.bin", "--to", "molt", "--firmware", WORK / "firmware.bin", status=1)
    check("romfs region" in said, said)
    molt("migrate", old, WORK / "romfs2.bin", "--to", "stock-2M-ROMFS", "--firmware", WORK / "firmware.bin")
    check((WORK / "romfs2.bin").read_bytes() == content, "byte for byte")


@test
def a_migration_that_does_not_fit_says_by_how_much():
    room = regions("--size", "4M", "--variant", "molt")["filesystem"]["size"]
    old = flash("full.bin", files={"big": os.urandom(room), "more/small": b"x" * 5000})
    said = molt("migrate", old, WORK / "full2.bin", "--to", "molt", "--firmware", WORK / "firmware.bin", status=1)
    amount = int(re.search(r"remove (\d+) KB", said)[1])
    check(20 <= amount <= 64 and not (WORK / "full2.bin").exists(), said)
    check("--firmware" in molt("migrate", old, WORK / "full2.bin", "--to", "molt", status=1), "a firmware is needed")
    check("no filesystem" in molt("migrate", flash("one.bin", size="1M"), WORK / "x", "--to", "stock-512K", "--firmware",
                                  WORK / "firmware.bin", status=1), "nowhere for the files")


if __name__ == "__main__":
    sys.exit(tap.main())
