"""A board that is on, its serial port a pseudo-terminal, and MicroPython's own mpremote at it."""
import contextlib
import functools
import os
import pathlib
import pty
import subprocess
import threading
import time
import tty

from rig import BUILD, ROOT, Skip, true

PYTHON = "/usr/bin/python3"
MICROPY = pathlib.Path(os.environ.get("MICROPY_DIR") or BUILD / "micropython").resolve()
PIECE = 256


@functools.cache
def mpremote():
    """How it is called."""
    folder = MICROPY / "tools/mpremote"
    if subprocess.run([PYTHON, "-c", "import serial"], capture_output=True).returncode:
        raise Skip("mpremote needs pyserial: tools/deps packages installs python3-serial")
    return [PYTHON, str(folder / "mpremote.py")] if (folder / "mpremote.py").exists() else [PYTHON, "-m", "mpremote"], folder


class Port:
    """A board that is on, with its UART on a pseudo-terminal."""

    def __init__(self, board):
        self.out = bytearray()
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.name = os.ttyname(self.slave)
        self.run = subprocess.Popen([ROOT / "vboard/run", board.path, "--timeout", "300"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, bufsize=0, env={**os.environ, "VBOARD_BUILD": str(BUILD / "vboard")})
        threading.Thread(target=self.to_board, daemon=True).start()
        threading.Thread(target=self.from_board, daemon=True).start()

    def to_board(self):
        with contextlib.suppress(OSError, ValueError):
            while True:
                self.run.stdin.write(os.read(self.master, PIECE))

    def from_board(self):
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(self.run.stdout.fileno(), PIECE):
                self.out += data
                os.write(self.master, data)

    def mpremote(self, *words, timeout=120):
        command, folder = mpremote()
        done = subprocess.run([*command, "connect", self.name, *words], capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"})
        true(done.returncode == 0, f"mpremote {' '.join(words)}: {done.returncode}: {done.stderr[-400:]} {done.stdout[-400:]}")
        return done.stdout

    def wait_for(self, text, seconds=120):
        end = time.monotonic() + seconds
        while text.encode() not in self.out:
            true(time.monotonic() < end, f"the board says {text!r}: {bytes(self.out[-600:])!r}")
            time.sleep(0.1)

    def off(self):
        self.run.kill()
        self.run.wait()
        os.close(self.slave)
        os.close(self.master)


@contextlib.contextmanager
def switched_on(board):
    mpremote()
    port = Port(board)
    try:
        port.wait_for(">>> ")
        yield port
    finally:
        port.off()
