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


def make_says(variable):
    done = subprocess.run(["make", "-s", "-C", ROOT, "--eval=show: ; @echo $(%s)" % variable, "LX106=" + LX106, "show"], check=True,
                          capture_output=True, text=True)
    return done.stdout.split()


def program(folder):
    """The board with its loader, as an ELF file whose calls are those of the windowed ABI."""
    sources = [word for word in make_says("esp32_SRC") if "digests" not in word and not word.endswith("spi1_flash.c")]
    unit = folder / "unit.c"
    # The model includes the driver of SPI1.
    unit.write_text("".join('#include "%s"\n' % (ROOT / name) for name in ["tests/loader/windowed/board.c", *CORE, *sources]))
    compiler, *flags = make_says("esp32_CC")
    for words in ([compiler, "-I", BOARD, "-I", "tests/unit", *flags, "-c", unit, "-o", folder / "unit.o"],
                  [compiler, *make_says("ESP32_ARCH_xtensa"), "-I", "ports/esp32/xtensa", "-c", BOARD / "start.S", "-o", folder / "start.o"],
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
    elf = program(folder)
    status, text = run(folder, elf, board.path, board.new)
    check(status == 0 and "molt: upgrading" in text and "done" in text, status, text[-2000:])
    # One that ends otherwise is noticed.
    status, text = run(folder, elf, board.path, board.new[:-1] + b"?")
    check(status == 3, status, text[-2000:])


if __name__ == "__main__":
    sys.exit(main())
