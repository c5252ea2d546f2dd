#!/usr/bin/env python3
"""molt_web on the virtual ESP8266 (BOARD=esp32c3: the C3), as TAP: what requests do to a device's files, modules and firmware.

    tests/web/test_device.py [--full] [WORD...]     webrig.py has what they need
"""
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import client as web  # noqa: E402
import hostile  # noqa: E402
from client import image, start, upload_uri  # noqa: E402
from tap import note, same, test, true  # noqa: E402
from webrig import Device, full, main, of_esp8266, refused  # noqa: E402


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
