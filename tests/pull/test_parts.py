#!/usr/bin/env python3
"""molt_intake, molt_fetch, molt_pull and molt_mqtt piece by piece, in scripts on the virtual ESP8266, as TAP; and tools/manifest.

They need `make vboard firmwares pull`; firmwares and board are found in BUILD (build).
"""
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import fleet  # noqa: E402
import tap  # noqa: E402
from fleet import BUILD, WORK, make_text  # noqa: E402
from tap import same, test, true  # noqa: E402

# On trial, with a heap that is full when the guard's time is over.
GUARD = """
import molt, molt_pull
def full():
    raise MemoryError
molt.status = lambda: {'resident': True, 'result': 'trial'}
molt_pull.guard(1)
molt_pull._restart = lambda: print('restarts')
molt.status = full
time.sleep_ms(1500)
"""
# While the heap is full: of who asks, and of who tells of it by MQTT.
FULL_HEAP = """
import asyncio, molt, molt_mqtt, molt_pull
from molt_intake import sentence
status = molt.status
rounds = 0
def full(*_):
    raise MemoryError
async def round(install):
    global rounds
    rounds += 1
    if rounds < 3:
        molt.status = full
        raise OSError(5)
    molt.status = status
    if rounds == 4:
        await asyncio.sleep(9)
class Thing:
    __repr__ = full
class Client:
    async def publish(self, topic, payload):
        raise MemoryError
    def close(self):
        print('closed')
Client.stream = Client
Client.s = Client()
async def main():
    puller = molt_pull.start('http://10.0.2.2/x', interval=0)
    puller.round = round
    asker = asyncio.create_task(puller.run())
    for _ in range(120):
        await asyncio.sleep_ms(100)
        if rounds == 4:
            break
    print(rounds, asker.done(), puller.error)
    entity = molt_mqtt.Entity(puller, None, 'x')
    await molt_mqtt._Link(entity, asyncio.Event(), 'x', 1, None, None).tell(Client())
    print(sentence(OSError(Thing())))
asyncio.run(main())
"""
# What molt.check() and molt.plan() may say of a file, and what accept() makes of it.
ACCEPT = """
import molt, molt_intake
def judged(check=None, reason=None):
    def fake(path):
        if check:
            raise OSError(check, 'why')
        return {'refused': bool(reason), 'reason': reason}
    molt.check = molt.plan = fake
    with open('/new', 'w') as f:
        f.write('image')
    try:
        molt_intake.accept('/new')
        end = 0
    except molt_intake.Refused as e:
        end = e.status * (-1 if isinstance(e, molt_intake.Unfit) else 1)
    print(check or reason, end, molt_intake.size_of('/new'))
for check in (5, 12, 16, 19, 28, 22, 27, 84, 95):
    judged(check)
for reason in ('molt.frozen.delete() or drop_frozen=True', 'an upgrade is already prepared; reset', 'the firmware is on trial; confirm',
               'the file has too many pieces for one', 'the resident boot loader is damaged', 'the image is for another chip'):
    judged(reason=reason)
"""
ACCEPTED = [f"{code} {503 if code != 16 else 422} 5" for code in (5, 12, 16, 19, 28)] + [f"{code} -422 0" for code in (22, 27, 84, 95)] + [
    "molt.frozen.delete() or drop_frozen=True 0 5", "an upgrade is already prepared; reset 422 5", "the firmware is on trial; confirm 422 5",
    "the file has too many pieces for one 422 5", "the resident boot loader is damaged 422 5", "the image is for another chip -422 0"]
# What is noted of an upgrade that was not prepared, and of one of which it cannot be told what became of it.
UNTRIED = """
import asyncio, molt, molt_pull
def full(*_, **options):
    raise MemoryError
def unread(path):
    raise OSError(5, 'flash cannot be read')
puller = molt_pull.start('http://10.0.2.2/x')
notes = puller.notes
molt.fwupdate = full
for _ in range(3):
    try:
        asyncio.run(puller.upgrade({'version': '1.5', 'sha256': '00'}, None))
    except MemoryError:
        print(puller.settle(), {key: value for key, value in notes.all.items() if value})
with open('/molt_pull.new', 'w') as f:
    f.write('image')
notes.set(trying=['1.5', '00'])
molt.plan = unread
def settle():
    try:
        print(puller.settle())
    except OSError as e:
        print(e.errno)
    print(notes.get('trying'), notes.get('missed'), notes.have())
settle()
molt.plan = lambda path: {'in_place': True}
settle()
molt.plan = unread
notes.set(trying=['1.6', '00'])
with open('/molt_pull.new', 'w') as f:
    f.write('image')
settle()
settle()
"""
# Whether the version that runs is fetched, beside a molt_pull.old of another firmware, of this one, and of one that cannot be looked at.
STALE = """
import molt, molt_pull
looks = 0
def plan(path):
    global looks
    looks += 1
    if result is None:
        raise OSError(12, 'too little memory')
    return {'in_place': result}
molt.status = lambda: {'resident': True, 'result': None}
molt.plan = plan
with open('/molt_pull.old', 'w') as f:
    f.write('image')
for result in (False, True, None):
    puller = molt_pull.Puller('http://10.0.2.2/x', version='1.4')
    puller.release = {'version': '1.4', 'sha256': '00'}
    print(puller.is_wanted(), puller.is_wanted(), looks)
"""
# What is said to a broker that has a long message and a short one, of QoS 1 both.
LONG_MESSAGE = """
import asyncio, molt_mqtt
class Broker:
    def __init__(self, *messages):
        self.said = b''.join(molt_mqtt._packet(0x32, molt_mqtt._text('a/b'), number, text) for number, text in messages)
    async def readexactly(self, n):
        said, self.said = self.said[:n], self.said[n:]
        return said
    def write(self, packet):
        print(packet)
    async def drain(self):
        pass
broker = Broker((b'\\x01\\x07', b'x' * 700), (b'\\x01\\x08', b'INSTALL'))
print(asyncio.run(molt_mqtt._Client('x', broker).next_command()))
"""
# Addresses, what a manifest may say, and keys.
WORDS = """
import json, molt_pull
from molt_fetch import join_url, split_url
from molt_intake import Refused
for base, path in (('http://h/a/m.json', 'f.bin'), ('http://h:81', 'f.bin'), ('http://h?a=/b/c', 'f.bin'), ('http://h/a/m?x=/b/', 'f.bin'),
                   ('http://h/a/m?x=/b/', '/f.bin'), ('http://h?a', '/f.bin'), ('http://h/a/m.json', 'http://i/f'),
                   ('http://h/a/m.json', 'f.bin?from=http://i/')):
    print(join_url(base, path))
for url in ('http://h', 'http://h:81/a?b', 'http://h?a=/b', 'http://h:81?a:b', 'http://h/a#b'):
    print(split_url(url))
def offer(**part):
    part = dict({'path': 'f', 'size': 1000, 'sha256': '0A' * 32}, **part)
    try:
        molt_pull.choose({'name': 'x', 'version': '1', 'builds': [{'chipFamily': 'y', 'parts': [part]}]}, 'y', 'http://h/m')
        print('taken')
    except Refused as e:
        print(e.status)
offer()
offer(sha256='/../evil' + '0' * 56)
offer(size=json.loads('1e999'))
try:
    molt_pull.Puller('http://h/m', key='')
except ValueError as e:
    print(e)
"""
WORDS_MEAN = ["http://h/a/f.bin", "http://h:81/f.bin", "http://h/f.bin", "http://h/a/f.bin", "http://h/f.bin", "http://h/f.bin", "http://i/f",
              "http://h/a/f.bin?from=http://i/",
              "('h', 80, '/')", "('h', 81, '/a?b')", "('h', 80, '/?a=/b')", "('h', 81, '/?a:b')", "('h', 80, '/a')",
              "taken", "422", "422", "the key is empty; without one leave it out"]
# On trial: what comes from the manifest's address, and whether that confirms.
REACHED = """
import asyncio, molt, molt_pull
from molt_fetch import Broken
from molt_intake import Refused
class Answer:
    def __init__(self, data):
        self.data = data
        self.size = len(data)
    async def read_all(self):
        return self.data
    async def watched(self, awaitable):
        return await awaitable
    def close(self):
        pass
async def get(url):
    if isinstance(data, Exception):
        raise data
    return Answer(data)
molt_pull.get = get
molt.status = lambda: {'resident': True, 'result': 'trial'}
molt.confirm = lambda: print('confirmed')
class Timer:
    def deinit(self):
        print('no guard')
molt_pull._timer = Timer()
for data in (Broken('gone'), Refused(502, '404'), b'<html>', b' ' * 4097, b'{}'):
    try:
        asyncio.run(molt_pull.Puller('http://h/m').round(False))
    except Refused as e:
        print(e.fields['error'][:27])
"""


def run(name, code):
    """The lines that a script prints."""
    return fleet.run_script(fleet.make_flash(name, (), fleet.MODULES), code)


@test
def the_words_by_which_the_device_is_to_blame_are_in_the_core_s_sentences():
    words = eval(re.search(r"^_OF_DEVICE = (\(.*\))$", (ROOT / "micropython/web/molt_intake.py").read_text(), re.MULTILINE)[1])
    # Literals that stand behind each other are one.
    said = "".join(re.sub(r'"\s*"', "", path.read_text()) for path in (ROOT / "src/job/job_text.c", ROOT / "src/upgrade/plan_build.c"))
    same([word for word in words if word not in said], [], "that nobody says")


@test
def the_guard_restarts_a_firmware_that_has_no_memory_left_to_look_whether_it_is_on_trial():
    same(run("guard", GUARD), ["restarts"])


@test
def a_heap_that_is_full_for_a_while_ends_nothing():
    same(run("fullheap", FULL_HEAP),
         ["4 False None", "closed", "the device has not enough memory for this; let its program hold less, or restart it"])


@test
def only_what_is_wrong_with_the_file_itself_removes_it():
    same(run("accept", ACCEPT), ACCEPTED)


@test
def what_was_not_prepared_or_cannot_be_read_is_no_try_that_came_to_nothing():
    same(run("untried", UNTRIED),
         ["True {}"] * 3 + ["5", "['1.5', '00'] None None", "True", "None None ['1.5', '00']",
                             # But with the third look that comes to nothing it goes on.
                             "5", "['1.6', '00'] None ['1.5', '00']", "True", "None ['1.6', '00', 1] ['1.5', '00']"])


@test
def a_molt_pull_old_of_another_firmware_is_nothing_to_fall_back_on():
    same(run("stale", STALE), ["True True 1", "False False 2", "False False 3"])


@test
def a_message_that_is_too_long_is_acknowledged_too_so_that_the_broker_goes_on():
    same(run("long", LONG_MESSAGE),
         [r"b'@\x02\x01\x07'", r"b'@\x02\x01\x08'", "('a/b', b'INSTALL')"])


@test
def addresses_are_taken_apart_and_put_together_and_a_manifest_that_lies_is_refused():
    same(run("words", WORDS), WORDS_MEAN)


@test
def on_trial_a_manifest_that_cannot_be_used_confirms_and_none_does_not():
    said = ["confirmed", "no guard"]
    same(run("reached", REACHED), ["gone", "404"] + said + ["the manifest is not JSON"] + said + ["the manifest has 4097 bytes"] + said
         + ["the manifest cannot be used"])


def write(name, data):
    """A file with these bytes."""
    path = WORK / name
    path.write_bytes(data)
    return path


def manifest(*words, build=BUILD):
    """What tools/manifest says, of a lamp's version 1.5; and on stderr."""
    done = subprocess.run([ROOT / "tools/manifest", "lamp", "1.5", *words], capture_output=True, text=True, check=False, env={**os.environ, "BUILD": str(build)})
    true("Traceback" not in done.stderr and bool(done.returncode) == bool(done.stderr), done.stderr)
    return done.stdout, done.stderr


@test
def tools_manifest_refuses_files_and_keys_that_no_device_could_use():
    image = fleet.image()
    good, packed = write("a b#c.bin", image), write("a b.gz", gzip.compress(image))
    cases = [(good, write("other.gz", gzip.compress(image[:-1])), "unpacks to something else"),
             (good, write("cut.gz", packed.read_bytes()[:-100]), "cannot be unpacked"), (good, good, "cannot be unpacked"),
             (good, "--key", write("empty.key", b" \n"), "not an empty one"), (good, "--key", write("latin.key", b"\xe9t\xe9"), "in UTF-8"),
             (good, "--key", make_text("two.key", "one\ntwo\n"), "one line")]
    for *words, sentence in cases:
        said, error = manifest(*words)
        true(not said and sentence in error, f"{words}: {said} {error}")
    # With `molt info`, and without it.
    flipped = bytearray(image)
    flipped[100] ^= 1
    for build in (BUILD, WORK / "nothing"):
        for name, data in (("flipped", flipped), ("junk", b"\xe9" + bytes(99)), ("cut", image[:3000]), ("none", b""), ("page", b"<html>"),
                           ("large", image + bytes(0x100001 - len(image)))):
            said, error = manifest(write(name, data), build=build)
            true(not said and name in error, f"{name}: {said} {error}")
    for build in (BUILD, WORK / "nothing"):
        said, error = manifest(good, packed, build=build)
        true(said, error)
        part = json.loads(said)["builds"][0]["parts"][0]
        same((part["path"], part["gz"]["path"]), ("a%20b%23c.bin", "a%20b.gz"))
    # An ESP32's has its chip's family, and needs `molt info`.
    said, error = manifest(BUILD / "c3-B/firmware.bin")
    same(json.loads(said)["builds"][0]["chipFamily"], "ESP32-C3", error)
    said, error = manifest(BUILD / "c3-B/firmware.bin", build=WORK / "nothing")
    true(not said and "make build/molt" in error, error)
    for name in ("esp8266-minimal", "esp8266-16-segments", "esp8266-empty-segment", "esp8266-v2", "arduino", "micropython", "bad-checksum",
                 "bad-no-segments", "bad-segment-size", "bad-short-header", "bad-v2-inner", "bad-v2-size"):
        said, error = manifest(ROOT / f"tests/vectors/image/{name}.bin", build=WORK / "nothing")
        same(bool(said), name[:3] != "bad", f"{name}: {error}")


if __name__ == "__main__":
    sys.exit(tap.main(sys.argv[1:], jobs=2))
