"""A virtual board with a network that goes on running while a test talks to it.

BOARD=esp32c3 in the environment: that is the virtual ESP32-C3, else the ESP8266.
"""
import functools
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
SCRATCH = tempfile.TemporaryDirectory(prefix="molt-net-")
WORK = pathlib.Path(SCRATCH.name)
ENVIRONMENT = {**os.environ, "VBOARD_BUILD": str(BUILD / "vboard"), "PYTHONDONTWRITEBYTECODE": "1"}

BOARD = os.environ.get("BOARD", "esp8266")
IS_ESP32 = BOARD != "esp8266"
FIRMWARES = {letter: f"c3-{letter}-net" if IS_ESP32 else f"mpy-{letter}-net" for letter in "AB"}
TABLE = 0x8000  # of an ESP32
SLOTS = "partitions-ota.csv"
LOCK = threading.Lock()

# Joins the network; what a test's code begins with.
JOIN = """
import network, socket, time
sta = network.WLAN(network.WLAN.IF_STA)
sta.active(True)
sta.connect('vboard', 'password')
def until(condition, ms=5000):
    end = time.ticks_add(time.ticks_ms(), ms)
    while not condition():
        if time.ticks_diff(end, time.ticks_ms()) < 0:
            raise OSError(110)
        time.sleep_ms(10)
until(sta.isconnected)
"""


class BoardError(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tool(*words):
    subprocess.run([BUILD / "molt", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


@functools.cache
def started(firmware, modules, table):
    """A chip of 4 MB with this firmware for an ESP32, this partition table, and the filesystem that its first start makes: with OTA slots no
    more; else with molt's loader, and with frozen modules in a partition for them."""
    sys.path.insert(0, str(ROOT / "micropython/vport-esp32c3"))
    import mkflash

    content = bytearray((BUILD / firmware / "flash.bin").read_bytes())
    rows = mkflash.table_of(mkflash.rows_of(ROOT / "micropython/vport-esp32c3" / table))
    content[TABLE:TABLE + len(rows)] = rows
    path = WORK / f"{firmware}.{table}.started"
    path.write_bytes(content)
    run(path, "import os; os.remove('boot.py')")
    if table == SLOTS:
        return path.read_bytes()
    for module in modules:
        tool("put", path, module)
    names = [module.stem for module in modules]
    run(path, f"import molt, os\nmolt.install()\nfor name in {names}:\n molt.frozen.add(name + '.mpy', name)\n os.remove(name + '.mpy')")
    return path.read_bytes()


def run(flash, code):
    subprocess.run([ROOT / "vboard/run", flash, "--exec", code], check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)


def make_flash(name, files=(), modules=(), firmware=FIRMWARES["A"], table="partitions-frozen.csv"):
    """A chip of 4 MB with a firmware, files (host's path, device's name) and frozen modules, which are files where the table of an ESP32 is
    SLOTS. Its path."""
    path = WORK / name
    if IS_ESP32:
        with LOCK:
            content = started(firmware, tuple(modules), table)
        path.write_bytes(content)
        files = [*files, *((module, module.name) for module in modules if table == SLOTS)]
        for source, target in files:
            tool("put", path, f"{source}:{target}")
        return path
    puts = [word for source, target in files for word in ("--put", f"{source}:{target}")]
    tool("mkflash", path, "--size", "4M", "--firmware", BUILD / firmware / "firmware.bin", *puts)
    for module in modules:
        tool("frozen", "add", path, module)
    return path


def make_text(name, text):
    path = WORK / name
    path.write_text(text)
    return path


class Board:
    """One run of a flash file. port: where the device's port 80 is on this machine."""

    def __init__(self, flash, *options, script=None, port=None):
        self.flash = flash
        self.port = port or free_port()
        self.fifo = WORK / f"{flash.name}.air"
        words = [ROOT / "vboard/run", flash, "--forward", f"{self.port}:80", "--net-control", self.fifo, *map(str, options)]
        if script is not None:
            words += ["--script", script, "--timeout", "60"]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT)
        self.said = b""
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            with self.changed:
                self.said += data
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def text(self):
        return self.said.decode(errors="replace").replace("\r", "")

    def wait_for(self, mark, seconds=20, count=1):
        """Wait until the board has said something so often."""
        end = time.monotonic() + seconds
        with self.changed:
            while self.said.count(mark.encode()) < count:
                left = end - time.monotonic()
                if left <= 0 or not self.reader.is_alive():
                    raise BoardError(f"the board has not said {mark!r}, but: {self.text()[-1500:]}")
                self.changed.wait(min(left, 0.5))

    def air(self, line):
        """Change what is in the air."""
        with open(self.fifo, "w") as f:
            f.write(line + "\n")

    def finish(self):
        """Wait for the end of a script; the lines that it printed."""
        status = self.process.wait(90)
        self.reader.join()
        if status != 0:
            raise BoardError(f"status {status}: {self.text()[-1500:]}")
        return self.text().removesuffix(">").splitlines()

    def cut(self):
        """The power goes: nothing of what runs has a say in it."""
        self.process.terminate()  # and vboard/run kills the board
        self.process.wait()
        self.process.stdin.close()

    close = cut


def run_script(flash, code, *options):
    """The lines that a script prints on a board of its own."""
    board = Board(flash, *options, script=make_text(f"{flash.name}.py", JOIN + code))
    try:
        return board.finish()
    finally:
        board.cut()


def copy_flash(source, name):
    return pathlib.Path(shutil.copy(source, WORK / name))
