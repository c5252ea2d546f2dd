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
import sys
import threading
import time

from portrig import switched_on
from rig import BUILD, SMALL_PROGRAM_SAYS, Skip, fresh, main, note, same, scratch, small_program, test, true


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
