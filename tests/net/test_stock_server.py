#!/usr/bin/env python3
"""A firmware without molt is upgraded by the package while its program serves others over the network, as TAP.

The package comes by molt_get. The calls are made by the program itself, in a handler of its asyncio server, as a page with a
button would make them.
"""
import pathlib
import socket
import struct
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
sys.path.insert(0, str(ROOT / "tests/net"))
import board as boards  # noqa: E402
import packageserver  # noqa: E402
import tap  # noqa: E402
from tap import Skip, note, same, test, true  # noqa: E402

FIRMWARES = ("stock-A-net", "mpy-B-net")
# main.py of the board, under either firmware. A connection that begins with "echo" gets everything back; others are requests.
SERVER = boards.JOIN + """
import asyncio, gc, os
ticks = 0
calls = {
    b'get': lambda: __import__('molt_get').get('http://10.0.2.2:%d/mip/'),
    b'refused': lambda: prepare('main.py'),
    b'prepare': lambda: prepare('new.bin'),
    b'version': lambda: os.uname()[3],
    b'status': lambda: __import__('molt').status(),
    b'pending': lambda: __import__('molt').pending() is not None,
    b'ticks': lambda: ticks,
    b'reset': lambda: __import__('machine').reset(),
}
def prepare(name):
    import molt
    print('begin')
    try:
        return molt.fwupdate(name, reset=False, verbose=False)
    except OSError as e:
        return e.errno
async def client(r, w):
    try:
        line = await r.readline()
        while line and line.startswith(b'echo'):
            w.write(line)
            await w.drain()
            line = await r.readline()
        if line:
            name = line.split(b' ')[1][1:]
            while (await r.readline()).strip():
                pass
            said = str(calls[name]()).encode()
            w.write(b'HTTP/1.0 200 OK\\r\\n\\r\\n' + said)
            await w.drain()
    except OSError as e:
        print('client', e)
    w.close()
    await w.wait_closed()
async def main():
    global ticks
    await asyncio.start_server(client, '0.0.0.0', 80)
    print('serving')
    while True:
        await asyncio.sleep_ms(100)
        ticks += 1
asyncio.run(main())
"""


def ask(board, what, seconds=300):
    return urllib.request.urlopen(f"http://127.0.0.1:{board.port}/{what}", timeout=seconds).read().decode()


class Echo:
    """A connection that stays."""

    def __init__(self, board):
        self.socket = socket.create_connection(("127.0.0.1", board.port), timeout=300)
        self.stream = self.socket.makefile("rb")
        self.count = 0

    def send(self):
        self.count += 1
        self.socket.sendall(b"echo %d\n" % self.count)

    def hear(self, count):
        """All that was sent since the last time comes back, in order."""
        same([self.stream.readline() for _ in range(count)], [b"echo %d\n" % n for n in range(self.count - count + 1, self.count + 1)], "echo")

    def abort(self):
        """The other side gets a reset."""
        self.stream.close()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def while_it_prepares(board, echo, rude):
    """What others do meanwhile: one sends on its connection, one asks, one goes away. Returns how long it took, and the answer."""
    answers = []
    begun = board.said.count(b"begin")
    asking = [threading.Thread(target=lambda: answers.append(("prepare", ask(board, "prepare"))))]
    begin = time.monotonic()
    asking[0].start()
    board.wait_for("begin", seconds=60, count=begun + 1)
    for _ in range(3):
        echo.send()
    rude.abort()
    asking.append(threading.Thread(target=lambda: answers.append(("ticks", ask(board, "ticks")))))
    asking[1].start()
    for thread in asking:
        thread.join()
    echo.hear(3)
    same(sorted(name for name, _ in answers), ["prepare", "ticks"], "who was answered")
    return time.monotonic() - begin, dict(answers)


@test
def an_upgrade_of_a_board_that_serves():
    """An asyncio server gets molt's package, refuses an image, prepares an upgrade in a handler, keeps its connections, and is there again with the new firmware"""
    for name in FIRMWARES:
        if not (boards.BUILD / name / "firmware.bin").exists():
            raise Skip(f"there is no build/{name}: make demo-ceiling")
    server = packageserver.begun()
    image = (boards.BUILD / FIRMWARES[1] / "firmware.bin").read_bytes()
    flash = boards.make_flash("serves", [(boards.make_text("main.py", SERVER % server.server_port), "main.py"),
                                         (boards.BUILD / FIRMWARES[1] / "firmware.bin", "new.bin"),
                                         (boards.BUILD / "mip/molt_get.mpy", "molt_get.mpy")], firmware=FIRMWARES[0])
    board = boards.Board(flash)
    try:
        board.wait_for("serving", seconds=60)
        same(ask(board, "version")[:9], "v1.25.0-A", "the firmware")
        same(ask(board, "get"), "13", "files of the package that came")
        echo, rude = Echo(board), Echo(board)
        for client in (echo, rude):
            client.send()
            client.hear(1)
        same(ask(board, "refused"), "84", "a file that is no image")
        echo.send()
        echo.hear(1)
        same(ask(board, "pending"), "False", "pending")
        before = int(ask(board, "ticks"))
        seconds, answers = while_it_prepares(board, echo, rude)
        note(f"prepared in {seconds:.0f} s on this machine; the server's other answers come after that")
        same(answers["prepare"], "True", "prepared")
        # The server goes on between prepare and reset.
        same(ask(board, "pending"), "True", "pending")
        echo.send()
        echo.hear(1)
        time.sleep(1)
        true(int(ask(board, "ticks")) > before, "the other task goes on")
        echo.abort()
        try:
            ask(board, "reset", 10)
        except OSError:
            pass
        board.wait_for("serving", seconds=200, count=2)
        same(ask(board, "version")[:9], "v1.25.0-B", "the firmware, answered by the same program")
        true("'result': 'ok'" in ask(board, "status"), "status")
    finally:
        board.cut()
        server.shutdown()
    data = flash.read_bytes()
    true(data[4:len(image)] == image[4:], "the image is in flash byte for byte")


if __name__ == "__main__":
    sys.exit(tap.main(sys.argv[1:], jobs=1))
