#!/usr/bin/env python3
"""What a module costs, by the way it is brought onto the device: the table of docs/frozen.md.

usage: bench/frozen.py BUILD [--second] [--frozen FIRMWARE] [--table] [MODULE...]

BUILD     the folder that make builds in
--second  with the second MicroPython, that of BUILD/micropython2
--frozen  a firmware that has the modules frozen at build time, if it is not to be built here
--table   print the table as it stands in docs/frozen.md
MODULE    only these

On the virtual board, MicroPython's own esp8266 port with its 38 KB heap. Real modules of the MicroPython tree, each as
.py and .mpy on littlefs, .mpy in a ROMFS partition, frozen at build time, and as a dynamic frozen module (linked). For
each: heap bytes kept by the import after a collection; the smallest free heap with which it works; thousand instructions
of the import (--icount); bytes of flash. Then dynamic as a share of each of the others. For `add`, its instructions,
flash operations and modelled flash time.

Exit status 1 unless dynamic == frozen in heap kept, to the byte, instructions are within 5 %, and the smallest heap is
at most 64 bytes larger.
"""

import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSTRUCTIONS_PER_US = 1000 / 32  # under --icount
COLUMNS = (".py", ".mpy", "ROMFS", "frozen", "dynamic")
SHARE_OF = (".mpy", "ROMFS", "frozen")
MODULES = {
    "core_locals": "tests/perf_bench/core_locals.py",
    "misc_pystone": "tests/perf_bench/misc_pystone.py",
    "misc_raytrace": "tests/perf_bench/misc_raytrace.py",
    "misc_aes": "tests/perf_bench/misc_aes.py",
    "asyncio_core": "extmod/asyncio/core.py",
    "bm_hexiom": "tests/perf_bench/bm_hexiom.py",
}

parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
parser.add_argument("build", type=Path)
parser.add_argument("--second", action="store_true")
parser.add_argument("--frozen", type=Path)
parser.add_argument("--table", action="store_true")
parser.add_argument("modules", nargs="*", metavar="MODULE")
ARGS = parser.parse_args()
BUILD = ARGS.build.resolve()
VERSION = "2" if ARGS.second else ""
WORK = BUILD / ("bench-frozen" + VERSION)
MICROPY = Path(os.environ.get("MICROPY_DIR_2" if ARGS.second else "MICROPY_DIR") or BUILD / ("micropython" + VERSION)).resolve()
MPY_CROSS = BUILD / ("mpy%s-cross" % VERSION) / "mpy-cross"
NAME = "mpy%s-A" % VERSION

KEPT = """
import gc, time
hog = None
gc.collect()
before = gc.mem_alloc()
begin = time.ticks_us()
import %(name)s
end = time.ticks_us()
gc.collect()
print('kept', gc.mem_alloc() - before, 'us', time.ticks_diff(end, begin))
"""

# The largest free piece, less what the import may have.
SMALLEST = """
import gc, micropython
gc.collect()
size = gc.mem_free()
hog = None
while hog is None:
    try:
        hog = bytearray(size)
    except MemoryError:
        size -= 64
del hog
gc.collect()
hog = bytearray(size - %(heap)d)
rest = []
import %(name)s
print('works')
"""

REMOVE = "import os; os.remove('/%s.mpy')"

ADD = """
import time, esp
begin = time.ticks_us()
esp.add_frozen('/%(name)s.mpy')
print('us', time.ticks_diff(time.ticks_us(), begin))
"""


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **options).stdout


def board(flash, code, *options):
    """Run code on a copy of the flash file, which is kept if `keep` is asked for by the caller's own copy."""
    environment = dict(os.environ, VBOARD_BUILD=str(BUILD / "vboard"))
    result = subprocess.run([ROOT / "vboard/run", flash, "--exec", code, *options], capture_output=True, text=True,
                            env=environment)
    return result.stdout, result.stderr


def make_flash(name, firmware, files):
    path = WORK / (name + ".bin")
    puts = [word for f in files for word in ("--put", f)]
    run(BUILD / "molt", "mkflash", path, "--size", "4M", "--firmware", firmware, *puts)
    return path


def measure(flash, name):
    """Heap kept, smallest heap, thousand instructions; None for what does not work."""
    out, err = board(flash, KEPT % {"name": name}, "--icount")
    found = re.search(r"kept (-?\d+) us (\d+)", out)
    if not found:
        return None, None, None
    low, high = 0, 32768
    while high - low > 16:
        middle = (low + high) // 32 * 16
        out, _ = board(flash, SMALLEST % {"name": name, "heap": middle})
        low, high = (low, middle) if "works" in out else (middle, high)
    return int(found[1]), high, int(found[2]) * INSTRUCTIONS_PER_US / 1000


def link_size(flash):
    """Bytes of the first link, header included: it lies behind the firmware. See docs/format-store.md."""
    data = Path(flash).read_bytes()
    end = struct.unpack_from("<I", data, 0x8FFC)[0] + 16
    bottom = (end + 4095) & ~4095
    magic, _, size = struct.unpack_from("<4sII", data, bottom)
    assert magic == b"MOLK", magic
    return 64 + size


def number(value):
    """Seven bits a byte, the highest first; the high bit says that more follow."""
    out = bytes([value & 0x7F])
    while value := value >> 7:
        out = bytes([0x80 | value & 0x7F]) + out
    return out


def romfs(name, data):
    """A ROMFS image with one file: records of kind, size and payload; 5 is a file, 2 are its bytes. Source: the comment
    at the beginning of extmod/vfs_rom.c."""
    name = name.encode()
    content = number(len(name)) + name + number(2) + number(len(data)) + data
    body = number(5) + number(len(content)) + content
    size = number(len(body))
    padding = b"\x80" * ((3 + len(size) + len(body)) % 2)  # the whole is a multiple of two
    return b"\xd2\xcd\x31" + padding + size + body


def make(build, target, *settings):
    run("make", "-C", ROOT, "BUILD=%s" % build, *settings, target)
    return target


def frozen_firmware():
    """A firmware with the modules frozen at build time."""
    if ARGS.frozen:
        return ARGS.frozen
    (WORK / "modules").mkdir(parents=True, exist_ok=True)
    for name, path in MODULES.items():
        shutil.copy(MICROPY / path, WORK / "modules" / (name + ".py"))
    manifest = WORK / "manifest.py"
    manifest.write_text('include("%s")\nfreeze("%s")\n' % (ROOT / "micropython/vboard_manifest.py", WORK / "modules"))
    for link in ("micropython", "micropython2", "mpy-cross", "mpy2-cross"):
        if (BUILD / link).exists() and not (WORK / link).exists():
            (WORK / link).symlink_to(BUILD / link)
    (WORK / "deps.ok").touch()
    return make(WORK, WORK / NAME / "firmware.bin", "VPORT_MANIFEST=%s" % manifest)


def romfs_flash(name, firmware, mpy):
    flash = make_flash("romfs", firmware, [mpy])
    board(flash, REMOVE % name)
    image = romfs(mpy.name, mpy.read_bytes())
    flash_map = json.loads(run(BUILD / "molt", "map", "--size", "4M", "--variant", "stock-2M-ROMFS", "--json"))
    region = next(r for r in flash_map["regions"] if r["kind"] == "romfs")
    assert len(image) <= region["size"]
    data = bytearray(flash.read_bytes())
    data[region["addr"]:region["addr"] + len(image)] = image
    flash.write_bytes(data)
    return flash, len(image)


def measure_all(name, firmware, frozen, with_romfs):
    source = WORK / (name + ".py")
    mpy = WORK / (name + ".mpy")
    shutil.copy(MICROPY / MODULES[name], source)
    run(MPY_CROSS, "-s", source.name, "-o", mpy, source)
    rows = {}
    rows[".py"] = (*measure(make_flash("py", firmware, [source]), name), source.stat().st_size)
    rows[".mpy"] = (*measure(make_flash("mpy", firmware, [mpy]), name), mpy.stat().st_size)
    flash, size = romfs_flash(name, with_romfs, mpy)
    rows["ROMFS"] = (*measure(flash, name), size)
    built = make_flash("frozen", frozen, [mpy])
    board(built, REMOVE % name)  # so that all filesystems, which import looks at first, have the same history
    rows["frozen"] = (*measure(built, name), None)
    dynamic = make_flash("dynamic", firmware, [mpy])
    stats = WORK / "stats.json"
    out, err = board(dynamic, ADD % {"name": name}, "--icount", "--stats", stats)
    us = int(re.search(r"us (\d+)", out)[1])
    counts = json.loads(stats.read_text())
    board(dynamic, REMOVE % name)
    board(dynamic, "pass")  # links
    link = link_size(dynamic)
    rows["dynamic"] = (*measure(dynamic, name), 128 + mpy.stat().st_size + link)
    add = (us * INSTRUCTIONS_PER_US / 1000, counts["sector_erases"], counts["page_programs"], counts["flash_seconds"], link)
    return source.stat().st_size, rows, add


def share(rows, kind, k):
    """Dynamic as a share of another, in percent."""
    whole, part = rows[kind][k], rows["dynamic"][k]
    return "-" if not whole or part is None else "%.0f %%" % (100 * part / whole)


def show_table(name, size, rows):
    """A module's lines of the table in docs/frozen.md."""
    for k, what in enumerate(("kept", "smallest", "kinsn", "flash")):
        cells = ["%s (%d)" % (name, size) if k == 0 else "", what, *(text(rows[c][k], 0) for c in COLUMNS)]
        print("| %s |" % " | ".join(cells + [share(rows, c, k) for c in SHARE_OF]).replace("|  |", "| |"), flush=True)


def add_text(name, add):
    return "%-14s %-8s %.0f kinsn, %d sector erases, %d programs, %.2f s of flash time; link %d bytes" % (name, "add", *add)


def show_lines(name, rows, add):
    for kind in COLUMNS:
        print("%-14s %-8s %s %s %s %s" % (name, kind, *(text(v, 9) for v in rows[kind])))
    for kind in SHARE_OF:
        print("%-14s /%-7s %s %s %s %s" % (name, kind, *(share(rows, kind, k).rjust(9) for k in range(4))))
    print(add_text(name, add), flush=True)


def text(value, width):
    return ("-" if value is None else "%.0f" % value).rjust(width)


def main():
    if not MICROPY.exists():
        print("%s is not there: no second MicroPython" % MICROPY)
        return 1
    WORK.mkdir(parents=True, exist_ok=True)
    firmware = make(BUILD, BUILD / NAME / "firmware.bin")
    with_romfs = make(BUILD, BUILD / (NAME + "-romfs") / "firmware.bin")
    frozen = frozen_firmware()
    missed, adds = [], []
    if ARGS.table:
        print("| module (.py bytes) | | %s |" % " | ".join(COLUMNS + tuple("of " + kind for kind in SHARE_OF)))
        print("|---" * (2 + len(COLUMNS) + len(SHARE_OF)) + "|")
    else:
        print("%-14s %-8s %9s %9s %9s %9s" % ("module", "as", "kept", "smallest", "kinsn", "flash"))
    for name in ARGS.modules or MODULES:
        size, rows, add = measure_all(name, firmware, frozen, with_romfs)
        if ARGS.table:
            show_table(name, size, rows)
            adds.append(add_text(name, add))
        else:
            show_lines(name, rows, add)
        built, linked = rows["frozen"], rows["dynamic"]
        if None in linked[:3] or None in built[:3]:
            missed.append("%s does not import" % name)
            continue
        if linked[0] != built[0]:
            missed.append("%s keeps %s bytes, frozen %s" % (name, linked[0], built[0]))
        if abs(linked[2] - built[2]) > 0.05 * built[2]:
            missed.append("%s takes %.1f thousand instructions, frozen %.1f" % (name, linked[2], built[2]))
        if linked[1] > built[1] + 64:
            missed.append("%s needs a heap of %s, frozen %s" % (name, linked[1], built[1]))
    print("\n".join(adds + ["missed: " + line for line in missed]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
