"""A device that asks, and the server that it asks: with its faults."""
import hashlib
import http.server
import json
import pathlib
import re
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/net"))
from board import BUILD, FIRMWARES, IS_ESP32, WORK, Board, BoardError, free_port, make_flash, make_text, run_script  # noqa: E402,F401

MODULES = [BUILD / "pull" / f"{name}.mpy" for name in ("molt_intake", "molt_fetch", "molt_pull", "molt_mqtt")]

# main.py of a device: it joins, asks, and prints what status() says whenever it says something new.
JOIN = """
import asyncio, gc, json, network, uos
import molt, molt_pull
def tell():
    now = molt_pull.status()
    if (now['percent'] or 0) % 10 == 0:
        print('status', json.dumps(now))
def join():
    sta = network.WLAN(network.WLAN.IF_STA)
    sta.active(True)
    sta.connect('vboard', 'password')
print('up', uos.uname().version, json.dumps(molt.status()))
"""
ASK = "join()\nasyncio.run(molt_pull.serve('{url}', changed=tell, {options}))\n"
RESIDENT = "if not (molt.status() or {}).get('resident'): molt.install(verbose=False)\n"


def image(name=FIRMWARES["B"]):
    return (BUILD / name / "firmware.bin").read_bytes()


def compress(data):
    """A gzip file for a device."""
    source, target = make_text("packed.bin", ""), make_text("packed.bin.gz", "")
    source.write_bytes(data)
    subprocess.run([BUILD / "molt", "compress", source, target], check=True, stdout=subprocess.DEVNULL)
    return target.read_bytes()


def part_of(path, data, **changes):
    """A part of a manifest."""
    return {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **changes}


class Handler(http.server.BaseHTTPRequestHandler):
    """GET with ranges. server.cuts: after how many bytes the next answers break off; server.ranges: whether it can do them;
    server.silence: after how many bytes of a range, once, nothing more is said; server.lengths: whether it says how long things are."""

    def do_GET(self):
        server = self.server
        data = server.files.get(self.path.split("?")[0])
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if server.ranges else None
        offset = int(wanted[1]) if wanted else 0
        server.asked.append((self.path, int(wanted[1]) if wanted else None))
        if data is None:
            return self.send_error(404)
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {offset}-{len(data) - 1}/{len(data)}")
        if server.lengths:
            self.send_header("Content-Length", str(len(data) - offset))
        self.end_headers()
        rest = data[offset:]
        if len(rest) > 10000 and server.cuts:
            rest = rest[:server.cuts.pop(0)]
        silence = server.silence if offset else None
        try:
            self.wfile.write(rest[:silence])
            if silence:
                server.silence = None
                time.sleep(20)
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Server:
    """A server of files, a manifest among them."""

    def __init__(self, port=0):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.http.files, self.http.asked, self.http.cuts, self.http.ranges, self.http.silence = {}, [], [], True, None
        self.http.lengths = True
        self.port = self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def url(self, path="/lamp/manifest.json"):
        return f"http://10.0.2.2:{self.port}{path}"

    def offer(self, version, data, **changes):
        """The manifest of one build; changes: of its part, or family."""
        family = changes.pop("family", "ESP32-C3" if IS_ESP32 else "ESP8266")
        part = {"offset": 0, **part_of("firmware.bin", data), **changes}
        self.http.files["/lamp/firmware.bin"] = data
        manifest = {"name": "lamp", "version": version, "builds": [{"chipFamily": family, "parts": [part]}]}
        self.http.files["/lamp/manifest.json"] = json.dumps(manifest).encode()

    def offsets(self):
        """From which bytes on the firmware was asked for."""
        return [offset for path, offset in list(self.http.asked) if path.endswith("firmware.bin")]

    def rounds(self):
        """How often the manifest was asked for."""
        return sum(path.endswith("manifest.json") for path, _ in list(self.http.asked))

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Device:
    """A board whose main.py asks a server."""

    def __init__(self, name, server, options="interval=1", before="", main=ASK, files=(), board=()):
        main = JOIN + before + main.replace("{url}", server.url()).replace("{options}", options)
        self.flash = make_flash(name, [(make_text(name + ".main.py", main), "main.py"), *files], MODULES)
        self.options = board

    def start(self):
        self.board = Board(self.flash, *self.options)
        self.seen = 0

    def __enter__(self):
        self.start()
        return self

    def restart(self):
        """The power goes, and comes back."""
        self.board.cut()
        self.start()

    def files(self):
        """What lies in the root of its filesystem. (The board goes on: what it is writing is not there yet.)"""
        text = subprocess.run([BUILD / "molt", "ls", self.flash], check=True, capture_output=True, text=True).stdout
        listed, _, _ = text.partition("\n\n")
        return {line.split()[-1] for line in listed.splitlines()} - {"molt.head"}

    def __exit__(self, *_):
        self.board.cut()

    def wait_for(self, mark, seconds=200, count=1):
        self.board.wait_for(mark, seconds, count)

    def statuses(self):
        return [json.loads(line[7:]) for line in self.board.text().splitlines() if line.startswith("status {") and line.endswith("}")]

    def wait_until(self, what, condition, seconds=200):
        """Wait for a status that is as wanted, behind the one that was waited for before; it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            statuses = self.statuses()
            while self.seen < len(statuses):
                self.seen += 1
                if condition(statuses[self.seen - 1]):
                    return statuses[self.seen - 1]
            time.sleep(0.05)
        raise BoardError(f"{what}: {self.board.text()[-1500:]}")
