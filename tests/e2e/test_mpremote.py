#!/usr/bin/env python3
"""The commands of docs/getting-started.md as a user types them: MicroPython's own mpremote on the virtual ESP8266's serial
port, as TAP.

    tests/e2e/test_mpremote.py [WORD...]     only the tests with a WORD in their names

The serial port is a pseudo-terminal. mpremote is the one in the MicroPython sources; it needs pyserial, which Debian's python3 has
when tools/deps has installed python3-serial.
"""
import contextlib
import functools
import http.server
import os
import pathlib
import pty
import subprocess
import sys
import threading
import time
import tty

from rig import BUILD, ROOT, SMALL_PROGRAM_SAYS, Skip, fresh, main, note, same, scratch, small_program, test, true

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


@test
def copied_looked_at_and_upgraded():
    """mpremote cp brings the image, mpremote exec looks at it, mpremote exec --no-follow upgrades"""
    image = scratch("new.bin")
    image.write_bytes(small_program(9000))
    with switched_on(fresh("mpy-A")) as port:
        port.mpremote("cp", str(image), ":new.bin")
        says = port.mpremote("exec", "import molt; print(molt.check('new.bin')); print(molt.plan('new.bin'))")
        true("'size': %d" % image.stat().st_size in says and "'refused': False" in says, says)
        begin = time.monotonic()
        port.mpremote("exec", "--no-follow", "import molt; molt.fwupdate('new.bin')")
        port.wait_for(SMALL_PROGRAM_SAYS)
        note(f"{time.monotonic() - begin:.0f} s from the command to the new firmware")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served(folder):
    """The address of a server that hands out the files of a folder."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@test
def installed_with_mip_over_the_cable():
    """mpremote mip install takes a package.json with the image, from a server on the computer"""
    folder = scratch("mip")
    folder.mkdir(exist_ok=True)
    (folder / "firmware.bin").write_bytes(small_program(9000))
    with served(folder) as url:
        (folder / "package.json").write_text('{"urls": [["new.bin.part", "%s/firmware.bin"]], "version": "1"}\n' % url)
        with switched_on(fresh("mpy-A")) as port:
            port.mpremote("mip", "install", "--target", "/", f"{url}/package.json")
            says = port.mpremote("exec", "import os, molt; os.rename('new.bin.part', 'new.bin'); print(molt.check('new.bin')['size'])")
            same(says.strip(), str((folder / "firmware.bin").stat().st_size), "bytes of the image on the board")


@test
def the_package_for_stock_firmwares():
    """mpremote mip install brings molt's package to a firmware without molt, from a server and from a folder, and that upgrades"""
    image = scratch("new.bin")
    image.write_bytes(small_program(9000))
    folder = BUILD / "mip"
    if not (folder / "package.json").exists():
        raise Skip("there is no build/mip: make mip")
    with served(folder) as url:
        for source in (f"{url}/package.json", str(folder / "package.json")):
            with switched_on(fresh("stock-A")) as port:
                port.mpremote("mip", "install", source)
                port.mpremote("cp", str(image), ":new.bin")
                port.mpremote("exec", "--no-follow", "import molt; molt.fwupdate('new.bin')")
                port.wait_for(SMALL_PROGRAM_SAYS)


if __name__ == "__main__":
    sys.exit(main())
