#!/usr/bin/env python3
"""The network of the virtual ESP8266, as TAP: MicroPython's own sockets over lwIP, an access point, libslirp behind it.

They need `make vboard firmwares`; firmwares and board are found in BUILD (build).
"""
import concurrent.futures
import hashlib
import http.server
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
sys.path.insert(0, str(ROOT / "tests/net"))
import board as boards  # noqa: E402
import tap  # noqa: E402
import packageserver  # noqa: E402
import webrepl  # noqa: E402
from board import Board, make_flash, make_text, run_script  # noqa: E402
from tap import Skip, note, same, test, true  # noqa: E402

BLOB = hashlib.sha256(b"net").digest() * 4096  # 128 KB
ECHO = """
import asyncio
async def client(r, w):
    n = 0
    head = b''
    while b'\\r\\n\\r\\n' not in head:
        piece = await r.read(256)
        if not piece:
            break
        head += piece
    w.write(b'HTTP/1.0 200 OK\\r\\n\\r\\n' + head.split(b' ')[1] * 100)
    await w.drain()
    w.close()
    await w.wait_closed()
async def main():
    await asyncio.start_server(client, '0.0.0.0', 80)
    print('serving')
    while True:
        await asyncio.sleep(1)
        print('connected', sta.isconnected())
asyncio.run(main())
"""


# What webrepl.py of micropython-lib does for one client. (It is not in MicroPython's source package.)
WEBREPL = """
import os, websocket, _webrepl, binascii, hashlib
_webrepl.password('secret12')
listener = socket.socket()
listener.bind(('0.0.0.0', 80))
listener.listen(1)
print('listening')
s, _ = listener.accept()
key = b''
while True:
    line = s.readline()
    if line.lower().startswith(b'sec-websocket-key:'):
        key = line[18:].strip()
    if line == b'\\r\\n':
        break
# hashlib has no SHA-1 without TLS, and WebREPL's clients do not look at the answer.
s.write(b'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key + b'\\r\\n\\r\\n')
ws = _webrepl._webrepl(websocket.websocket(s, True))
s.setblocking(False)
s.setsockopt(socket.SOL_SOCKET, 20, os.dupterm_notify)
os.dupterm(ws)
"""


class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.blob)))
        self.end_headers()
        self.wfile.write(self.server.blob)

    def log_message(self, *_):
        pass


def host_server(blob=BLOB):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.blob = blob
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def new_flash(name):
    return boards.copy_flash(BLANK, name)


def fetch(port, path, seconds=20):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds).read()


# Status of a station that is idle, has an address, has a wrong password, finds no access point, as the two ports have them; and its address.
STATIONS = (1000, 1010, 202, 201, repr(bytes((2, 0, 0, 0, 0, 1)))) if boards.IS_ESP32 else (0, 5, 2, 3, repr(bytes((0x5C, 0xCF, 0x7F, 0x82, 0x66, 0))))

FETCH = """
import hashlib, gc
def fetch(port):
    s = socket.socket()
    s.connect(('10.0.2.2', port))
    s.send(b'GET / HTTP/1.0\\r\\n\\r\\n')
    h = hashlib.sha256()
    head = True
    while True:
        d = s.recv(512)
        if not d:
            break
        if head:
            d = d[d.find(b'\\r\\n\\r\\n') + 4:]
            head = False
        h.update(d)
    s.close()
    return h.digest()
"""


@test
def a_device_joins_the_access_point_and_has_an_address():
    lines = run_script(new_flash("join"), """
print(sta.status(), sta.ifconfig(), sta.ipconfig('gw4'), network.ipconfig('dns'), sta.config('mac'))
print([(s[0], s[4]) for s in sta.scan()], sta.config('ssid'))
for name, key in (('vboard', 'wrong'), ('nobody', 'password')):
    sta.connect(name, key)
    time.sleep_ms(300)
    print(sta.isconnected(), sta.status())
sta.disconnect()
print(sta.status(), sta.ifconfig()[0])
sta.connect('vboard', 'password'); until(sta.isconnected); print('again')
sta.active(False); print(sta.active(), sta.isconnected())
""")
    idle, joined, wrong, absent, mac = STATIONS
    same(lines, [f"{joined} ('10.0.2.15', '255.255.255.0', '10.0.2.2', '10.0.2.3') 10.0.2.2 10.0.2.3 {mac}",
                 "[(b'vboard', 3)] vboard", f"False {wrong}", f"False {absent}", f"{idle} 0.0.0.0", "again", "False False"])


@test
def a_board_without_a_network_finds_no_access_point():
    flash = new_flash("none")
    script = make_text("none.py", "import network, time\ns = network.WLAN(network.WLAN.IF_STA)\ns.active(True)\n"
                       "s.connect('vboard', 'password')\ntime.sleep(2)\nprint(s.isconnected(), s.status())\n")
    done = subprocess.run([ROOT / "vboard/run", flash, "--script", script, "--timeout", "20"], capture_output=True, env=boards.ENVIRONMENT)
    true(b"False %d" % STATIONS[3] in done.stdout, f"{done.stdout!r} {done.stderr!r}")


@test
def a_device_is_the_client_of_a_server_of_the_host():
    server = host_server()
    lines = run_script(new_flash("client"), FETCH + f"""
t = time.ticks_ms()
print(fetch({server.server_port}) == {hashlib.sha256(BLOB).digest()!r})
import esp
print(time.ticks_diff(time.ticks_ms(), t), gc.mem_free(), esp.freemem() if hasattr(esp, 'freemem') else '-')
""", *([] if boards.IS_ESP32 else ["--plugin"]))
    same(lines[0], "True", "the file that has come")
    note(f"128 KB; ms, free bytes of MicroPython's heap and of lwIP's: {lines[1]}")


@test
def an_asyncio_server_answers_the_host_also_three_at_a_time():
    board = Board(new_flash("server"), script=make_text("server.py", boards.JOIN + ECHO))
    try:
        board.wait_for("serving")
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda n: fetch(board.port, f"/{n}" * 10), range(9)))
        same(answers, [f"/{n}".encode() * 1000 for n in range(9)])
        # Off and on again: the device comes back by itself.
        board.air("down")
        board.wait_for("connected False")
        board.air("up")
        said = board.said.count(b"connected True")
        board.wait_for("connected True", count=said + 1)
        same(fetch(board.port, "/again"), b"/again" * 100)
        board.air("stall 1500")
        begin = time.monotonic()
        same(fetch(board.port, "/slow"), b"/slow" * 100)
        true(time.monotonic() - begin > 1, "the answer came through a network that stood still")
    finally:
        board.cut()


@test
def a_connection_that_is_lost_on_its_way_is_asked_for_again_after_a_second_unless_its_client_has_gone():
    board = Board(make_flash("attempts", [(make_text("attempts.py", boards.JOIN + """
s = socket.socket()
s.bind(('0.0.0.0', 80))
s.listen(5)
print('listening')
while True:
    c, _ = s.accept()
    print('one is here')
    c.send(b'hello')
    c.close()
"""), "main.py")]))
    try:
        board.wait_for("listening")
        board.air("loss 100")
        time.sleep(0.3)
        gone = [socket.create_connection(("127.0.0.1", board.port)) for _ in range(20)]
        with socket.create_connection(("127.0.0.1", board.port), timeout=20) as s:
            begin = time.monotonic()
            for g in gone:
                g.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                g.close()
            time.sleep(0.3)
            board.air("loss 0")
            same(s.recv(5), b"hello")
            took = time.monotonic() - begin
        true(0.5 < took < 3.5, f"answered after {took:.1f} s: RFC 6298 asks again after 1 s, and after 2 s more")
        time.sleep(max(0, begin + 7 - time.monotonic()))  # libslirp would have asked again after 6 s
        same(board.said.count(b"one is here"), 1, "the others have gone")
        note(f"answered after {took:.2f} s")
    finally:
        board.cut()


@test
def a_soft_reset_leaves_no_socket_behind():
    main = boards.JOIN + """
import os
s = socket.socket()
s.bind(('0.0.0.0', 80))
s.listen(1)
if 'again' not in os.listdir():
    open('again', 'w').close()
    print('the socket stays')
    raise OSError
print('listening')
client, _ = s.accept()
client.recv(512)
client.send(b'HTTP/1.0 200 OK\\r\\n\\r\\nhere')
client.close()
"""
    board = Board(make_flash("soft", [(make_text("soft.main.py", main), "main.py")]))
    try:
        board.wait_for("the socket stays")
        board.wait_for(">>> ")
        board.process.stdin.write(b"\x04")
        board.process.stdin.flush()
        board.wait_for("listening")
        same(fetch(board.port, "/"), b"here")
    finally:
        board.cut()


@test
def what_is_lost_in_the_air_comes_again():
    server = host_server()
    lines = run_script(new_flash("loss"), FETCH + f"print(fetch({server.server_port}) == {hashlib.sha256(BLOB).digest()!r})\n"
                       "socket.getaddrinfo('10.0.2.2', 80)\n", "--net-loss", "3")
    same(lines, ["True"])


@test
def names_are_looked_up_by_the_host():
    name = "www.example.com"
    try:
        wanted = {a[4][0] for a in socket.getaddrinfo(name, 80, socket.AF_INET)}
    except OSError:
        raise Skip("this machine has no name server that knows anybody") from None
    lines = run_script(new_flash("dns"), f"""
print(socket.getaddrinfo({name!r}, 80)[0][-1][0])
try: socket.getaddrinfo('no-such-name.invalid', 80)
except OSError as e: print('refused', e.errno)
""")
    true(lines[0] in wanted, f"{lines[0]} is none of {wanted}")
    true(lines[1].startswith("refused"), lines[1])


@test
def the_download_of_the_docs_brings_a_firmware():
    """What docs/getting-started.md says of HTTP is so on a network"""
    page = (ROOT / "docs/getting-started.md").read_text()
    code = page[page.index("import os, socket\n\ndef download"):].split("```")[0]
    firmware = (boards.BUILD / boards.FIRMWARES["B"] / "firmware.bin").read_bytes()
    server = host_server(firmware)
    lines = run_script(new_flash("download"), code + f"""
print(download('10.0.2.2', '/firmware.bin', 'new.bin', {server.server_port}))
import molt
print(molt.fwupdate('new.bin', sha256={hashlib.sha256(firmware).hexdigest()!r}, reset=False, verbose=False))
""")
    same(lines, [str(len(firmware)), "True"])


@test
def webrepl_takes_a_file_and_runs_a_line():
    """MicroPython's own WebREPL takes files, also one of 64 KB, and lines of code"""
    board = Board(make_flash("webrepl", [(make_text("webrepl.main.py", boards.JOIN + WEBREPL), "main.py")]))
    try:
        board.wait_for("listening")
        repl = webrepl.Repl(board.port, "secret12")
        data = BLOB[:65536]
        repl.put("blob.bin", data)
        same(repl.line("import os; os.stat('blob.bin')[6]"), "65536")
        same(repl.line("import hashlib; hashlib.sha256(open('blob.bin', 'rb').read(8192)).digest()[:4]"), repr(hashlib.sha256(data[:8192]).digest()[:4]))
        repl.close()
    finally:
        board.cut()


@test
def memory_is_as_tight_as_on_a_device():
    """lwIP has five connections and two listeners, as on a device."""
    server = host_server()
    lines = run_script(new_flash("tight"), f"""
held = []
try:
    for i in range(9):
        s = socket.socket()
        s.connect(('10.0.2.2', {server.server_port}))
        held.append(s)
except OSError as e:
    print(len(held), e.errno)
    for s in held: s.close()
import gc, esp
gc.collect()
print(gc.mem_free() < 38 * 1024, esp.freemem() <= 8192)
""")
    same(lines, ["5 12", "True True"])


@test
def icount_and_a_network_are_refused_together():
    done = subprocess.run([ROOT / "vboard/run", BLANK, "--net", "--icount"], capture_output=True, env=boards.ENVIRONMENT, stdin=subprocess.DEVNULL)
    same(done.returncode, 75)
    true(b"leave out one of them" in done.stderr, done.stderr)


@test
def a_port_that_is_taken_is_said():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        done = subprocess.run([ROOT / "vboard/run", BLANK, "--forward", f"{s.getsockname()[1]}:80"], capture_output=True,
                              env=boards.ENVIRONMENT, stdin=subprocess.DEVNULL)
    same(done.returncode, 75)
    true(b"cannot be had" in done.stderr, done.stderr)


END = b"end-of-list\n"
GET = """
import molt_get, os
def get(**options):
    try: n = molt_get.get('http://10.0.2.2:%d/mip', **options)
    except OSError as e: n = str(e)
    print('got', (n, sorted(os.listdir('lib') + os.listdir('lib/_molt')) if 'lib' in os.listdir() else [], 'evil.py' in os.listdir()))
"""


@test
def molts_package_comes_from_a_web_server():
    """molt_get brings molt's package: a damaged file, a short one and one that is missing get no name, and the next call goes on from there"""
    server = packageserver.begun()
    names = [line.split()[1] for line in server.files["_molt/files.txt"].decode().splitlines() if " " in line]
    digest = hashlib.sha256(server.files["_molt/files.txt"]).hexdigest()
    third = names[3]
    server.bad = {third: [lambda data: data[:-1], lambda data: bytes([data[0] ^ 1]) + data[1:], lambda data: None],
                  "_molt/files.txt": [lambda data: data, lambda data: data[:-3], lambda data: b"\xff\xfe\0" + END, lambda data: b"<html>\n" + END,
                                      lambda data: f"{hashlib.sha256(b'').hexdigest()} ../evil.py\n".encode() + END]}
    server.files["../evil.py"] = b""
    flash = make_flash("get", [(boards.BUILD / "mip/molt_get.mpy", "molt_get.mpy")])
    script = GET % server.server_port + f"get(sha256='{'0' * 64}')\n" + "get()\n" * 7 + f"get(sha256='{digest.upper()}')\nget()\n"
    got = [eval(line[4:]) for line in run_script(flash, script) if line.startswith("got ")]
    server.shutdown()
    true("not the one expected" in got[0][0] and not got[0][1], got[0])
    for said, there, is_out in got[1:5]:
        true("the list of files is cut short, or another file" in said and not there and not is_out, (said, there, is_out))
    got = got[5:]
    for said, *_ in got[:2]:
        true(f"/mip/{third}: this is not the file of the list" in said, said)
    true("the server says" in got[2][0], got[2])
    for _, there, _ in got[:3]:
        same(there, sorted(["_molt"] + [name.split("/")[-1] for name in names[:3]]), "the files that are whole, and no list")
    same([n for n, *_ in got[3:]], [len(names) - 3, 0], "files that the last calls bring")
    same(server.asked, ["_molt/files.txt"] * 6 + names[:3] + [third] + ["_molt/files.txt", third] * 2 + ["_molt/files.txt"] + names[3:] + ["_molt/files.txt"],
         "what was asked for")
    for name in [*names, "_molt/files.txt"]:
        out = boards.WORK / "got"
        boards.tool("get", flash, f"lib/{name}", out)
        true(out.read_bytes() == server.files[name], name)


if __name__ == "__main__":
    BLANK = make_flash("blank")
    sys.exit(tap.main(sys.argv[1:], jobs=2))
