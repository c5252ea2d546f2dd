"""What the tests of the virtual board are made of: images and flash files, a run of the board, and TAP.

A small program, monitor.c, runs on the board and obeys commands that come over the UART. VBOARD_BUILD says where the
board was built (build/vboard), VBOARD_CROSS and VBOARD_CC which compilers there are. PATIENCE, a factor, is for hosts that are
slow or busy: for all time limits.
"""
import functools
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "lib"))
import images  # noqa: E402
import tap  # noqa: E402
from tap import Failure, Skip, same, test, true  # noqa: E402, F401

BOARD = ROOT / "vboard"
BUILD = pathlib.Path(os.environ.get("VBOARD_BUILD", ROOT / "build" / "vboard"))
CROSS = os.environ.get("VBOARD_CROSS", "xtensa-lx106-elf-")
CC = os.environ.get("VBOARD_CC", "cc")
PATIENCE = float(os.environ.get("PATIENCE", 1))
SCRATCH = tempfile.TemporaryDirectory(prefix="vboard-")
WORK = pathlib.Path(SCRATCH.name)
THREAD = threading.local()

MEGABYTE = 1 << 20
SECTOR, BLOCK, PAGE = 4096, 65536, 256
IRAM, DRAM, WINDOW = 0x40100000, 0x3FFE8000, 0x40200000
FLASHCHIP = 0x3FFFC714     # a pointer, then the struct it points to
FLASH_CODE = 0x10000       # where monitor.ld has the code in mapped flash
FREE = 0x40000             # flash that no test program occupies
SIZE_NIBBLE = {MEGABYTE // 2: 0, MEGABYTE: 2, 4 * MEGABYTE: 4, 16 * MEGABYTE: 9}
BRICK, CRASH, CUT, REPORT, TIMEOUT, BROKEN, HANG = 70, 71, 72, 73, 74, 75, 76
QIO, QOUT, DIO, DOUT = range(4)    # an image's mode, byte 2 of its header
PIECE = 32                 # what a program or read command moves at most
TEARS = ("before", "after", "prefix", "start", "suffix", "random", "zero", "stray")
CACHE_ON = "cache 0 0 1"   # commands of the monitor
ERASE = f"erase {FREE // SECTOR:x}"
ENTRY_PATTERN = re.compile(r"^ROM_ENTRY\((0x[0-9a-f]+), (\w+)\)", re.M)
ENTRIES = {name: int(address, 16) for address, name in ENTRY_PATTERN.findall((BOARD / "esp8266/rom/entries.h").read_text())}

def scratch():
    """This test's own directory: tests run side by side."""
    return THREAD.directory


# ---- images and flash files

def image(segments, entry, size_nibble=4, magic=0xE9, checksum=None, mode=QIO):
    return images.esp8266(segments, entry, magic, mode, size_nibble << 4, checksum)


@functools.cache
def program(name):
    """A test program's segments, entry, and code in mapped flash."""
    elf = WORK / f"{name}.elf"
    symbols = [f"-Wl,--defsym={name}={address:#x}" for name, address in ENTRIES.items()]
    subprocess.run([CROSS + "gcc", "-std=c11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib",
                    "-mlongcalls", "-mtext-section-literals", "-T", HERE / "monitor.ld", *symbols, "-o", elf,
                    HERE / f"{name}.c"], check=True)

    def section(section_name):
        subprocess.run([CROSS + "objcopy", "-O", "binary", "-j", section_name, elf, WORK / "section"], check=True)
        return (WORK / "section").read_bytes()

    header = elf.read_bytes()[:28]
    entry = struct.unpack("<I", header[24:28])[0]
    return [(IRAM, section(".text")), (DRAM, section(".data"))], entry, section(".irom0.text")


def monitor():
    return program("monitor")


def flash_file(size=4 * MEGABYTE, boot=None, **header):
    """A new flash file with the monitor, or with the image given."""
    segments, entry, flash_code = monitor()
    data = boot if boot is not None else image(segments, entry, SIZE_NIBBLE.get(size, 4), **header)
    content = bytearray(b"\xff" * size)
    content[:len(data)] = data
    content[FLASH_CODE:FLASH_CODE + len(flash_code)] = flash_code
    path = scratch() / "flash.bin"
    path.write_bytes(content)
    status_path(path).unlink(missing_ok=True)
    return path


def flash_file_of(mode):
    """A new flash file whose image has this mode."""
    segments, entry, _ = monitor()
    return flash_file(boot=image(segments, entry, mode=mode))


def status_path(flash):
    return flash.with_name(flash.name + ".status")


ENVIRONMENT = {**os.environ, "VBOARD_BUILD": str(BUILD)}


class Run:
    """One run of the board: exit status, what it printed, the monitor's answers, counts, the log of operations."""

    def __init__(self, commands, *options, flash=None):
        self.flash = flash or flash_file()
        stats, log = scratch() / "stats.json", scratch() / "log"
        for path in (stats, log):
            path.unlink(missing_ok=True)
        done = subprocess.run(
            [BOARD / "run", self.flash, "--stats", stats, "--log", log, "--timeout", str(30 * PATIENCE),
             *map(str, options)],
            input="".join(c + "\n" for c in commands).encode(), capture_output=True, timeout=60 * PATIENCE, env=ENVIRONMENT)
        self.status = done.returncode
        self.output = done.stdout.decode(errors="replace")
        self.errors = done.stderr.decode(errors="replace")
        self.answers = re.findall(r"^> [^:]*: (.*)$", self.output, re.M)
        self.stats = json.loads(stats.read_text()) if stats.exists() else {}
        lines = log.read_text().splitlines() if log.exists() else []
        self.log = [line for line in lines if line[0] != "-"]
        self.status_writes = [line.split()[2:] for line in lines if line[0] == "-"]  # value, bytes, who

    def at(self, address, size):
        return self.flash.read_bytes()[address:address + size]

    def kept_status(self):
        """The chip's status register as it is kept while the power is off."""
        path = status_path(self.flash)
        return path.read_text().strip() if path.exists() else None

    def last(self):
        return self.answers[-1] if self.answers else None


# ---- the run

def in_folder(function):
    THREAD.directory = WORK / function.__name__
    THREAD.directory.mkdir()
    try:
        why = function()
    finally:
        for path in THREAD.directory.iterdir():
            path.unlink()
    if why:
        raise Skip(why)


def run_tests(wanted):
    """Run the tests with one of these words in their names, or all; the exit status."""
    program("monitor")
    program("repl")
    return tap.main(wanted, in_folder, os.cpu_count())
