#!/usr/bin/env python3
"""molt_pull and molt_mqtt on the virtual ESP8266, as TAP: what a device that asks takes, what it refuses, and what it comes back from.

They need `make vboard firmwares pull`, and those of MQTT mosquitto; firmwares and board are found in BUILD (build).
"""
import json
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import fleet  # noqa: E402
import broker  # noqa: E402
import homeassistant  # noqa: E402
import tap  # noqa: E402
from fleet import ASK, BUILD, RESIDENT, Device, Server, free_port, image, make_text  # noqa: E402
from tap import Skip, note, same, test, true  # noqa: E402

STREAM_BYTES, ROUND_BYTES = 8192, 20480  # of heap: for a download; for that, the check and the preparation
PACKED_BYTES = 18432  # of heap, in pieces, in which a packed file's window has no place
FULL = set()
RUNNING = (BUILD / "mpy-A-net/firmware.bin", "molt_pull.old")
# A firmware B that does not find its way into the network.
LOST = "molt_pull.guard(2)\nif '-B' not in uos.uname().version: join()\n" + ASK.replace("join()\n", "")
MQTT = """
import molt_mqtt
async def main():
    asyncio.create_task(molt_mqtt.serve('10.0.2.2', '{url}', port=%u, user='lamp', password='%s', name='Hall lamp', {options}))
    while True:
        await asyncio.sleep(1)
        tell()
join()
asyncio.run(main())
"""
COST = """
import gc, sys
import asyncio, json, molt
asyncio.create_task, asyncio.open_connection, asyncio.Event, asyncio.Lock, asyncio.wait_for
gc.collect()
free = gc.mem_free()
for name in ('molt_intake', 'molt_fetch', 'molt_pull', 'molt_mqtt'):
    __import__(name)
    gc.collect()
    print(name, free - gc.mem_free())
print([r['used'] for r in molt.regions() if r['name'] == 'frozen'][0])
"""
# A firmware B that fills its heap and goes on.
LEAKS = """
def leak():
    print('leaks')
    keep = None
    n = 1024
    while n >= 16:
        try:
            while True:
                keep = (keep, bytearray(n))
        except MemoryError:
            n //= 2
    while True:
        pass
if '-B' in uos.uname().version:
    molt_pull.guard(4)
    leak()
"""
HEAP_MAX, FLASH_MAX = 5000, 28672  # bytes that the four modules keep, and take as dynamic frozen modules


def full(function):
    """Decorator: takes long, and is for make test-full."""
    FULL.add(function)
    return function


def says(words):
    return lambda status: words in (status["error"] or "")


def is_up_to_date(version):
    return lambda status: status["installed"] == version and status["error"] is None and status["state"] == "idle"


@test
def what_the_manifest_offers_is_fetched_over_broken_connections_and_put_in():
    port = free_port()
    gone = Server(port)
    gone.close()
    with Device("happy", gone) as d:
        d.wait_until("a server that is not there", says("10.0.2.2 cannot be reached"))
        with Server(port) as server:
            server.offer("1.5", image())
            server.http.cuts = [200000, 150001]
            d.wait_until("the download", lambda status: status["state"] == "restarting")
            same(server.offsets(), [None, 200000, 350001], "from where on the file was asked for")
            d.wait_for("up v1.25.0-B")
            d.wait_until("version 1.5", is_up_to_date("1.5"))
            same(len(server.offsets()), 3, "it is not fetched once more")
        same(d.board.text().count("up v1.25.0-B"), 1, "starts of B")


@test
def a_manifest_that_is_of_no_use_is_told_of_and_nothing_is_fetched():
    with Server() as server:
        cases = [("no such file", None, "the server answers `HTTP/1.0 404"), ("a web page", b"<!doctype html>", "not JSON"),
                 ("a list", b"[]", "cannot be used"), ("no version", b'{"name": "lamp", "builds": []}', "no build for ESP8266, only for nothing"),
                 ("too long", b" " * 4097, "4096 are the most")]
        with Device("manifest", server) as d:
            for name, data, words in cases:
                server.http.files["/lamp/manifest.json"] = data
                d.wait_until(name, says(words))
            server.http.lengths = False
            d.wait_until("no length", says("does not say how long it is"))
            server.http.lengths = True
            for name, changes, words in (("another chip", {"family": "ESP32-C3"}, "no build for ESP8266, only for ESP32-C3"),
                                         ("no digest", {"sha256": None}, "sha256 are wanted (AttributeError"),
                                         ("half a digest", {"sha256": "00"}, "sha256 are wanted (ValueError"),
                                         ("not at the beginning", {"offset": 4096}, "one part, at offset 0"),
                                         ("not by HTTP", {"path": "https://10.0.2.2/x"}, "there is no TLS"),
                                         ("no address", {"path": "http://10.0.2.2:x/y"}, "x/y' is no address"),
                                         ("two lines", {"path": "y HTTP/1.0\r\nX: y"}, "X: y' is no address"),
                                         ("no place", {"size": 0x300000}, "KB are free")):
                server.offer("1.5", image(), **changes)
                d.wait_until(name, says(words))
            same(server.offsets(), [], "requests for the firmware")
            true("Traceback" not in d.board.text(), d.board.text()[-800:])


@test
def a_file_that_is_not_what_the_manifest_says_is_taken_three_times_and_then_no_more():
    with Server() as server:
        data = image()[:20000]
        server.offer("1.5", data, sha256="0" * 64)
        with Device("digest", server) as d:
            d.wait_until("the digest", says("SHA-256 is another"))
            d.wait_until("the third time", says("3 times what came was not what the manifest says; it is not taken again"))
            same(server.offsets(), [None] * 3, "requests for the firmware")
            server.offer("1.5", data, size=len(data) + 1)
            d.wait_until("the size", says("has 20000 bytes, and the manifest says 20001"))
            server.offer("1.6", b"<!doctype html>" + data)
            d.wait_until("a web page", says("no firmware image"))
            server.offer("1.7", data)
            d.wait_until("half an image", says("version 1.7 was refused"))
            asked = len(server.offsets())
            time.sleep(3)
            same(len(server.offsets()), asked, "requests for what was refused")
            same(d.files(), {"main.py", "molt_pull.json"}, "what is left")


@test
def from_a_server_that_does_no_ranges_a_file_is_begun_four_times_in_a_round_and_no_more():
    with Server() as server:
        server.offer("1.5", image()[:20000])
        server.http.ranges = False
        server.http.cuts = list(range(11000, 19000, 500))
        with Device("begun", server) as d:
            status = d.wait_until("the end of the round", lambda status: "broke off" in (status["error"] or "") and server.offsets(), seconds=60)
            same((len(server.offsets()), status["failed"]), (4, None), "requests for the firmware")


@test
def the_modules_cost_no_more_than_the_docs_say():
    lines = fleet.run_script(fleet.make_flash("cost", (), fleet.MODULES), COST)
    heap = [int(line.split()[1]) for line in lines[:4]]
    note(f"bytes of heap kept after intake, fetch, pull, mqtt: {heap}; of flash: {lines[4]}; of .mpy: {sum(m.stat().st_size for m in fleet.MODULES)}")
    true(heap[-1] <= HEAP_MAX and int(lines[4]) <= FLASH_MAX, f"{heap} {lines[4]}")


@test
def with_a_key_only_manifests_of_who_has_it_are_followed():
    with Server() as server:
        key = make_text("manifest.key", "open sesame\n")
        firmware = BUILD / "mpy-B-net/firmware.bin"
        good = json.loads(subprocess.run([ROOT / "tools/manifest", "lamp", "1.5", firmware, "--key", key], capture_output=True, check=True).stdout)
        mac = good["builds"][0]["parts"][0]["mac"]
        with Device("key", server, options="interval=1, key='open sesame'") as d:
            server.offer("1.5", image())
            d.wait_until("no mac", says("not by who has the key"))
            server.offer("1.6", image(), mac=mac)
            rounds = server.rounds()
            d.wait_until("another version's", lambda status: says("not by who has the key")(status) and server.rounds() > rounds + 1)
            same(server.offsets(), [], "requests for the firmware")
            server.http.files["/lamp/manifest.json"] = json.dumps(good).encode()
            d.wait_until("the right one", lambda status: status["latest"] == "1.5" and status["state"] == "downloading")


@test
def home_assistant_finds_the_device_and_its_command_installs():
    if not broker.IS_HERE:
        raise Skip("mosquitto is not here")
    with Server() as server, broker.Broker() as mosquitto:
        server.offer("1.5", image())
        mosquitto.publish("molt/molt_00668200/install", "INSTALL", "-r")
        with Device("mqtt", server, main=MQTT % (mosquitto.port, broker.PASSWORD)) as d:
            config = mosquitto.wait_for("discovery", lambda topic, _: topic.startswith("homeassistant/update/") and topic.endswith("/config"))
            for key in ("state_topic", "command_topic", "payload_install", "availability_topic", "unique_id", "device"):
                true(key in config, f"{key} is in {config}")
            state = config["state_topic"]
            now = mosquitto.wait_for("the latest version", lambda topic, value: topic == state and "latest_version" in value)
            same(now, {"installed_version": "v1.25.0-A on 2025-04-15", "latest_version": "1.5", "title": "lamp", "release_summary": "",
                       "in_progress": False, "update_percentage": None})
            time.sleep(1.5)
            same(server.offsets(), [], "what was retained is no command")
            mosquitto.publish(config["command_topic"], "INSTALL", "-q", "1")
            mosquitto.wait_for("progress", lambda topic, value: topic == state and value["in_progress"] and (value["update_percentage"] or 0) > 5)
            d.board.cut()
            mosquitto.wait_for("the last will", lambda topic, value: topic == config["availability_topic"] and value == "offline")
            for topic in (config["state_topic"], config["availability_topic"]):
                true(mosquitto.is_retained(topic), f"{topic} is retained")
            note(f"{homeassistant.check_messages(mosquitto.messages)} states hold to what Home Assistant takes")


@test
@full
def a_firmware_that_never_reaches_the_server_is_taken_back_and_not_taken_again():
    with Server() as server:
        server.offer("1.5", image())
        with Device("lost", server, before=RESIDENT, main=LOST, files=[RUNNING]) as d:
            d.wait_for('"result": "trial"')
            d.wait_for('up v1.25.0-A on 2025-04-15 {"result": "rolled back"')
            status = d.wait_until("what has failed", says("did not reach the manifest's server in time, and was taken back"))
            same((status["failed"], status["installed"]), ("1.5", None))
            time.sleep(3)
            same(len(server.offsets()), 1, "requests for the firmware")
            same(d.files(), {"main.py", "molt_pull.json", "molt_pull.old"}, "what is left")
            # Another version is another matter.
            server.offer("1.6", image())
            d.wait_until("1.6", lambda status: status["state"] == "restarting" and status["latest"] == "1.6")


@test
@full
def a_firmware_under_which_main_py_ends_is_taken_back_by_the_guard_in_boot_py():
    with Server() as server:
        server.offer("1.5", image())
        boot = make_text("dies.boot.py", "import molt_pull\nmolt_pull.guard(2)\n")
        dies = "if '-B' in uos.uname().version: raise OSError('main.py ends')\n"
        with Device("dies", server, before=RESIDENT + dies, files=[RUNNING, (boot, "boot.py")]) as d:
            d.wait_for("main.py ends", count=3)
            d.wait_until("what has failed", says("was taken back"))


@test
@full
def a_firmware_that_fills_its_heap_is_taken_back():
    with Server() as server:
        server.offer("1.5", image())
        with Device("leaks", server, before=RESIDENT + LEAKS, files=[RUNNING]) as d:
            d.wait_for("leaks", count=3)
            d.wait_until("what has failed", says("was taken back"))


@test
@full
def in_resident_mode_a_firmware_is_confirmed_once_the_server_was_reached_and_kept_to_fall_back_on():
    with Server() as server:
        server.offer("1.5", image())
        with Device("trial", server, before=RESIDENT, files=[RUNNING]) as d:
            d.wait_for('up v1.25.0-B on 2025-04-15 {"result": "trial"')
            d.wait_until("version 1.5", is_up_to_date("1.5"))
            same(d.files(), {"main.py", "molt_pull.json", "molt_pull.old"})
            # The next one can fall back on it: the old firmware, for instance.
            server.offer("1.4", image("mpy-A-net"))
            d.wait_for('up v1.25.0-A on 2025-04-15 {"result": "trial"')
            d.wait_until("version 1.4", is_up_to_date("1.4"))


@test
@full
def without_an_image_to_fall_back_on_there_is_no_trial_until_the_running_one_was_fetched():
    with Server() as server:
        server.offer("1.5", image())
        with Device("nofallback", server, before=RESIDENT) as d:
            d.wait_until("the sentence", says("no image to fall back on"))
            same(len(server.offsets()), 1, "requests for the firmware")
            server.offer("1.4", image("mpy-A-net"))
            d.wait_until("version 1.4", is_up_to_date("1.4"))
            same(d.files(), {"main.py", "molt_pull.json", "molt_pull.old"})
            server.offer("1.5", image())
            d.wait_for('up v1.25.0-B on 2025-04-15 {"result": "trial"')


@test
@full
def where_molt_pull_old_is_another_firmware_the_running_one_is_fetched_in_its_place():
    with Server() as server:
        server.offer("1.4", image("mpy-A-net"))
        stale = BUILD / "mpy-B-net/firmware.bin"
        with Device("replaced", server, before=RESIDENT, options="interval=1, version=None if '-B' in uos.uname().version else '1.4'",
                    files=[(stale, "molt_pull.old")]) as d:
            d.wait_until("version 1.4", lambda status: is_up_to_date("1.4")(status) and len(server.offsets()) == 1)
            server.offer("1.5", image())
            d.wait_for('up v1.25.0-B on 2025-04-15 {"result": "trial"')


@test
@full
def a_packed_file_is_taken_where_there_is_one():
    with Server() as server:
        packed = fleet.compress(image())
        server.offer("1.5", image(), gz=fleet.part_of("firmware.bin.gz", packed))
        server.http.files["/lamp/firmware.bin.gz"] = packed
        with Device("packed", server, before=RESIDENT, files=[RUNNING]) as d:
            d.wait_for('up v1.25.0-B on 2025-04-15 {"result": "trial"')
            d.wait_until("version 1.5", is_up_to_date("1.5"))
            same(server.offsets(), [], "requests for what is not packed")
            # It is one to fall back on, too.
            server.offer("1.4", image("mpy-A-net"))
            d.wait_for('up v1.25.0-A on 2025-04-15 {"result": "trial"')


# A program that leaves so many bytes of heap free, in pieces.
FILL = """
async def fill():
    asker = asyncio.create_task(molt_pull.serve('{url}', {options}))
    await asyncio.sleep_ms(100)
    gc.collect()
    hold = []
    n = 4096
    while n >= 64:
        while gc.mem_free() > %u + n:
            try: hold.append(bytearray(n))
            except MemoryError: break
        n //= 2
    gc.collect()
    print('free:', gc.mem_free())
    while True:
        await asyncio.sleep(1)
        tell()
join()
asyncio.run(fill())
"""


def note_heap(device, what):
    note(f"{what} with {device.board.text().split('free:')[1].split()[0]} bytes of heap free")


@test
@full
def a_download_takes_no_more_than_8_kb_of_heap():
    with Server() as server:
        server.offer("1.5", image())
        with Device("heap", server, main=FILL % STREAM_BYTES) as d:
            d.wait_until("the download", lambda status: status["state"] == "downloading")
            # What comes after it takes more: the check of the image.
            d.wait_until("its end", lambda status: status["state"] != "downloading")
            same(server.offsets(), [None], "requests for the firmware")
            true("molt_pull.new" in d.files(), f"the file is whole: {d.files()} {d.board.text()[-500:]}")
            note_heap(d, f"a download of {len(image())} bytes")


@test
@full
def an_upgrade_takes_no_more_than_20_kb_of_heap():
    with Server() as server:
        server.offer("1.5", image())
        with Device("heap20", server, main=FILL % ROUND_BYTES) as d:
            status = d.wait_until("the end", lambda status: status["state"] == "restarting" or says("memory")(status))
            same(status["error"], None)
            note_heap(d, "an upgrade")


@test
@full
def a_packed_file_that_there_is_no_memory_to_check_stays_and_its_version_has_not_failed():
    with Server() as server:
        packed = fleet.compress(image())
        server.offer("1.5", image(), gz=fleet.part_of("firmware.bin.gz", packed))
        server.http.files["/lamp/firmware.bin.gz"] = packed
        with Device("gzheap", server, main=FILL % PACKED_BYTES) as d:
            d.wait_until("too little memory", says("memory"))
            rounds = server.rounds()
            status = d.wait_until("a second look", lambda status: says("memory")(status) and server.rounds() > rounds + 1)
            same((status["failed"], "molt_pull.new" in d.files()), (None, True))
            same(sum(path.endswith(".gz") for path, _ in server.http.asked), 1, "requests for the file")
            note_heap(d, "a packed file is kept")


@test
@full
def a_download_goes_on_after_a_power_cut_a_silent_server_and_one_that_cannot_do_ranges():
    with Server() as server:
        server.offer("1.5", image())
        server.http.silence = 300000
        with Device("cut", server) as d:
            d.wait_until("the download", lambda status: (status["percent"] or 0) == 40)
            d.restart()
            begin = time.monotonic()
            d.wait_until("the end", lambda status: status["state"] == "restarting")
            offsets = server.offsets()
            true(len(offsets) == 3 and offsets[1] >= 4 * 65536 and offsets[2] >= offsets[1] + 300000 and time.monotonic() - begin > 14, f"{offsets}")
        with Device("noranges", server) as d:
            server.http.ranges = False
            server.http.asked.clear()
            server.http.cuts = [200000]
            d.wait_until("the end", lambda status: status["state"] == "restarting")
            same(server.offsets(), [None, None])


@test
@full
def the_main_py_of_the_docs_asks_while_the_device_does_what_it_is_for():
    with Server() as server:
        server.offer("1.5", image(), family="ESP32")
        main = (ROOT / "micropython/fleet/main.py").read_text()
        true("http://10.0.2.2:8000/manifest.json" in main and "sleep(60)" in main, "what is replaced is there")
        with Device("main", server, main=main.replace("http://10.0.2.2:8000/manifest.json", "{url}").replace("sleep(60)", "sleep(1)")) as d:
            d.wait_for("the manifest has no build for ESP8266")


@test
@full
def a_server_whose_name_nobody_knows_is_told_of():
    with Server() as server:
        with Device("name", server, main=ASK.replace("{url}", "http://no-such-name.invalid/manifest.json")) as d:
            d.wait_until("the sentence", says("the name no-such-name.invalid is not known"))


@test
@full
def a_download_comes_through_a_bad_network():
    with Server() as server:
        server.offer("1.5", image())
        with Device("loss", server, board=("--net-loss", "2")) as d:
            begin = time.monotonic()
            d.wait_until("the end", lambda status: status["state"] == "restarting")
            note(f"2 % of the frames lost, each way: {time.monotonic() - begin:.1f} s")


@test
@full
def by_mqtt_a_device_is_upgraded_and_says_so_also_after_the_broker_was_gone():
    if not broker.IS_HERE:
        raise Skip("mosquitto is not here")
    port = free_port()
    with Server() as server, Device("mqttfull", server, main=MQTT % (port, broker.PASSWORD)) as d:
        server.offer("1.5", image())
        with broker.Broker(port) as mosquitto:
            state = mosquitto.wait_for("discovery", lambda topic, _: topic.endswith("/config"))["state_topic"]
        d.wait_until("what is wrong", lambda status: "broker" in (status["mqtt"] or "") or "reached" in (status["mqtt"] or ""))
        with broker.Broker(port) as mosquitto:
            # It is published behind the subscription.
            mosquitto.wait_for("the state", lambda topic, _: topic == state)
            command = state.replace("/state", "/install")
            # More than mosquitto has under way at a time.
            for _ in range(21):
                mosquitto.publish(command, "INSTALL" * 300, "-q", "1")
            mosquitto.publish(command, "INSTALL NOT")
            time.sleep(2)
            same(server.offsets(), [], "requests for the firmware")
            mosquitto.publish(command, "INSTALL", "-q", "1")
            mosquitto.wait_for("the end of it", lambda topic, value: topic == state and value["installed_version"] == "1.5" and not value["in_progress"])


@test
@full
def a_broker_that_refuses_or_is_none_is_told_of_while_the_device_goes_on_asking():
    if not broker.IS_HERE:
        raise Skip("mosquitto is not here")
    with Server() as server:
        server.offer("1.5", image())
        with broker.Broker() as mosquitto, Device("mqttpass", server, main=MQTT % (mosquitto.port, "wrong")) as d:
            d.wait_until("the sentence", lambda status: "password is wrong" in (status["mqtt"] or "") and status["latest"] == "1.5")
        for name, answers, words in (("mqttsub", [b"\x20\x02\0\0", b"\x90\x03\0\x01\x80"], "does not let the device have commands"),
                                     ("mqttnone", [b"HTTP/1.1 400 Bad Request\r\n\r\n"], "does not talk MQTT")):
            with broker.StandIn(answers) as stand_in, Device(name, server, main=MQTT % (stand_in.port, "")) as d:
                d.wait_until(name, lambda status: words in (status["mqtt"] or "") and status["latest"] == "1.5")


if __name__ == "__main__":
    if "--full" not in sys.argv:
        tap.TESTS[:] = [t for t in tap.TESTS if t not in FULL]
    sys.exit(tap.main([w for w in sys.argv[1:] if w != "--full"], jobs=2))
