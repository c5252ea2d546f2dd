"""What the tests of the virtual ESP32-C3 are made of: images, tables and flash files, and a run of the board.

A small program, monitor.c, runs on the board and obeys commands that come over the UART. VBOARD_BUILD says where the board was
built, VBOARD_RISCV which compiler there is. PATIENCE, a factor, is for hosts that are slow or busy.
"""
import functools
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import images  # noqa: E402
import tap  # noqa: E402
from tap import Failure, Skip, same, test, true  # noqa: E402, F401

BOARD = ROOT / "vboard"
BUILD = pathlib.Path(os.environ.get("VBOARD_BUILD", ROOT / "build/vboard"))
CROSS = os.environ.get("VBOARD_RISCV", "riscv64-unknown-elf-")
PATIENCE = float(os.environ.get("PATIENCE", 1))
SCRATCH = tempfile.TemporaryDirectory(prefix="vboard-c3-")
WORK = pathlib.Path(SCRATCH.name)
THREAD = threading.local()
BUILDING = threading.Lock()  # tests run side by side, and want the same programs

MEGABYTE = 1 << 20
SECTOR, BLOCK, PAGE, PIECE = 4096, 65536, 256, 32
DRAM, IRAM, WINDOW_I, WINDOW_D = 0x3FC80000, 0x40380000, 0x42000000, 0x3C000000
TABLE, FACTORY, FREE = 0x8000, 0x10000, 0x300000
BRICK, CRASH, CUT, TIMEOUT, BROKEN, HANG = 70, 71, 72, 74, 75, 76
TEARS = ("before", "after", "prefix", "start", "suffix", "random", "zero", "stray")
APP, DATA = 0, 1
OTA_0, TEST = 0x10, 0x20
ERASE = f"erase {FREE // SECTOR:x}"
ENTRY_PATTERN = re.compile(r"^ROM_(?:ENTRY|QUIET)\((0x[0-9a-f]+), (\w+)\)", re.M)
ENTRIES = {name: int(address, 16) for address, name in ENTRY_PATTERN.findall((BOARD / "esp32c3/rom_entries.h").read_text())}
DIALECTS = ("4.3", "5.5")


def scratch():
    """This test's own directory: tests run side by side."""
    return THREAD.directory


# ---- images and flash files

def program(name, source="monitor"):
    """The sections of a test program that calls itself so: mapped code, code, data; and its entry."""
    with BUILDING:
        return build(name, source)


@functools.cache
def build(name, source):
    elf = WORK / f"{source}-{name}.elf"
    symbols = [f"-Wl,--defsym={symbol}={address:#x}" for symbol, address in ENTRIES.items()]
    subprocess.run([CROSS + "gcc", "-march=rv32imc_zicsr", "-mabi=ilp32", "-std=c11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib",
                    f'-DNAME="{name}"', "-Wl,--defsym=IROM_OFF=0x108", "-T", HERE / "monitor.ld", *symbols, "-o", elf, HERE / f"{source}.c"],
                   check=True)

    def section(section_name):
        out = WORK / f"{source}-{name}{section_name}"
        subprocess.run([CROSS + "objcopy", "-O", "binary", "-j", section_name, elf, out], check=True)
        return out.read_bytes()

    return section(".irom"), section(".text"), section(".data"), int.from_bytes(elf.read_bytes()[24:28], "little")


def segments(name="factory", place=FACTORY, description=None):
    """As IDF has them: the description, mapped as data; mapped code; RAM."""
    mapped, code, data, _ = program(name)
    low = place % BLOCK
    first = images.esp_description() if description is None else description
    return [(WINDOW_D + low + 0x20, first), (WINDOW_I + low + 0x28 + len(first), mapped), (IRAM, code), (0x3FC90000, data)]


def app(name="factory", place=FACTORY, **header):
    return images.esp_image(segments(name, place), IRAM, **header)


def table(*more, behind=b"", factory=True):
    rows = [images.esp_row(DATA, 2, 0x9000, 0x6000, "nvs"), images.esp_row(DATA, 1, 0xF000, 0x1000, "phy_init")]
    if factory:
        rows.append(images.esp_row(APP, 0, FACTORY, 0xF0000, "factory"))
    return images.esp_table([*rows, *more], behind)


def loader(dialect, megabytes):
    with BUILDING:
        return make_loader(dialect, megabytes)


@functools.cache
def make_loader(dialect, megabytes):
    path = WORK / f"loader-{dialect}-{megabytes}"
    subprocess.run([BOARD / "esp32c3/mkloader", dialect, str(megabytes), path], check=True)
    return path.read_bytes()


def flash_file(contents=None, rows=None, size=4 * MEGABYTE, dialect="5.5", boot=None):
    """A new flash file: boot loader, table, and images by their address (default: the monitor as factory)."""
    content = bytearray(b"\xff" * size)
    parts = {0: loader(dialect, size // MEGABYTE) if boot is None else boot, TABLE: rows if rows is not None else table(),
             **(contents if contents is not None else {FACTORY: app()})}
    for address, data in parts.items():
        content[address:address + len(data)] = data
    path = scratch() / "flash.bin"
    path.write_bytes(content)
    path.with_name("flash.bin.status").unlink(missing_ok=True)
    return path


ENVIRONMENT = {**os.environ, "VBOARD_BUILD": str(BUILD)}
ENVIRONMENT.pop("BOOTLOADER", None)
# Options that vboard/run hands on as they are.
HANDED_ON = ("cut", "stuck", "efuse")


def command(flash, options):
    """What runs the board: vboard/run or, where it would add nothing, the board itself, which is there sooner."""
    words = [f"flash={flash}", "status=0", f"status_file={flash}.status", "icount=1" if "--icount" in options else f"seed={random.getrandbits(32)}"]
    rest = iter(o for o in options if o != "--icount")
    for option in rest:
        name, _, value = option[2:].partition("=")
        if name not in HANDED_ON:
            return [BOARD / "run", flash, "--timeout", str(30 * PATIENCE), *options]
        words.append(f"{name}={value if '=' in option else next(rest)}")
    return [BUILD / "esp32c3", *words]


class Run:
    """One run of the board: exit status, what it printed, the monitor's answers, counts, the log of operations."""

    def __init__(self, commands, *options, flash=None):
        self.flash = flash or flash_file()
        stats, log = scratch() / "stats.json", scratch() / "log"
        for path in (stats, log):
            path.unlink(missing_ok=True)
        whole = command(self.flash, [str(o) for o in options])
        whole += ["--stats", stats, "--log", log] if whole[0].name == "run" else [f"stats={stats}", f"log={log}"]
        done = subprocess.run(whole, input="".join(c + "\n" for c in commands).encode(), capture_output=True, timeout=60 * PATIENCE, env=ENVIRONMENT)
        self.status = done.returncode
        self.output = done.stdout.decode(errors="replace")
        self.errors = done.stderr.decode(errors="replace")
        self.answers = re.findall(r"^> [^:]*: (.*)$", self.output, re.M)
        self.stats = json.loads(stats.read_text()) if stats.exists() else {}
        lines = log.read_text().splitlines() if log.exists() else []
        self.log = [line for line in lines if line[0] != "-"]

    def at(self, address, size):
        return self.flash.read_bytes()[address:address + size]

    def last(self):
        return self.answers[-1] if self.answers else None

    def started(self):
        """The names of the programs that were started, in order."""
        return re.findall(r"^monitor (\w+)", self.output, re.M)


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
    program("factory")
    return tap.main(wanted, in_folder, os.cpu_count())
