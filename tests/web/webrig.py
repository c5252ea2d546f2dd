"""What the tests of molt_web on the virtual board are made of: a device for each, and how they are run.

They need `make vboard firmwares web`; firmwares and board are found in BUILD (build).
"""
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import tap  # noqa: E402
from client import IS_ESP32, Client, make_device, start, upload_uri  # noqa: E402
from tap import same, true  # noqa: E402

FULL = set()
OF_ESP8266 = set()


def full(function):
    """Decorator: takes long, and is for make test-full."""
    FULL.add(function)
    return function


def of_esp8266(function):
    """Decorator: what it tests is not there on an ESP32."""
    OF_ESP8266.add(function)
    return function


class Device:
    """A board of its own for one test."""

    def __init__(self, name, *options, **more):
        self.flash = make_device(name, **more)
        self.options = options

    def __enter__(self):
        self.board = start(self.flash, *self.options)
        self.client = Client(self.board.port)
        return self

    def __exit__(self, *_):
        self.board.cut()

    def restart(self, *options):
        self.board.cut()
        self.board = start(self.flash, *options, port=self.board.port)

    def lives(self):
        same(self.client.ask("GET", "/info")[0], 200, "the device still answers")

    def seconds(self):
        """How long a request takes, a connection for itself."""
        begin = time.monotonic()
        self.lives()
        return time.monotonic() - begin

    def settle(self, heap):
        """Wait until nobody else has a slot and so much of the heap is free; what is said of the device then."""
        end = time.monotonic() + 20
        while True:
            info = self.client.ask("GET", "/info")[1]
            if info.get("clients") == 1 and info["heap"] >= heap:
                return info
            true(time.monotonic() < end, f"all slots are free, and {heap} bytes: {info} {self.board.text()[-600:]}")
            time.sleep(0.2)

    def files(self):
        return {f["name"] for f in self.client.ask("GET", "/files")[1]}


def refused(answer, status, words):
    same(answer[0], status, str(answer[1]))
    true(words in answer[1]["error"], answer[1]["error"])


def wait_for_bytes(c, data, count):
    """Until so many bytes of an upload would survive a power cut."""
    end = time.monotonic() + 30
    while c.ask("GET", upload_uri(data))[1]["got"] < count:
        true(time.monotonic() < end, f"the upload goes on: {c.ask('GET', upload_uri(data))} of {count}")
        time.sleep(0.1)


def all_that_came(c, data):
    """How much of an upload is here once the device knows that it is broken. A piece that is none of its place asks."""
    end = time.monotonic() + 30
    while True:
        status, answer = c.ask("PUT", upload_uri(data, 1), b"x")
        same(status, 409, str(answer))
        if "go on from" in answer["error"]:
            return answer["got"]
        true(time.monotonic() < end, "the device notices")
        time.sleep(0.2)


def main(jobs=2):
    """Run the tests, or those with a word of the command line in their names; --full: those that take long, too."""
    out = (set() if "--full" in sys.argv else FULL) | (OF_ESP8266 if IS_ESP32 else set())
    tap.TESTS[:] = [t for t in tap.TESTS if t not in out]
    return tap.main([w for w in sys.argv[1:] if w != "--full"], jobs=jobs)
