#!/usr/bin/env python3
"""molt_web on the virtual ESP8266 (BOARD=esp32c3: the C3), as TAP: who is let in, and which uploads it takes, refuses, and lives through.

    tests/web/test_server.py [--full] [WORD...]     webrig.py has what they need
"""
import json
import pathlib
import socket
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


if __name__ == "__main__":
    sys.exit(main())
