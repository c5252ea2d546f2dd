"""What the end-to-end tests are made of: flash files, runs of the virtual board on them, and TAP.

Nothing here or in the tests knows how molt is built. The shipped firmware, with the shipped boot loader in it, runs
on the virtual board; what became of the flash is read from the flash file, and the files on it by the tool. BUILD
says where board, firmwares and tool are (build). Everything is done in BUILD/e2e/<name of the suite>: SUITE, or the
program's name. PATIENCE, a factor, is for hosts that are slow or busy: for all time limits.
"""
import ast
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "lib"))
import tap  # noqa: E402
from tap import Failure, Skip, hazard, note, same, test, true  # noqa: E402, F401

BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
SUITE = os.environ.get("SUITE") or pathlib.Path(sys.argv[0]).stem.removeprefix("test_")
WORK = BUILD / "e2e" / SUITE
CROSS = os.environ.get("LX106", "xtensa-lx106-elf-")
PATIENCE = float(os.environ.get("PATIENCE", 1))
ENVIRONMENT = {**os.environ, "VBOARD_BUILD": str(BUILD / "vboard"), "PYTHONDONTWRITEBYTECODE": "1"}

KB, MB = 1024, 1 << 20
SECTOR, BLOCK = 4 * KB, 64 * KB
SYSTEM_SIZE = 5 * SECTOR
SIZES = {"1M": MB, "2M": 2 * MB, "4M": 4 * MB}
CLEAN, BRICK, CRASH, CUT, REPORT, TIMEOUT = 0, 70, 71, 72, 73, 74
# Which engine upgrades: "c", that of a firmware with molt in it, or "stock", the package on a firmware without.
ENGINE = os.environ.get("ENGINE", "c")
# The Python engine takes longer, from a gzip file above all.
SLOWER = 10 if ENGINE == "stock" else 1
PIECE = 32  # what one program command of the mask ROM takes at most
# STOCK: which of these firmwares, for all but the small board.
IN_STOCK = {"mpy-A": os.environ.get("STOCK", "stock-A"), "mpy-A-1M": "stock-A-1M", "mpy2-A": "stock2-A"}
FS_START = MB           # where the firmwares for 2 MB and more have their filesystem
FS_START_1M = 0x99000   # and those for 1 MB
TICKET = threading.local()
LOCK = threading.Lock()
LISTED = re.compile(r"^ *(\d+) {2,}(?:[\d.]+ (?:bytes|KB|MB)  )? *(\S.*)$")


def same_bytes(got, expected, what, first=0):
    """Like same(), for too many bytes to print; `first` is the address of the first of them."""
    same(len(got), len(expected), f"{what}: size")
    if got != expected:
        sectors = [i for i in range(0, len(got), SECTOR) if got[i:i + SECTOR] != expected[i:i + SECTOR]]
        at = next(i for i in range(sectors[0], len(got)) if got[i] != expected[i])
        raise Failure(f"{what}: {len(sectors)} sectors differ, the first bytes at 0x{first + at:06x}: "
                      f"{got[at:at + 8].hex()} instead of {expected[at:at + 8].hex()}")


def scratch(name):
    """A path in the directory of the test that asks: tests run side by side."""
    directory = getattr(TICKET, "directory", WORK)
    directory.mkdir(parents=True, exist_ok=True)
    return directory / name


# ---- firmwares and files

@functools.cache
def firmware(name):
    path = BUILD / name / "firmware.bin"
    if not path.exists():
        raise Skip(f"there is no {name}/firmware.bin")
    return path.read_bytes()


@functools.cache
def version(name):
    """What a firmware calls itself: v1.25.0-B"""
    return re.search(rb"(v\d+\.\d+\.\d+(?:-preview)?-[AB]) on ", firmware(name))[1].decode()


def on_board(name):
    """The firmware that a fresh() board of that name has: with the engine "stock" one without molt."""
    return IN_STOCK.get(name, name) if ENGINE == "stock" else name


def of_c_engine(what):
    """In a test of what only a firmware with molt in it has: that is not tried with the other engine."""
    if ENGINE == "stock":
        raise Skip(f"only a firmware with molt in it has {what}")


def with_params(image, params):
    """The image with other header bytes 2 and 3 (flash mode, size and frequency)."""
    return image[:2] + params + image[4:]


def stored(image):
    """The image as it is in flash: the rest of its last sector is blank."""
    return image + b"\xff" * (-len(image) % SECTOR)


@functools.cache
def small_program(padding):
    """An image that is not MicroPython: a line on the UART, by mask-ROM functions. `padding` bytes of it are blind."""
    with LOCK:
        WORK.mkdir(parents=True, exist_ok=True)
        elf, image = WORK / f"hello{padding}.elf", WORK / f"hello{padding}.bin"
        subprocess.run([CROSS + "gcc", "-std=c11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib",
                        "-mlongcalls", "-mtext-section-literals", f"-DPADDING={padding}", "-T", HERE / "hello.ld", "-o", elf,
                        HERE / "hello.c"], check=True)
        subprocess.run([ROOT / "tools/elf2esp", elf, image], check=True)
        return image.read_bytes()


SMALL_PROGRAM_SAYS = "a small C program, not MicroPython"


def user_files():
    """What a user has on the device beside the image: big, small, empty, in directories."""
    noise = zlib.compress(firmware("mpy-A")[MB // 8:MB // 8 + 60000], 9)
    return {"main.txt": b"a few words\n", "empty": b"", "lib/one.py": b"x = 1\n" * 400,
            "data/log/2026.csv": noise[:30001], "data/blob": noise[:4096]}


def tool(*words, status=0):
    done = subprocess.run([BUILD / "molt", *map(str, words)], capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=60 * PATIENCE)
    if done.returncode != status:
        raise Failure(f"molt {' '.join(map(str, words))}: status {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode() + done.stderr.decode()


# ---- the board

class Run:
    """One run of the board: exit status, what it printed, flash operations as (kind, address, size), counts."""

    def __init__(self, status, out, err, log, stats):
        self.status, self.err = status, err
        self.out = out.decode(errors="replace").replace("\r\n", "\n")
        words = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        self.ops = [(w[1], int(w[2], 0), int(w[3])) for w in words if w[0] != "-"]
        # Writes of the chip's status register, which have no number: value, bytes, "boot" (the ROM's) or "program".
        self.status_writes = [(int(w[2], 0), int(w[3]), w[4]) for w in words if w[0] == "-"]
        self.stats = json.loads(stats.read_text()) if stats.exists() else {}

    def lines(self):
        """What was printed, progress that was overwritten left out."""
        shown = [line.rsplit("\r", 1)[-1] for line in self.out.replace("\r\n", "\n").split("\n")]
        return [line for line in shown if line.strip()]

    def value(self):
        """What the code printed last, as Python writes it."""
        return ast.literal_eval(self.lines()[-1])

    def runs(self, name):
        """Whether the last prompt is that of this firmware: as an image, or as a fresh() board has it."""
        return self.out.rpartition("MicroPython ")[2].startswith((version(name), version(on_board(name))))


def run_board(words, out, err):
    """vboard/run with these arguments and its output in these files; the exit status. Each thread has a server."""
    server = getattr(TICKET, "server", None)
    if server is None:
        command = [sys.executable, HERE / "boardserver.py", ROOT / "vboard/run"]
        server = TICKET.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    print(json.dumps([[str(w) for w in words], str(out), str(err)]), file=server.stdin, flush=True)
    return int(server.stdout.readline())


class Board:
    """A flash file, and runs on it. The plugin watches each run; what it reports is a failure."""

    count = 0

    def __init__(self, content, chip="winbond", status=0):
        """`status` is the chip's status register, as long as nobody writes it."""
        self.chip = chip
        with LOCK:
            Board.count += 1
            self.path = scratch(f"flash{Board.count}")
        self.path.write_bytes(content)
        self.status_path = self.path.with_name(self.path.name + ".status")
        self.status_path.write_text(f"{status:04x}\n")

    def status(self):
        return int(self.status_path.read_text(), 16)

    def flash(self, begin=0, end=None):
        return self.path.read_bytes()[begin:end]

    def change(self, addr, data):
        content = bytearray(self.path.read_bytes())
        content[addr:addr + len(data)] = data
        self.path.write_bytes(content)

    def remove(self):
        for path in self.path.parent.glob(self.path.name + "*"):
            if path.stem == self.path.name:
                path.unlink()

    def run(self, code=None, *options, cut=None, status=0, plugin=True, timeout=30, bites=False):
        """A cold start. `code` is executed at MicroPython's prompt; status None takes whatever comes. bites: the watchdog may."""
        log, stats, out, err = (self.path.with_suffix(s) for s in (".log", ".stats", ".out", ".err"))
        for path in (log, stats):
            path.unlink(missing_ok=True)
        # Time is made of instructions, so that the watchdog bites no board that only the host keeps waiting.
        words = [self.path, "--chip", self.chip, "--icount", "--log", log, "--stats", stats, "--timeout", timeout * PATIENCE * SLOWER, *options]
        if plugin:
            words.append("--plugin")
        if cut is not None:
            words += ["--cut", cut]
        if code is not None:
            script = self.path.with_suffix(".py")
            script.write_text(code)
            words += ["--script", script]
        exit_status = run_board(words, out, err)
        run = Run(exit_status, out.read_bytes(), err.read_text(errors="replace"), log, stats)
        if run.status == REPORT:
            raise Failure(f"the plugin reports: {run.err[-600:]}")
        if status is not None and run.status != status:
            raise Failure(f"status {run.status} instead of {status}: {run.err[-600:]} ... {run.out[-600:]!r}")
        if run.stats.get("watchdog_bites", 0) and not bites:
            raise Failure("the watchdog has bitten")
        return run

    def files(self):
        """Path and bytes of each file on the filesystem, as the tool reads them."""
        found = {}
        for line in tool("ls", self.path).splitlines():
            match = LISTED.match(line)
            if match:
                out = self.path.with_suffix(".get")
                tool("get", self.path, match[2], out)
                same(out.stat().st_size, int(match[1]), f"size of {match[2]}")
                found[match[2]] = out.read_bytes()
        return found

    def blocks(self, path):
        """Where a file's bytes are: (offset in the file, address, size)."""
        rows = re.findall(r"^ +\d+ +0x(\w+) +0x(\w+) +(\d+)$", tool("extents", self.path, path), re.M)
        return [(int(off, 16), int(addr, 16), int(size)) for off, addr, size in rows]


@functools.cache
def _fresh_content(name, size, fs_start, params, files):
    paths, sources = [], scratch("sources")
    sources.mkdir(exist_ok=True)
    for number, (path, data) in enumerate(files):
        source = sources / str(number)
        source.write_bytes(data)
        paths += ["--put", f"{source}:{path}"]
    if fs_start is not None:
        paths += ["--fs-start", hex(fs_start)]
    image = BUILD / name / "firmware.bin"
    tool("mkflash", scratch("made"), "--size", size, "--firmware", image, *paths)
    board = Board(scratch("made").read_bytes())
    if params is not None:
        board.change(2, params)
    board.run("pass")
    return board.flash()


def fresh(name="mpy-A", size="4M", files=None, fs_start=None, params=None):
    """A board with a firmware and files, that has been started once (the SDK has written its parameters). With the engine "stock"
    it is the firmware without molt, and the package is there too."""
    files = user_files() if files is None else files
    if on_board(name) != name:
        import stockrig

        files = {**stockrig.package(), **files}
    name = on_board(name)
    firmware(name)
    with LOCK_FRESH:
        content = _fresh_content(name, size, fs_start, params, tuple(files.items()))
    return Board(content)


LOCK_FRESH = threading.RLock()


# ---- the run

def in_folder(function):
    TICKET.directory = WORK / function.__name__
    function()
    shutil.rmtree(TICKET.directory, ignore_errors=True)


def main(jobs=2):
    """Run the tests, or those with a word of the command line in their names; the exit status."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    return tap.main(sys.argv[1:], in_folder, jobs)
