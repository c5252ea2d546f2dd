#!/usr/bin/env python3
"""molt_web on the virtual ESP8266, as TAP: what it takes, what it refuses, and what it lives through.

    tests/web/test_server.py [--full] [WORD...]     webrig.py has what they need
"""
import json
import pathlib
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import client as web  # noqa: E402
import hostile  # noqa: E402
from client import Client, image, main_with_heap, request_text, start, upload_uri  # noqa: E402
from tap import note, same, test, true  # noqa: E402
from webrig import Device, all_that_came, full, main, of_esp8266, refused, wait_for_bytes  # noqa: E402

# What has to be free for a request while the heap is full otherwise: docs/web.md says so.
STREAM_BYTES = 12400 if web.IS_ESP32 else 8192


@test
def nothing_is_served_without_a_password():
    main = "import molt_web\ntry: molt_web.set_password('short')\nexcept ValueError as e: print(e)\ntry: molt_web.run()\nexcept ValueError as e: print(e, 'is served')\n"
    flash = web.make_flash("nopass", [(web.make_text("nopass.py", main), "main.py")], web.MODULES)
    board = start(flash)
    board.cut()
    true("at least 8 characters" in board.text() and "there is no password" in board.text(), board.text())


@test
def only_who_proves_the_password_is_let_in_and_each_proof_is_good_once():
    with Device("guard") as d:
        c = d.client
        status, headers, body = c.once("GET", "/info")
        same(status, 401)
        true("WWW-Authenticate" not in headers, "the page asks by itself, the browser has not to")
        c.get_nonce()
        proof = {"Authorization": c.proof("GET", "/info")}
        same(c.once("GET", "/info", headers=proof)[0], 200, "the first time")
        same(json.loads(c.once("GET", "/info", headers=proof)[2])["stale"], True, "the same proof again")
        for count in (5, 4, 9):
            same(c.once("GET", "/files", headers={"Authorization": c.proof("GET", "/files", count)})[0], 200, f"count {count}, out of order")
        for count in (4, 5, 9):
            same(c.once("GET", "/files", headers={"Authorization": c.proof("GET", "/files", count)})[0], 401, f"count {count} again")
        other = {"Authorization": c.proof("GET", "/files", 10)}
        same(json.loads(c.once("GET", "/info", headers=other)[2])["stale"], False, "a proof for something else")
        c.nonce = "0" * 24
        same(c.once("GET", "/info", headers={"Authorization": c.proof("GET", "/info")})[0], 401, "a nonce of one's own")
        c.get_nonce()
        same(c.once("GET", "/info", headers={"Authorization": c.digest("GET", "/info")})[0], 200, "Digest, as browsers do it")
        first = c.nonce, c.proof("GET", "/info")
        for _ in range(6):
            c.get_nonce()
            c.ask("GET", "/files")
        same(c.once("GET", "/info", headers={"Authorization": first[1]})[0], 401, "a proof whose count is not kept any more")
        refused(Client(d.board.port, b"x" * 32).ask("GET", "/info"), 401, "the password is wrong")
        for header in ("Molt", "Basic bW9sdDpjb3JyZWN0IGhvcnNl", "Molt zz:zz:zz", "Digest nc=zz,nonce=q"):
            same(c.once("GET", "/info", headers={"Authorization": header})[0], 401, header)
        d.lives()


@test
def a_page_of_another_site_reaches_nothing():
    with Device("sites") as d:
        c = d.client
        c.get_nonce()
        for host in ("evil.example", "127.0.0.1.evil.example", "", "molt.evil.example:80"):
            got = c.raw(c.signed("GET", "/info", host=host))
            true(b" 403 " in got and b"not called so" in got, f"{host!r}: {got!r}")
        true(b" 200 " in c.raw(c.signed("GET", "/info", host=f"mpy-{web.BOARD}.local")), "the device's own name")
        same(c.ask("POST", "/restart", headers={"Origin": "http://evil.example"})[0], 403, "another origin")
        same(c.ask("POST", "/restart", headers={"Origin": "null"})[0], 403, "an origin that is kept secret")
        same(c.once("GET", "/")[1]["X-Frame-Options"], "DENY", "no frame of another site's")
        d.lives()


@test
def a_device_knows_its_chip_and_tells_of_all_of_its_flash():
    with Device("itself") as d:
        info = d.client.ask("GET", "/info")[1]
        regions = info["regions"]
        same([r["addr"] + r["size"] for r in regions], [r["addr"] for r in regions[1:]] + [4 << 20], "one region begins where another ends")
        true(all(0 <= r["used"] <= r["size"] for r in regions), str(regions))
        firmware = next(r for r in regions if r["name"] == "firmware")
        true(abs(firmware["used"] - web.image_path(web.FIRMWARES["A"]).stat().st_size) < 4096, str(firmware))
        same({"frozen", "filesystem"} - {r["name"] for r in regions}, set(), str(regions))
        same(info["trial"], web.IS_ESP32, "whether there can be a trial: an ESP32's has its loader")
    said = web.run_script(web.make_flash("family", [], web.MODULES), "import molt_intake\nprint(molt_intake.family(), molt_intake.IMAGE_MAX)")
    same(said, ["ESP32-C3 1966080" if web.IS_ESP32 else "ESP8266 1048576"])


def spoiled():
    """Name, file, and what is said of it."""
    good = image()
    spoilt = [("a web page", b"<!doctype html>" + bytes(70000), 415, "0x3C"), ("an image cut short", good[:40000], 422, "cut short"),
              ("more than any image has", bytes((2 << 20) + 1), 413, "at most")]
    if web.IS_ESP32:
        return [*spoilt, ("an ESP8266's image", image("mpy-B-net"), 415, "another chip"),
                ("an ESP32-C6's", good[:12] + b"\x0d" + good[13:], 415, "number 13")]
    esp32 = b"\xe9\x04\x02\x20" + (0x40081000).to_bytes(4, "little") + bytes(16) + (0x3F400020).to_bytes(4, "little") + bytes(70000)
    return [*spoilt, ("an ESP32's image", esp32, 415, "another chip"), ("one for another map", image("mpy-A-molt"), 422, "another flash map")]


@test
def nothing_is_kept_that_is_no_image_for_this_chip_and_map():
    with Device("spoiled") as d:
        before = d.files()
        for name, data, status, words in spoiled():
            try:
                answer = d.client.ask("PUT", upload_uri(data), data)
            except (BrokenPipeError, ConnectionResetError):
                answer = d.client.ask("PUT", upload_uri(data), data[:4096])
            true(answer[0] == status and words in answer[1]["error"], f"{name}: {answer}")
            same(d.files(), before, name)
        good = image()
        wrong = upload_uri(good).replace("sha256=", "sha256=00")[:-2]
        same(d.client.ask("PUT", wrong, good)[0], 400, "half a digest")
        refused(d.client.ask("PUT", "/upload?sha256=%s&size=40000" % ("0" * 64), good[:40000]), 422, "SHA-256 is another")
        same(d.files(), before, "a file that was changed on its way")


@test
def a_broken_upload_goes_on_where_it_was_also_after_a_power_cut():
    data = image()
    with Device("resume") as d:
        c = d.client
        with socket.create_connection(("127.0.0.1", d.board.port)) as s:
            s.sendall(c.signed("PUT", upload_uri(data), {"Content-Length": len(data)}, data[:200000]))
            wait_for_bytes(c, data, 100000)
        got = all_that_came(c, data)
        true(100000 < got <= 200000, f"{got} bytes are here")
        answer = c.ask("PUT", upload_uri(data, got + 1), data[got + 1:got + 100])
        refused(answer, 409, "go on from")
        same(answer[1]["got"], got)
        with socket.create_connection(("127.0.0.1", d.board.port)) as s:
            s.sendall(c.signed("PUT", upload_uri(data, got), {"Content-Length": len(data) - got}, data[got:got + 200000]))
            wait_for_bytes(c, data, got + 100000)
            d.restart()
        after = c.ask("GET", upload_uri(data))[1]["got"]
        true(got < after <= got + 200000, f"{after} bytes are here after the power cut")
        note(f"of 200000 bytes {got} had come; after 200000 more and a power cut {after}")
        status, plan = c.ask("PUT", upload_uri(data, after), data[after:])
        same((status, plan["version"].split("-")[1][0], plan["refused"]), (200, "B", False), str(plan))
        same(c.ask("POST", "/plan")[1]["programmed"], plan["programmed"])


@test
def lengths_that_lie_and_requests_that_are_none_are_refused():
    data = image()
    with Device("lies") as d:
        c = d.client
        cases = (("no length", c.signed("PUT", upload_uri(data)), b" 411 "),
                 ("chunks", c.signed("PUT", upload_uri(data), {"Transfer-Encoding": "chunked", "Content-Length": 5}), b" 411 "),
                 ("a negative length", c.signed("PUT", upload_uri(data), {"Content-Length": -5}), b" 413 "),
                 ("a gigabyte", c.signed("PUT", upload_uri(data), {"Content-Length": 1 << 30}), b" 413 "),
                 ("no number", c.signed("PUT", upload_uri(data), {"Content-Length": "many"}), b" 411 "),
                 ("more than the size said", c.signed("PUT", upload_uri(data, 0), {"Content-Length": len(data) + 1}, data[:1000]), b" 400 "),
                 ("two lengths", c.signed("PUT", upload_uri(data), {"Content-Length": 4}).replace(b"\r\n\r\n", b"\r\ncontent-length: 9\r\n\r\n"), b" 400 "),
                 ("a long header", request_text("GET", "/", {"Host": "127.0.0.1", "X": "x" * 5000}), b" 431 "),
                 ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b" 400 "),
                 ("a proxy's request", request_text("GET", "http://evil.example/", {"Host": "127.0.0.1"}), b" 400 "),
                 ("another method", c.signed("TRACE", "/info"), b" 405 "), ("no such thing", c.signed("GET", "/passwd"), b" 404 "),
                 ("a bad escape", request_text("GET", "/%zz", {"Host": "127.0.0.1"}), b" 400 "))
        for name, text, status in cases:
            got = c.raw(text)
            true(status in got[:20], f"{name}: {got[:200]!r}")
        # Less than was said: what has come is kept, and the device is free again.
        c.raw(c.signed("PUT", upload_uri(data), {"Content-Length": len(data)}, data[:5000]), wait=False)
        time.sleep(1)
        same(c.ask("PUT", upload_uri(data), data[:4096])[1], {"got": 4096})
        d.lives()


@test
@full
def slow_and_silent_clients_are_let_go_and_the_device_answers_meanwhile():
    with Device("slow") as d:
        c = d.client
        silent = [socket.create_connection(("127.0.0.1", d.board.port)) for _ in range(3)]
        time.sleep(0.3)
        d.lives()  # who has said nothing makes room
        for s in silent:
            s.close()
        begin = time.monotonic()
        drip = socket.create_connection(("127.0.0.1", d.board.port))
        drip.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        data = image()
        slow = socket.create_connection(("127.0.0.1", d.board.port))
        slow.sendall(c.signed("PUT", upload_uri(data), {"Content-Length": len(data)}, data[:2000]))
        refused_at = {}
        while time.monotonic() - begin < 15 and len(refused_at) < 2:
            for name, s in (("head", drip), ("body", slow)):
                s.settimeout(0.2)
                try:
                    if name not in refused_at and not s.recv(100):
                        refused_at[name] = time.monotonic() - begin
                except TimeoutError:
                    pass
                except ConnectionResetError:
                    refused_at[name] = time.monotonic() - begin
            time.sleep(0.1)
        true(len(refused_at) == 2 and refused_at["head"] < 9, f"let go after {refused_at}: {d.board.text()[-800:]}")
        for s in (drip, slow):
            s.close()
        d.lives()


@test
@full
def memory_that_is_missing_once_does_not_end_the_server():
    main = (ROOT / "micropython/web/main.py").read_text().replace("molt_web.run()", """
import asyncio, asyncio.core
real = asyncio.create_task
async def fail():
    server = real(molt_web.serve())
    await asyncio.sleep_ms(300)
    left = [2]
    def create_task(coro):
        if left[0]:
            left[0] -= 1
            print('failing')
            raise MemoryError
        return real(coro)
    asyncio.create_task = asyncio.core.create_task = create_task
    print('ready')
    await server
asyncio.run(fail())
""")
    with Device("memory", main=main) as d:
        d.board.wait_for("ready")
        for n in range(2):
            same(d.client.raw(b"GET / HTTP/1.1\r\n\r\n"), b"", "no memory for this client")
            d.board.wait_for("failing", count=n + 1)
        d.lives()
        d.lives()


@test
@full
def one_upload_at_a_time():
    data = image()
    with Device("single") as d:
        c = d.client
        with socket.create_connection(("127.0.0.1", d.board.port)) as s:
            s.sendall(c.signed("PUT", upload_uri(data), {"Content-Length": len(data)}, data[:8192]))
            time.sleep(0.7)
            other = data[:-1] + b"x"
            refused(c.ask("PUT", upload_uri(other), other[:4096]), 409, "another upload")
        d.lives()


@test
@full
def whoever_comes_second_does_no_harm_to_what_is_being_received():
    data = image()
    form = b"--x\r\nContent-Disposition: form-data; name=image; filename=f\r\n\r\n" + data[:5000] + b"\r\n--x--\r\n"
    with Device("second") as d:
        c = d.client
        with hostile.connect(d.board.port) as s:
            s.sendall(c.signed("PUT", "/files/first.txt", {"Content-Length": 3000}, b"1" * 2000))
            time.sleep(0.7)
            for path in ("/files/second.txt", "/frozen/second"):
                refused(c.ask("PUT", path, b"2" * 100), 409, "another upload")
            s.sendall(b"1" * 1000)
            true(b" 200 " in s.recv(20), "the first file is taken")
        same({f["name"]: f["size"] for f in c.ask("GET", "/files")[1]}.get("first.txt"), 3000)
        with hostile.connect(d.board.port) as s:
            s.sendall(c.signed("PUT", upload_uri(data), {"Content-Length": 8192}, data[:5000]))
            time.sleep(0.7)
            got = c.raw(c.signed("POST", "/plain/upload", {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": len(form)}, form))
            true(b" 409 " in got, f"a form: {got[:100]!r}")
            refused(c.ask("DELETE", "/upload"), 409, "another upload")
            s.sendall(data[5000:8192])
            true(b" 200 " in s.recv(20), "the upload is taken")
        same(c.ask("GET", upload_uri(data))[1], {"got": 8192})


@test
@full
def an_upload_takes_no_more_heap_than_is_said():
    data = image()
    with Device("heap", main=main_with_heap(STREAM_BYTES)) as d:
        d.board.wait_for("free:")
        status, answer = d.client.ask("PUT", upload_uri(data), data[:4096])
        same((status, answer), (200, {"got": 4096}), d.board.text()[-1500:])
        begin = time.monotonic()
        uri = upload_uri(data, 4096)
        got = d.client.raw(d.client.signed("PUT", uri, {"Content-Length": len(data) - 4097}, data[4096:-1]))
        true(b'{"got": %d}' % (len(data) - 1) in got, f"{got!r} {d.board.text()[-600:]}")
        note(f"{len(data)} bytes with {d.board.text().split('free:')[1].split()[0]} bytes free, in {time.monotonic() - begin:.1f} s")


@test
@full
@of_esp8266
def the_modules_keep_no_more_of_the_heap_than_is_said():
    """The modules keep no more of the heap than docs/web.md says"""
    said = int((ROOT / "docs/web.md").read_text().split(" KB (")[1].split(" bytes")[0].replace(",", ""))
    flash = web.make_flash("kept", [(web.make_text("kept.key", web.KEY.hex()), "molt_web.key")], web.MODULES)
    kept, = web.run_script(flash, "import gc\ngc.collect()\nfree = gc.mem_free()\nimport molt_web, molt_plain\ngc.collect()\nprint(free - gc.mem_free())\n")
    true(int(kept) <= said, f"they keep {kept} bytes, docs/web.md says {said}")
    note(f"{kept} bytes")


@test
def files_are_listed_added_and_deleted_and_nothing_outside_their_names():
    with Device("files") as d:
        c = d.client
        same(c.ask("PUT", "/files/lib/sub/a%20b.txt", b"hello")[0], 200)
        true("lib/sub/a b.txt" in d.files() and "molt_web.key" not in d.files(), str(d.files()))
        for name in ("../x", "%2e%2e/x", "a/../../x", "/x", "a//b", "a%5cb", "a%00b", ".", "", "a/"):
            status = c.ask("PUT", "/files/" + name, b"x")[0]
            true(status == 400, f"{name}: {status}")
        for method in ("PUT", "DELETE"):
            same(c.ask(method, "/files/molt_web.key", b"0" * 64 if method == "PUT" else None)[0], 403, "the password's file")
        same(c.ask("DELETE", "/files/none")[0], 404)
        same(c.ask("PUT", "/files/main.py/x", b"x")[0], 409, "a file is no folder")
        refused(c.ask("PUT", "/files/x?sha256=" + "0" * 64, b"x"), 422, "SHA-256")
        same(c.ask("DELETE", "/files/lib/sub/a%20b.txt")[0], 200)
        same(d.files(), {"main.py", "molt_web.html.gz"})


@test
def what_a_prepared_upgrade_or_a_trial_needs_is_neither_deleted_nor_replaced():
    main = (ROOT / "micropython/web/main.py").read_text()
    prepares = main.replace("molt_web.run()", "import molt\nif not molt.status(): molt.fwupdate('new.bin', reset=False, verbose=False)\nmolt_web.run()")
    with Device("stays", main=prepares, files=[(web.image_path(), "new.bin")]) as d:
        c = d.client
        before = d.files()
        for name in ("new.bin", "molt.head", "main.py"):
            refused(c.ask("DELETE", "/files/" + name), 409, "an upgrade is prepared")
            refused(c.ask("PUT", "/files/" + name, b"x"), 409, "an upgrade is prepared")
        same(d.files(), before)
    # What molt says of a trial; a real one is in tests/fleet/test_push.py.
    trial = main.replace("molt_web.run()", "import molt\nmolt.status = lambda: {'result': 'trial', 'resident': True}\nmolt_web.run()")
    needed = ("firmware.old", "firmware.back", "molt_pull.old", "molt.stash0", "molt.back1")
    with Device("tries", main=trial, files=[(web.make_text("tries.txt", "x"), name) for name in (*needed, "mine")]) as d:
        c = d.client
        for name in needed:
            refused(c.ask("DELETE", "/files/" + name), 409, "on trial")
            refused(c.ask("PUT", "/files/" + name, b"y"), 409, "on trial")
        same((c.ask("PUT", "/files/mine", b"y")[0], c.ask("DELETE", "/files/mine")[0]), (200, 200), "other files")
        with hostile.connect(d.board.port) as s:
            s.sendall(c.signed("POST", "/restart"))
            s.recv(20)
            refused(c.ask("DELETE", "/files/main.py"), 409, "about to restart")
        same(d.files() >= {"main.py", *needed}, True)


@test
@of_esp8266
def no_firmware_runs_over_molt_web_itself():
    below = web.make_text("below.py", "WORDS = 1\n")
    subprocess.run([web.BUILD / "mpy-cross/mpy-cross", below], check=True)
    flash = web.make_flash("own", [(web.make_text("own.key", web.KEY.hex()), "molt_web.key")], [*web.MODULES, below.with_suffix(".mpy")])
    said = web.run_script(flash, """
import asyncio, molt, molt_ask, molt_web
app = molt_web.App()
class Request:
    query = {"drop_frozen": ""}
def try_size(size):
    plan = app.tell({"crc32": 0, "size": size, "refused": True, "reason": "modules are in the way, drop_frozen=True"})
    molt.check = lambda path: {"size": size}
    molt.fwupdate = lambda *a, **k: print("upgrades, drop_frozen:", k["drop_frozen"])
    try:
        asyncio.run(app.post_upgrade(Request))
    except molt_web.Refused as e:
        print(e.status, e.fields["error"])
    print(plan["drop_frozen"], plan["reason"])
print(molt_ask.frozen_in_way(0xF0010))
try_size(0xF0010)
molt_ask.frozen_in_way = lambda size: ["below"]
try_size(0xF0010)
""")
    true("molt_web" in said[0] and "below" in said[0], str(said))
    true(said[1].startswith("409 ") and "molt_web itself (" in said[1] and "below" not in said[1], str(said))
    true(said[2].startswith("False the new firmware") and "serial line" in said[2], str(said))
    same(said[3:], ["upgrades, drop_frozen: True", "True modules are in the way, drop_frozen=True"], "other modules")


@test
def a_device_that_upgrades_says_so_whatever_the_memory_is_then():
    flash = web.make_flash("short", [(web.make_text("short.key", web.KEY.hex()), "molt_web.key")], web.MODULES)
    said = web.run_script(flash, """
import asyncio, molt, molt_web
app = molt_web.App()
class Request:
    query = {}
def fail():
    raise MemoryError
def fwupdate(*a, **k):
    molt.pending = fail
    return True
molt.fwupdate = fwupdate
print(asyncio.run(app.post_upgrade(Request)), app.has_to_reset is Request)
""")
    same(said, ["{'in_place': False} True"])


@test
def without_javascript_it_is_said_which_modules_are_in_the_way():
    # What molt.plan() says of an image that is longer.
    main = (ROOT / "micropython/web/main.py").read_text().replace("molt_web.run()", """
molt_web.accept = lambda path: {"refused": True, "reason": "the module <hello> is in the way, drop_frozen=True", "crc32": 0, "size": 9, "seconds": None,
    "version": "v1", "chip": "ESP8266", "programmed": None, "sectors": None}
molt_web.run()
""")
    data = image()[:4096]
    form = b"--x\r\nContent-Disposition: form-data; name=image; filename=f\r\n\r\n" + data + b"\r\n--x--\r\n"
    with Device("plainway", main=main) as d:
        c = d.client
        got = c.raw(c.signed("POST", "/plain/upload", {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": len(form)}, form))
        true(b" 409 " in got[:20] and b"the module &lt;hello> is in the way" in got and b"Upgrade now" not in got, str(got))


@test
@full
def a_file_that_is_received_while_an_upgrade_is_prepared_does_not_replace_its_image():
    data = image()
    with Device("meanwhile") as d:
        c = d.client
        same(c.ask("PUT", upload_uri(data), data)[0], 200)
        with hostile.connect(d.board.port) as first, hostile.connect(d.board.port) as order:
            first.sendall(c.signed("PUT", "/files/firmware.bin", {"Content-Length": 3000}, b"1" * 2000))
            time.sleep(0.7)
            order.sendall(c.signed("POST", "/upgrade"))
            true(b" 200 " in order.recv(20), "it is prepared")
            first.sendall(b"1" * 1000)
            got = first.recv(20)
            true(b" 409 " in got, f"the file comes too late: {got!r}")
        d.board.wait_for("is served", 40, 2)
        info = c.ask("GET", "/info")[1]
        true(info["status"]["result"] == "ok" and "-B" in info["version"], str(info))
        true("web.new" not in d.files(), str(d.files()))


@test
@full
def what_the_filesystem_says_is_answered_and_only_a_client_that_has_gone_is_not():
    main = (ROOT / "micropython/web/main.py").read_text().replace("molt_web.run()", """
async def fail(app, request):
    raise OSError(int(request.query['errno']))
molt_web.App.post_plan = fail
molt_web.run()
""")
    with Device("says", main=main) as d:
        c = d.client
        for number, status, words in ((5, 500, "the device says OSError 5; restart it"), (12, 503, "not enough memory"), (21, 409, "a folder"),
                                      (28, 507, "is full")):
            refused(c.ask("POST", f"/plan?errno={number}"), status, words)
        for number in (9, 104, 113, 128):
            same(c.raw(c.signed("POST", f"/plan?errno={number}")), b"", f"errno {number}")
        d.lives()


@test
@full
def a_folder_in_the_place_of_the_firmware_is_told_of():
    data = image()
    with Device("folder") as d:
        c = d.client
        same(c.ask("PUT", "/files/firmware.bin/x", b"1")[0], 200)
        refused(c.ask("PUT", upload_uri(data), data), 422, "firmware.bin is a folder")
        same((c.ask("DELETE", "/files/firmware.bin/x")[0], c.ask("DELETE", "/files/firmware.bin")[0]), (200, 200))
        status, plan = c.ask("PUT", upload_uri(data, len(data)), b"")
        same((status, plan.get("refused")), (200, False), "the upload is still here")


@test
@full
def what_a_power_cut_has_left_of_a_file_takes_no_room():
    data = image()
    with Device("left", files=[(web.make_text("left.txt", "x" * 5000), "web.new")]) as d:
        c = d.client
        true("web.new" not in d.files(), f"after a start: {d.files()}")
        for method, uri, body in (("PUT", "/files/a.txt", b"a"), ("PUT", upload_uri(data), data[:4096])):
            same(c.ask("PUT", "/files/web.new", b"x" * 5000)[0], 200)
            true("web.new" in d.files(), "it is there")
            same(c.ask(method, uri, body)[0], 200)
            true("web.new" not in d.files(), f"after {method} {uri}: {d.files()}")


@test
def modules_are_frozen_and_deleted():
    source = web.make_text("hello.py", "WORDS = 'from flash'\n")
    subprocess.run([web.BUILD / "mpy-cross/mpy-cross", source], check=True)
    module = source.with_suffix(".mpy").read_bytes()
    with Device("frozen") as d:
        c = d.client
        same(c.ask("PUT", "/frozen/hello", module)[0], 200)
        same([m["name"] for m in c.ask("GET", "/frozen")[1]], ["molt_intake", "molt_http", "molt_clients", "molt_plain", "molt_web", "hello"])
        status, answer = c.ask("PUT", "/frozen/bad", b"no module")
        same(status, 422, str(answer))
        same(c.ask("PUT", "/frozen/molt", module)[0], 422, "a name that is molt's")
        same(c.ask("DELETE", "/frozen/hello")[0], 200)
        same(c.ask("DELETE", "/frozen/hello")[0], 404)
        same(d.files(), {"main.py", "molt_web.html.gz"}, "nothing is left of it")


@test
@full
def an_upgrade_that_is_cut_goes_on_and_its_result_is_told():
    data = image()
    with Device("upgrade") as d:
        c = d.client
        same(c.ask("PUT", upload_uri(data), data)[0], 200)
        same(c.ask("POST", "/upgrade")[1]["in_place"], False)
        d.board.wait_for("50%" if web.IS_ESP32 else "30%", 30)
        d.restart()
        info = c.ask("GET", "/info")[1]
        same((info["status"]["result"], info["status"]["resumed"]), ("ok", 1), str(info["status"]))
        true("-B" in info["version"], info["version"])
        same(c.ask("POST", "/upgrade")[1], {"in_place": True}, "the same once more")


@test
@full
def who_tells_the_device_to_restart_has_the_answer_though_it_is_lost_on_its_way_once():
    main = (ROOT / "micropython/web/main.py").read_text().replace("molt_web.run()", """
import asyncio
real = molt_web.App.send
async def send(*words, **more):
    print('answering')
    await asyncio.sleep_ms(300)
    await real(*words, **more)
    print('answered')
molt_web.App.send = send
molt_web.run()
""")
    with Device("heard", main=main) as d:
        c = d.client
        with hostile.connect(d.board.port) as s:
            s.sendall(c.signed("POST", "/restart"))
            d.board.wait_for("answering", count=2)  # the first one gave the nonce
            d.board.air("loss 100")
            d.board.wait_for("answered", count=2)
            begin = time.monotonic()
            time.sleep(0.7)
            d.board.air("loss 0")
            answer = b""
            while not answer.endswith(b"{}") and (piece := s.recv(4096)):
                answer += piece
            took = time.monotonic() - begin
        true(answer.endswith(b"{}"), f"{answer!r}")
        d.board.wait_for("is served", 30, 2)
        note(f"the answer was there after {took:.1f} s, the device after {time.monotonic() - begin:.1f} s")
        # Who does not close its end does not hold it up for ever.
        c.nonce = None
        with hostile.connect(d.board.port) as s:
            s.sendall(c.signed("POST", "/restart"))
            d.board.wait_for("is served", 30, 3)


@test
@full
def an_upload_comes_through_a_bad_network():
    data = image()
    with Device("loss", "--net-loss", "2") as d:
        begin = time.monotonic()
        got = 0
        while got < len(data):
            piece = data[got:got + 65536]
            status, answer = d.client.ask("PUT", upload_uri(data, got), piece)
            same(status, 200, str(answer))
            got = answer["got"]
        note(f"2 % of the frames lost, each way: {time.monotonic() - begin:.1f} s")
        same(answer["refused"], False)


@test
@full
@of_esp8266
def in_resident_mode_there_is_no_risk_to_tell_of():
    main = "import molt\nif not (molt.status() or {}).get('resident'): molt.install(verbose=False)\n" + (ROOT / "micropython/web/main.py").read_text()
    data = image()
    with Device("resident", main=main) as d:
        status, plan = d.client.ask("PUT", upload_uri(data), data)
        same((status, plan["risk"]), (200, None), str(plan))
        same(d.client.ask("POST", "/upgrade")[1]["in_place"], False)
        refused_meanwhile = d.client.ask("PUT", upload_uri(data[:-1]), data[:4096])
        true(refused_meanwhile[0] == 409, str(refused_meanwhile))
        d.board.wait_for("40%", 30)
        d.restart()
        status = d.client.ask("GET", "/info")[1]["status"]
        same((status["result"], status["resident"]), ("ok", True))


@test
@full
def one_wrong_bit_is_found():
    data = image()
    data = data[:400000] + bytes([data[400000] ^ 1]) + data[400001:]
    with Device("bit") as d:
        refused(d.client.ask("PUT", upload_uri(data), data), 422, "wrong")
        same(d.files(), {"main.py", "molt_web.html.gz"})


if __name__ == "__main__":
    sys.exit(main())
