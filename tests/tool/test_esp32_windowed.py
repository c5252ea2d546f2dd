#!/usr/bin/env python3
"""The standby loader of the Xtensa chips, compiled for register windows as it is for them, on a core of QEMU's that has those, as TAP:
rig.py has how to run it. LX106 is the compiler's prefix.

What it cannot say: whether ROM addresses and registers are the chips'. Its board is tests/loader/windowed."""

import os
import shutil
import struct
import subprocess
import sys

from rig import ROOT, check, good, main, test
from tap import Skip
from esp32 import APP, ESP32, Board, told

BOARD = ROOT / "tests/loader/windowed"
LX106 = os.environ.get("LX106", "xtensa-lx106-elf-")
QEMU = "qemu-system-xtensa"
CORE = ["src/base/crc32.c", "src/base/sha1.c"]


CHIPS = ("esp32s2", "esp32s3", "esp32")


def make_says():
    """{variable of the Makefile: its words}"""
    names = ["ESP32_ARCH_xtensa", *(chip + part for chip in CHIPS for part in ("_SRC", "_CC"))]
    done = subprocess.run(["make", "-s", "-C", ROOT, "LX106=" + LX106, "show",
                           "--eval=show: ; @:%s" % "".join("$(info %s $(%s))" % (name, name) for name in names)], check=True,
                          capture_output=True, text=True)
    return {name: words for name, *words in map(str.split, done.stdout.splitlines()) if name in names}


def program(folder, chip, words_of):
    """The board with a chip's loader, as an ELF file whose calls are those of the windowed ABI."""
    sources = [word for word in words_of[chip + "_SRC"] if "digests" not in word and not word.endswith("spi1_flash.c")]
    unit = folder / "unit.c"
    # The model includes the driver of SPI1.
    unit.write_text("".join('#include "%s"\n' % (ROOT / name) for name in ["tests/loader/windowed/board.c", *CORE, *sources]))
    compiler, *flags = words_of[chip + "_CC"]
    for words in ([compiler, "-I", BOARD, "-I", "tests/unit", '-DBOARD_CHIP="%s/chip.h"' % chip, *flags, "-c", unit, "-o", folder / "unit.o"],
                  [compiler, *words_of["ESP32_ARCH_xtensa"], "-I", "ports/esp32/xtensa", "-c", BOARD / "start.S", "-o", folder / "start.o"],
                  [compiler, "-nostdlib", "-T", BOARD / "board.ld", folder / "start.o", folder / "unit.o", "-o", folder / "board.elf"],
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


@test
def an_upgrade_that_the_tool_has_prepared_is_carried_out_by_the_windowed_loader(folder):
    if not shutil.which(QEMU) or not shutil.which(LX106 + "gcc"):
        raise Skip("no %s, or no compiler" % QEMU)
    board = Board(folder, of=ESP32).install()
    last = told("plan", board.path, "new.bin")["operations"]["prepare"] - 1
    good("upgrade", board.path, "new.bin", "-q", "--cut", f"{last}:after")
    check(board.now()[APP:APP + len(board.new)] != board.new, "prepared, and no more")
    # What is in a flash does not depend on the chip that the loader is compiled for.
    words_of = make_says()
    for chip in CHIPS:
        elf = program(folder, chip, words_of)
        status, text = run(folder, elf, board.path, board.new)
        check(status == 0 and "molt: upgrading" in text and "done" in text, chip, status, text[-2000:])
    # One that ends otherwise is noticed.
    status, text = run(folder, elf, board.path, board.new[:-1] + b"?")
    check(status == 3, status, text[-2000:])


if __name__ == "__main__":
    sys.exit(main())
