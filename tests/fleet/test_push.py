#!/usr/bin/env python3
"""molt push and molt status with the virtual ESP8266 (BOARD=esp32c3: the C3), whose network is lwIP's and whose server is MicroPython's, as TAP.

usage: test_push.py [--full] [WORD...]

They need `make build/molt vboard firmwares web`, in BUILD (build).
"""
import hashlib
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/web")]
from client import BUILD, FIRMWARES, IS_ESP32, PASSWORD, Client, image_path, main_with_heap, make_device, start, upload_uri  # noqa: E402
from board import WORK, free_port  # noqa: E402
from tap import note, same, test, true  # noqa: E402
from webrig import full, main, of_esp8266  # noqa: E402

OLD, NEW = image_path(FIRMWARES["A"]), image_path()
# What keeps trials; an ESP32's device has its loader already.
RESIDENT = "" if IS_ESP32 else "import molt\nif not (molt.status() or {}).get('resident'): molt.install(verbose=False)\n"
RESIDENT += (ROOT / "micropython/web/main.py").read_text()


def molt(*words, password=PASSWORD):
    """Status, stdout, stderr."""
    done = subprocess.run([BUILD / "molt", *map(str, words)], env={**os.environ, "MOLT_PASSWORD": password, "TERM": "dumb"},
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def push(*words, password=PASSWORD):
    """Status, what is said of the one device, stderr."""
    status, out, err = molt("push", "--json", *words, password=password)
    true(out.startswith("{"), out + err)
    return status, json.loads(out)["devices"][0], err


class Wire:
    """A wire to a device that breaks when so many bytes have gone through it, once for each number."""

    def __init__(self, port, breaks):
        self.target = port
        self.breaks = list(breaks)
        self.count = 0
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
                device = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            threading.Thread(target=self.copy, args=(client, device, True), daemon=True).start()
            threading.Thread(target=self.copy, args=(device, client, False), daemon=True).start()

    def copy(self, source, sink, is_up):
        try:
            while data := source.recv(4096):
                self.count += len(data) if is_up else 0
                if self.breaks and self.count > self.breaks[0]:
                    self.breaks.pop(0)
                    raise OSError
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for s in (source, sink):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class Device:
    def __init__(self, name, firmware_bit=None, **more):
        self.flash = make_device(name, **more)
        if firmware_bit is not None:
            data = bytearray(self.flash.read_bytes())
            data[firmware_bit] ^= 1
            self.flash.write_bytes(data)

    def __enter__(self):
        self.board = start(self.flash)
        self.host = f"127.0.0.1:{self.board.port}"
        return self

    def __exit__(self, *_):
        self.board.cut()

    def info(self):
        status, out, err = molt("status", "--json", self.host)
        same(status, 0, err)
        return json.loads(out)[0]["info"]


@test
def a_device_is_upgraded_over_a_wire_that_breaks_and_not_with_a_wrong_password():
    packed = WORK / "new.gz"
    with Device("push") as d:
        same(molt("compress", NEW, packed)[0], 0)
        status, told, err = push(d.host, packed, password="battery staple")
        true(status == 1 and "the password is wrong" in err and "MOLT_PASSWORD" in err and not told["changed"], err)
        wire = Wire(d.board.port, (60000, 300000))
        status, told, err = push(f"127.0.0.1:{wire.port}", NEW)
        same((status, told["result"], told["packed"], told["broken"]), (0, "upgraded", True, 2), f"{told} {err}")
        true(wire.count < told["sent"] + 2 * 65536 + 20000, f"{wire.count} bytes for {told['sent']}: the upload goes on where it was")
        same((d.info()["status"]["result"], d.info()["version"]), ("ok", told["runs"]))
        note(f"{told['seconds']} s for {told['sent']} bytes, the connection broke twice")
        status, told, err = push(d.host, packed)
        same((status, told["result"], told["sent"]), (0, "same", 0), "who has it is not sent it again: " + err)


@test
@full
@of_esp8266
def an_image_as_it_is_goes_in_and_one_for_another_map_is_refused():
    with Device("rawpush") as d:
        status, told, err = push(d.host, BUILD / "mpy-A-molt/firmware.bin")
        true(status == 1 and "another flash map" in err and "Nothing was changed" in err and not told["changed"], err)
        status, told, err = push("--raw", d.host, NEW)
        same((status, told["result"], told["packed"], told["sent"]), (0, "upgraded", False, NEW.stat().st_size), f"{told} {err}")
        note(f"{told['seconds']} s for {told['sent']} bytes")


@test
@full
@of_esp8266
def a_firmware_that_would_run_over_molt_web_itself_is_refused_whatever_is_said():
    image = bytearray(NEW.read_bytes()[:-16])
    image += b"\xa5" * (0xF0000 - len(image))
    struct.pack_into("<I", image, 0x8FFC, len(image))
    long = WORK / "long.bin"
    long.write_bytes(image + hashlib.md5(image[4:]).digest())
    with Device("droppush") as d:
        modules = [m["name"] for m in Client(d.board.port).ask("GET", "/frozen")[1]]
        for words in ((), ("--drop-frozen",)):
            status, told, err = push(*words, d.host, long)
            true(status == 1 and "molt_web itself" in err and "Nothing was changed" in err and "--drop-frozen" not in err and not told["changed"], err)
        status, answer = Client(d.board.port).ask("POST", "/upgrade?drop_frozen")
        true(status == 409 and "molt_web itself" in answer["error"], str(answer))
        same([m["name"] for m in Client(d.board.port).ask("GET", "/frozen")[1]], modules)


@test
@full
def a_delta_file_goes_in_and_where_it_is_for_another_firmware_the_image_does():
    with Device("deltapush") as d:
        status, told, err = push("--delta-from", OLD, d.host, NEW)
        same((status, told["result"], told["delta"], d.info()["status"]["result"]), (0, "upgraded", True, "ok"), f"{told} {err}")
        note(f"{told['seconds']} s for {told['sent']} bytes")
        status, told, err = push("--delta-from", OLD, d.host, NEW)
        same((status, told["result"]), (0, "same"), err)
        # The board's own server, without molt push: what is none is not taken, and nothing is left of it.
        c = Client(d.board.port)
        for data, words in ((b"MDL1" + bytes(5000), "is cut short"), (b"MDL2" + bytes(5000), "no firmware image")):
            status, answer = c.ask("PUT", upload_uri(data), data)
            true(status == 415 and words in answer["error"], str(answer))
    if IS_ESP32:
        return  # its boot loader does not start a firmware of which a bit is another
    # One bit of the firmware, in a text, is another: it says the version that the delta file is for.
    with Device("deltaother", firmware_bit=OLD.read_bytes().index(b"Welcome to MicroPython")) as d:
        status, told, err = push("--delta-from", OLD, d.host, NEW)
        same((status, told["result"], told["delta"], told["packed"]), (0, "upgraded", False, True), f"{told} {err}")


@test
@full
@of_esp8266
def with_little_heap_the_image_goes_in_as_it_is():
    with Device("heappush", main=main_with_heap(21500)) as d:
        d.board.wait_for("free:")
        heap = d.info()["heap"]
        true(17000 < heap < 19400, f"{heap} bytes of heap")
        status, told, err = push(d.host, NEW)
        same((status, told["result"], told["packed"]), (0, "upgraded", False), f"{heap} bytes of heap: {told} {err}")
        note(f"{heap} bytes of heap")


def files_of(d):
    return {f["name"]: f["size"] for f in Client(d.board.port).ask("GET", "/files")[1]}


def start_until_back(d, count):
    """Cut the power until nobody has confirmed often enough, after so many starts, and the boot loader puts the old firmware in."""
    d.board.wait_for("is served", 200, count)
    for _ in range(3):
        port = d.board.port
        d.board.cut()
        d.board = start(d.flash, port=port)
        if "upgrading" in d.board.text():
            return


@test
@full
@of_esp8266
def on_trial_a_delta_file_goes_in_and_one_leads_back():
    with Device("deltatrial", main=RESIDENT) as d:
        status, told, err = push("--trial", "--delta-from", OLD, d.host, NEW)
        same((status, told["result"], told["delta"], d.info()["status"]["result"]), (0, "upgraded", True, "confirmed"), f"{told} {err}")
        files = files_of(d)
        same((files["firmware.bin"], "firmware.back" in files, "firmware.old" in files), (told["sent"], False, False), f"what is confirmed has no way back: {files}")
        note(f"{told['seconds']} s for {told['sent']} bytes and the way back")
        # A packed image that runs is nothing for a delta file to fall back on.
        packed = WORK / "packed.gz"
        same(molt("compress", NEW, packed)[0], 0)
        c = Client(d.board.port)
        same(c.ask("PUT", "/files/firmware.old", packed.read_bytes())[0], 200)
        # The check of a delta file takes nearly all of the heap, and wants it as it is after a start.
        port = d.board.port
        d.board.cut()
        d.board = start(d.flash, port=port)
        done = []
        thread = threading.Thread(target=lambda: done.append(push("--leave-trial", "--delta-from", NEW, "--wait", "200", d.host, OLD)))
        thread.start()
        start_until_back(d, 2)
        thread.join()
        status, told, err = done[0]
        same((status, told["result"], told["delta"]), (1, "failed", True), f"{told} {err}")
        true("the old one is back" in err, err)
        same(d.info()["version"], told["from"], "by the delta file that leads back")
        # With the next upload what led back is gone; and an image has none but an image.
        true("firmware.back" in files_of(d), str(files_of(d)))
        same(Client(d.board.port).ask("DELETE", "/files/firmware.old")[0], 200)
        status, told, err = push("--trial", d.host, OLD)
        true(status == 1 and "nothing to fall back on" in err and "firmware.back" not in files_of(d), f"{err} {files_of(d)}")


@test
@full
def on_trial_a_device_is_confirmed_and_keeps_the_image_for_the_next_time():
    with Device("trialpush", main=RESIDENT) as d:
        status, told, err = push("--trial", d.host, NEW)
        true(status == 1 and "nothing to fall back on" in err, err)
        status, told, err = push("--old", OLD, d.host, NEW)
        same((status, told["result"], d.info()["status"]["result"]), (0, "upgraded", "confirmed"), err)
        status, told, err = push("--trial", d.host, OLD)
        same((status, told["result"], d.info()["status"]["result"]), (0, "upgraded", "confirmed"), "the old one is on it already: " + err)


@test
@full
def a_device_that_is_not_confirmed_rolls_back_and_that_is_said():
    with Device("rollback", main=RESIDENT) as d:
        done = []
        thread = threading.Thread(target=lambda: done.append(push("--old", OLD, "--leave-trial", "--wait", "200", d.host, NEW)))
        thread.start()
        # Meanwhile what it falls back on has to stay.
        d.board.wait_for("is served", 200, 2)
        status, answer = Client(d.board.port).ask("DELETE", "/files/firmware.old")
        true(status == 409 and "on trial" in answer["error"], str(answer))
        # The second firmware is started three times, without anybody who confirms.
        start_until_back(d, 2)
        thread.join()
        status, told, err = done[0]
        same((status, told["result"]), (1, "failed"), f"{told} {err}")
        true("the old one is back" in err, err)


if __name__ == "__main__":
    sys.exit(main(jobs=2 if "--full" in sys.argv else 1))
