#!/usr/bin/env python3
"""The standby loader of the Xtensa chips, compiled for register windows as it is for them, on a core of QEMU's that has those, as TAP:
rig.py has how to run it. LX106 is the compiler's prefix.

What it cannot say: whether ROM addresses and registers are the chips'. Its board is tests/loader/windowed."""

import gzip
import os
import shutil
import struct
import subprocess
import sys

from rig import ROOT, check, good, images, main, test
from tap import Skip
from esp32 import APP, ESP32, Board, app, told

BOARD = ROOT / "tests/loader/windowed"
LX106 = os.environ.get("LX106", "xtensa-lx106-elf-")
QEMU = "qemu-system-xtensa"
CORE = ["src/base/crc32.c", "src/base/sha1.c"]


CHIPS = ("esp32s2", "esp32s3", "esp32")
# What is on the filesystem, and its extension: sources, flags beside the chip's.
WAYS = {"new.bin": ([], []),
        "new.gz": (["ESP32_EXTENSION_SRC"], ["-O2"]),
        "new.delta": (["ESP32_DELTA_SRC", "tests/loader/windowed/extension_flash.c", *CORE, "ports/esp32/delta.c"],
                      ["-UMOLT_DELTA", "-DMOLT_DELTA=1"])}


def make_says():
    """{variable of the Makefile: its words}"""
    names = ["ESP32_ARCH_xtensa", "ESP32_EXTENSION_SRC", "ESP32_DELTA_SRC", *(chip + part for chip in CHIPS for part in ("_SRC", "_CC"))]
    done = subprocess.run(["make", "-s", "-C", ROOT, "LX106=" + LX106, "show",
                           "--eval=show: ; @:%s" % "".join("$(info %s $(%s))" % (name, name) for name in names)], check=True,
                          capture_output=True, text=True)
    return {name: words for name, *words in map(str.split, done.stdout.splitlines()) if name in names}


def program(folder, chip, words_of, way):
    """The board with a chip's loader, and an extension, as an ELF file whose calls are those of the windowed ABI."""
    sources = [word for word in words_of[chip + "_SRC"] if "digests" not in word and not word.endswith("spi1_flash.c")]
    more, more_flags = WAYS[way]
    more = [name for word in more for name in words_of.get(word, [word])]
    # The model includes the driver of SPI1.
    units = {"unit": ["tests/loader/windowed/board.c", *CORE, *sources], "extension": more + ["ports/esp32/extension.c"] * (way == "new.gz")}
    for unit, names in units.items():
        (folder / unit).with_suffix(".c").write_text("".join('#include "%s"\n' % (ROOT / name) for name in dict.fromkeys(names)))
    compiler, *flags = words_of[chip + "_CC"]
    common = [compiler, "-I", BOARD, "-I", "tests/unit", '-DBOARD_CHIP="%s/chip.h"' % chip, *flags]
    for words in ([*common, "-c", folder / "unit.c", "-o", folder / "unit.o"],
                  [*common, *more_flags, "-c", folder / "extension.c", "-o", folder / "extension.o"],
                  [compiler, *words_of["ESP32_ARCH_xtensa"], "-I", "ports/esp32/xtensa", "-c", BOARD / "start.S", "-o", folder / "start.o"],
                  [compiler, "-nostdlib", "-T", BOARD / "board.ld", folder / "start.o", folder / "unit.o", folder / "extension.o",
                   "-o", folder / "board.elf"],
                  [LX106 + "objcopy", "-O", "binary", "-j", ".text", folder / "board.elf", folder / "text.bin"],
                  [ROOT / "ports/esp32/xtensa/window_calls", folder / "board.elf", folder / "text.bin"],
                  [LX106 + "objcopy", "--update-section", ".text=%s" % (folder / "text.bin"), folder / "board.elf"]):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        check(done.returncode == 0, " ".join(map(str, words[:1])), done.stderr)
    return folder / "board.elf"


def run(folder, elf, flash, image):
    (folder / "image.bin").write_bytes(image)
    (folder / "size.bin").write_bytes(struct.pack("<I", len(image)))
    loads = [("image.bin", 0x02000000), ("size.bin", 0x02FF0000)]
    words = [QEMU, "-M", "sim", "-cpu", "dc233c", "-m", "128M", "-nographic", "-monitor", "none", "-semihosting", "-kernel", elf,
             "-device", "loader,file=%s,addr=0x01000000,force-raw=on" % flash]
    for name, addr in loads:
        words += ["-device", "loader,file=%s,addr=%#x,force-raw=on" % (folder / name, addr)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def prepared(folder, way):
    """A board whose upgrade from such a file is prepared, and no more."""
    old = app(70000, 1, of=ESP32)
    code = images.noise(600, 3) + images.noise(70000, 1)[:69000] if way == "new.delta" else None
    new = app(len(code) if code else 90000, 2, "v1.27.0", of=ESP32, code=code)
    for name, data in (("old", old), ("new", new)):
        (folder / name).write_bytes(data)
    if way == "new.delta":
        good("delta", folder / "old", folder / "new", folder / way)
    elif way == "new.gz":
        (folder / way).write_bytes(gzip.compress(new, mtime=0))
    files = {way: (folder / way).read_bytes()} if way != "new.bin" else {}
    board = Board(folder, new=new, files=files, of=ESP32).install()
    last = told("plan", board.path, way)["operations"]["prepare"] - 1
    good("upgrade", board.path, way, "-q", "--cut", f"{last}:after")
    check(board.now()[APP:APP + len(board.new)] != board.new, "prepared, and no more")
    return board


def carried_out(way):
    def an_upgrade(folder):
        if not shutil.which(QEMU) or not shutil.which(LX106 + "gcc"):
            raise Skip("no %s, or no compiler" % QEMU)
        # What is in a flash does not depend on the chip that the loader is compiled for.
        words_of = make_says()
        board = prepared(folder, way)
        for chip in CHIPS:
            elf = program(folder, chip, words_of, way)
            status, text = run(folder, elf, board.path, board.new)
            check(status == 0 and "molt: upgrading" in text and "done" in text, chip, status, text[-2000:])
        # One that ends otherwise is noticed.
        status, text = run(folder, elf, board.path, board.new[:-1] + b"?")
        check(status == 3, status, text[-2000:])
    an_upgrade.__doc__ = f"An upgrade from {way} that the tool has prepared is carried out by the windowed loaders."
    an_upgrade.__name__ = f"windowed {way}"  # what is chosen by
    return an_upgrade


for each in WAYS:
    test(carried_out(each))


if __name__ == "__main__":
    sys.exit(main())
