#!/usr/bin/env python3
"""The table of flash maps is the only one, as TAP: no address of a region stands anywhere else in the source, and
what is made from the table (pictures, listing, linker scripts) is up to date.

    tests/map/test_table.py [MOLT]      (default: build/molt)
"""
import json
import re
import struct
import subprocess
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import tap  # noqa: E402
from tap import check, test  # noqa: E402

MOLT = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/molt").resolve()
FOLDERS = ["include", "src", "ports", "cmd", "micropython", "bench", "examples", "tools", "Makefile"]
SUFFIXES = {".c", ".h", ".py", ".mk", ".ld", ".S", ".sh", ""}
# The table, and what tools/maps makes of it.
# The package for firmwares without molt has of it what it needs; a test here holds that to the table.
PACKAGE = "micropython/stock/_molt/map.py"
TABLE = ["src/map/map.c", "src/map/map.h", "micropython/boards/molt_1MiB.ld", "micropython/boards/molt_2MiB.ld"]
MEGABYTE = 0x100000
# The same numbers where they are something else: (file, number), and what it is there.
OTHERS = {
    ("src/image/image.c", MEGABYTE): "flash capacities by the size code of an image's header",
    ("src/map/partition.c", MEGABYTE): "the smallest flash capacity by the size code of an ESP32 image",
    ("cmd/molt/args.c", MEGABYTE): "an example of how to write a number, and one K or M",
    ("cmd/molt/text/say.c", MEGABYTE): "a megabyte, for people",
    ("cmd/molt/delta/moves.c", MEGABYTE): "farther than anything moves from one image to the next",
    ("bench/bench.c", MEGABYTE): "sizes of images and filesystems to measure plans with",
    ("tools/demo", MEGABYTE): "what the demonstration checks by, which is not to come from what it checks",
    ("tools/demo", 5 * 4096): "likewise",
    ("tools/demo", 0x99000): "likewise",
    ("micropython/web/molt_web.py", MEGABYTE): "the largest file that it takes",
    ("micropython/stock/_molt/begin.py", MEGABYTE): "what the CPU sees of flash, on a firmware that has no table",
    ("micropython/stock/_molt/marks.py", MEGABYTE): "likewise",
    ("micropython/stock/_molt/measure.py", MEGABYTE): "likewise",
    ("micropython/web/molt_intake.py", MEGABYTE): "the largest file that it takes",
    ("tools/manifest", MEGABYTE): "the largest image that there can be",
    ("micropython/web/molt_intake.py", 5 * 4096): "room that is left on the filesystem: molt.head, and what littlefs itself needs",
    ("cmd/molt/net/form.c", 5 * 4096): "likewise",
    ("cmd/molt/text/describe.c", MEGABYTE): "flash capacities by the size code of an ESP32 image",
}


def molt(*words):
    return subprocess.run([MOLT, *map(str, words)], check=True, capture_output=True).stdout.decode()


def maps():
    for line in molt("map", "--list").splitlines():
        name, size, unit = line.split()[:3]
        yield json.loads(molt("map", "--json", "--size", size + unit[0], "--variant", name))


def numbers():
    """Every address at which a region of some map begins or ends, and the size of the system sectors and filesystems."""
    found = set()
    for shown in maps():
        for region in shown["regions"]:
            end = region["addr"] + region["size"]
            # The end of flash, and its beginning, are no addresses that a table decides.
            found |= {region["addr"], end if end != shown["flash_size"] else 0}
            if region["kind"] in ("filesystem", "system"):
                found.add(region["size"])
    # The four system sectors of old are 16 KB, like much else.
    return found - {0, 4096, 16384}


def sources():
    for folder in FOLDERS:
        path = ROOT / folder
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            name = str(file.relative_to(ROOT))
            if file.is_file() and file.suffix in SUFFIXES and "__pycache__" not in name and name not in [*TABLE, PACKAGE]:
                yield name, file.read_text(errors="replace")


def values(text):
    """(number, how it is written) of everything in a text that reads as a number, products and K or M included."""
    for m in re.finditer(r"(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)([uU]?[lL]*)\b(?:\s*\*\s*(0[xX][0-9a-fA-F]+|\d+)[uU]?\b)?|"
                         r"(?<![\w.])(\d+) ?([KM])i?B?\b", text):
        if m[4]:
            yield int(m[4]) << {"K": 10, "M": 20}[m[5]], m[0]
        else:
            first = int(m[1], 16) if m[1][:2] in ("0x", "0X") else int(m[1])
            yield first, m[1]
            if m[3]:
                yield first * (int(m[3], 16) if m[3][:2] in ("0x", "0X") else int(m[3])), m[0]


def code_only(name, text):
    """Without comments, where the language has an easy way to tell; sizes in words are no addresses."""
    if name.endswith((".c", ".h", ".S", ".ld")):
        return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    if name.endswith(".py"):
        return re.sub(r'"""(?:.*?)"""|#[^\n]*', "", text, flags=re.S)
    return re.sub(r"(?m)^\s*#[^\n]*", "", text)


@test
def no_address_of_a_region_stands_outside_the_table():
    wanted, found, used = numbers(), [], set()
    for name, text in sources():
        for value, written in values(code_only(name, text)):
            # "2 MB" and "512K" in sentences and options are sizes of chips.
            is_size_of_chip = re.search("[KM]", written) and value & (value - 1) == 0
            if value in wanted and not is_size_of_chip:
                if (name, value) in OTHERS:
                    used.add((name, value))
                else:
                    found.append(f"{name}: {written} = 0x{value:x}")
    stale = [f"OTHERS has {name}: 0x{value:x}, which is not there any more" for name, value in sorted(set(OTHERS) - used)]
    return sorted(set(found)) + stale


def package(firmware_end, romfs_addr):
    """The names in the package's map.py, on a firmware that ends there."""
    esp = types.SimpleNamespace(flash_read=lambda addr, size: struct.pack("<I", firmware_end - 16))
    names = {"const": lambda number: number}
    sys.modules.update(esp=esp, ustruct=struct)
    exec(compile((ROOT / PACKAGE).read_text(), PACKAGE, "exec"), names)
    names["romfs"] = lambda: romfs_addr
    return names


@test
def what_the_package_knows_of_the_table_is_right():
    found = []
    for shown in maps():
        at = {region["kind"]: region["addr"] for region in shown["regions"] if region["size"]}
        known = package(0x90000, at.get("romfs", 0))["region"](at["filesystem"]) if "filesystem" in at else 0
        if known != at.get("reserved", 0):
            found.append(f"{shown['name']}, {shown['flash_size']}: 0x{known:x}, and the table has 0x{at.get('reserved', 0):x}")
    return found


@test
def the_search_finds_what_it_is_to_find():
    wanted = numbers()
    missed = []
    for text in ("#define A 0x100000u", "x = 0x99000", "size - 20480", "5 * 4096", "if (a >= 0xFB000)", "org = 0x5000",
                 "irom = 1004K", "0x0f8000", "720 * 1024"):
        if not any(value in wanted for value, _ in values(text)):
            missed.append(f"not found: {text}")
    for text in ("0x40100000", "4096", "0x1000001", "x99000"):
        if any(value in wanted for value, _ in values(text)):
            missed.append(f"found, but it is none: {text}")
    return missed


@test
def all_that_is_made_from_the_table_is_up_to_date():
    done = subprocess.run([ROOT / "tools/maps", "--check", MOLT], capture_output=True, text=True)
    return done.stdout.splitlines() + done.stderr.splitlines() if done.returncode else []


def call(function):
    problems = function()
    check(not problems, *(f"{problem}\n" for problem in problems))


if __name__ == "__main__":
    sys.exit(tap.main(call=call))
