"""A device with the page, and a client of it that is not a browser."""
import hashlib
import hmac
import http.client
import json
import pathlib
import socket
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/net"))
from board import BOARD, BUILD, FIRMWARES, IS_ESP32, Board, copy_flash, make_flash, make_text, run_script  # noqa: E402

MODULES = [BUILD / "web" / f"{name}.mpy" for name in ("molt_intake", "molt_http", "molt_clients", "molt_plain", "molt_web")]
PASSWORD = "correct horse"
KEY = hashlib.sha256(b"molt:molt:" + PASSWORD.encode()).digest()


def image_path(name=FIRMWARES["B"]):
    return BUILD / name / "firmware.bin"


def image(name=FIRMWARES["B"]):
    return image_path(name).read_bytes()


def make_device(name, main=None, files=(), **more):
    """A chip with firmware A, molt_web frozen, page and password; main.py is the project's own, or a text."""
    main = make_text(name + ".main.py", main) if main else ROOT / "micropython/web/main.py"
    key = make_text(name + ".key", KEY.hex())
    return make_flash(name, [(main, "main.py"), (key, "molt_web.key"), (BUILD / "web/molt_web.html.gz", "molt_web.html.gz"), *files],
                      MODULES, **more)


def start(flash, *options, **more):
    """A board that serves."""
    board = Board(flash, *options, **more)
    try:
        board.wait_for("is served")
    except BaseException:
        board.cut()
        raise
    return board


def request_text(method, uri, headers=(), body=b""):
    head = f"{method} {uri} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in dict(headers).items())
    return head.encode() + b"\r\n" + body


def main_with_heap(size):
    """A main.py that serves the page and holds all of the heap but so many bytes: it says how many, behind "free:"."""
    return (ROOT / "micropython/web/main.py").read_text().replace("molt_web.run()", f"""
import asyncio, gc
async def fill():
    server = asyncio.create_task(molt_web.serve())
    await asyncio.sleep_ms(200)
    gc.collect()
    hold = []
    n = 4096
    while n >= 64:
        while gc.mem_free() > {size} + n:
            try: hold.append(bytearray(n))
            except MemoryError: break
        n //= 2
    gc.collect()
    print('free:', gc.mem_free())
    await server
asyncio.run(fill())
""")


class Client:
    """Asks a device, with the page's kind of proof."""

    def __init__(self, port, key=KEY):
        self.port = port
        self.key = key
        self.nonce = None
        self.count = 0

    def proof(self, method, uri, count=None):
        if count is None:
            self.count += 1
            count = self.count
        text = f"{method} {uri} {self.nonce} {count:08x}".encode()
        return f"Molt {self.nonce}:{count:08x}:{hmac.new(self.key, text, hashlib.sha256).hexdigest()}"

    def digest(self, method, uri, count=None):
        """RFC 7616, as a browser does it by itself."""
        if count is None:
            self.count += 1
            count = self.count
        a2 = hashlib.sha256(f"{method}:{uri}".encode()).hexdigest()
        response = hashlib.sha256(f"{self.key.hex()}:{self.nonce}:{count:08x}:abc:auth:{a2}".encode()).hexdigest()
        return (f'Digest username="molt", realm="molt", nonce="{self.nonce}", uri="{uri}", algorithm=SHA-256, qop=auth, nc={count:08x}, '
                f'cnonce="abc", response="{response}"')

    def once(self, method, uri, body=None, headers=(), timeout=60):
        """Status, headers and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, uri, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def get_nonce(self):
        answer = self.once("GET", "/info")
        while answer[0] == 503:  # too many at a time: whoever asks for how long it takes counts this
            time.sleep(0.1)
            answer = self.once("GET", "/info")
        self.nonce = json.loads(answer[2])["nonce"]
        self.count = 0

    def ask(self, method, uri, body=None, headers=()):
        """Status and what the JSON says."""
        for _ in range(3):
            if self.nonce is None:
                self.get_nonce()
            status, _, text = self.once(method, uri, body, {**dict(headers), "Authorization": self.proof(method, uri)})
            answer = json.loads(text)
            if status != 401 or not answer["stale"]:
                break
            self.nonce = None
        return status, answer

    def raw(self, data, seconds=25, wait=True):
        """Send bytes as they are; everything that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as s:
            s.sendall(data)
            if wait:
                s.shutdown(socket.SHUT_WR)
            got = b""
            try:
                while wait and (piece := s.recv(4096)):
                    got += piece
            except ConnectionResetError:
                pass
            return got

    def signed(self, method, uri, headers=(), body=b"", host="127.0.0.1"):
        """The bytes of a request with a proof."""
        if self.nonce is None:
            self.get_nonce()
        return request_text(method, uri, {"Host": host, "Authorization": self.proof(method, uri), **dict(headers)}, body)


def upload_uri(data, offset=0):
    return f"/upload?sha256={hashlib.sha256(data).hexdigest()}&size={len(data)}&offset={offset}"
