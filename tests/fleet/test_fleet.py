#!/usr/bin/env python3
"""molt push and molt status with many devices, as TAP: canary, stop, what is left alone, what is said. devices.py has what the devices
are and what they leave out.

usage: test_fleet.py [--full] [WORD...]

They need build/molt and the firmwares mpy-A-1M-lean and mpy-B-1M-lean, in BUILD (build). --full: 200 devices.
"""
import hashlib
import http.server
import json
import os
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import tap  # noqa: E402
from tap import note, same, test, true  # noqa: E402
import devices  # noqa: E402
from devices import BUILD, MOLT, PASSWORD, Device, run_tool, version_of  # noqa: E402

SCRATCH = tempfile.TemporaryDirectory(prefix="molt-fleet-")
WORK = pathlib.Path(SCRATCH.name)
OLD = BUILD / "mpy-A-1M-lean/firmware.bin"
NEW = BUILD / "mpy-B-1M-lean/firmware.bin"
KEEP = "a file of the user's\n" * 20
ENVIRONMENT = {**os.environ, "MOLT_PASSWORD": PASSWORD, "TERM": "dumb"}
FULL = set()
NET = iter(range(1, 250))


def full(function):
    """Decorator: takes long, and is for make test-full."""
    FULL.add(function)
    return function


def template(size="1M"):
    """The dump that each device begins with: the old firmware, and a file."""
    path = WORK / f"template{size}.bin"
    if not path.exists():
        (WORK / "keep.txt").write_text(KEEP)
        done = run_tool("mkflash", path, "--size", size, "--firmware", OLD, "--put", f"{WORK}/keep.txt:keep.txt")
        same(done.returncode, 0, done.stderr)
    return path


def ask(words):
    """Status, stdout and stderr of the tool, and the seconds that it has kept a core busy."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen([MOLT, *map(str, words)], stdout=out, stderr=err, env=ENVIRONMENT)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return child.returncode, out.read(), err.read(), used.ru_utime + used.ru_stime


def packed(image, window="4K"):
    """A gzip file of it, made once: molt push would make it each time."""
    path = WORK / f"{image.parent.name}-{window}.gz"
    if not path.exists():
        same(run_tool("compress", image, path, "--window", window).returncode, 0)
    return path


class Fleet:
    """Devices of one test, each with an address of its own on this machine.

    faults  index -> fault
    """

    def __init__(self, count, faults=(), size="1M", **more):
        faults = dict(faults)
        net = next(NET)
        self.folder = WORK / f"fleet{net}"
        self.port = 20000 + (os.getpid() * 7 + net) % 20000
        self.devices = [Device(self.folder / str(i), f"127.{net}.{i // 200}.{i % 200 + 1}", self.port, template(size), faults.get(i), **more)
                        for i in range(count)]
        self.hosts = [f"{d.address}:{self.port}" for d in self.devices]
        hosts = self.folder / "hosts.txt"
        hosts.write_text("# all\n" + "\n".join(self.hosts) + "\n")
        self.file = hosts

    def run(self, *calls):
        """What ask() says of these calls."""
        for d in self.devices:
            d.turn_on()
        try:
            return [ask(words) for words in calls]
        finally:
            for d in self.devices:
                d.turn_off()

    def push(self, *words, wait=60, timeout=20, image=NEW, window="4K"):
        """molt push to all of them: status, what its JSON says, stderr."""
        status, out, err, self.used_seconds = self.run(["push", "--hosts", self.file, packed(image, window), "--json", "--wait", wait, "--timeout", timeout, *words])[0]
        true(out.startswith("{"), f"{out}{err}")
        return status, json.loads(out), err

    def check_nothing_is_lost(self, report):
        """Each dump holds a whole firmware, the one that was told of, and the user's file."""
        versions = [version_of(OLD.read_bytes()), version_of(NEW.read_bytes())]
        for d, told in zip(self.devices, report["devices"]):
            info = json.loads(run_tool("info", d.dump, "--json").stdout)
            true(info["valid"], f"{d.address}: {info['defect']}")
            same(run_tool("get", d.dump, "keep.txt", "-").stdout or (run_tool("get", d.dump, "keep.txt", d.folder / "k"), (d.folder / "k").read_text())[1],
                 KEEP, "the user's file")
            runs = version_of(d.dump.read_bytes()[:0x99000])
            is_new = told["result"] in ("upgraded", "same")
            if told["changed"] or is_new or told["result"] == "not begun":
                true(runs in versions and (not is_new or runs == versions[1]), f"{d.address}: {told} runs {runs}")
            else:
                same(runs, versions[0], f"{d.address} is as it was: {told}")
            if told["result"] == "not begun":
                same(d.asked, None, f"{d.address} was not asked")


def results(report):
    return [d["result"] for d in report["devices"]]


@test
def one_device_goes_first_and_the_others_follow_when_it_is_back():
    fleet = Fleet(6, {3: "cut"})
    status, report, err = fleet.push("--jobs", "4")
    same((status, results(report)), (0, ["upgraded"] * 6), err + str(report))
    canary = fleet.devices[0]
    true(all(d.asked > canary.upgraded for d in fleet.devices[1:]), "nobody else is asked before the first one has upgraded")
    same(report["devices"][3]["broken"], 3, "the connection broke, and the upload went on")
    true(all(d["packed"] for d in report["devices"]), "1 MB has room for a packed image only")
    fleet.check_nothing_is_lost(report)
    status, report, err = fleet.push("--jobs", "4")
    same((status, results(report), sum(d["sent"] for d in report["devices"])), (0, ["same"] * 6, 0), "a second time nothing is sent")


@test
def where_the_first_one_does_not_come_back_nobody_else_is_asked():
    fleet = Fleet(4, {0: "dead"})
    status, report, err = fleet.push(wait=2)
    same((status, results(report)), (1, ["failed"] + ["not begun"] * 3), err)
    true("has not come back for" in err and "look at its power" in err, err)
    true(report["devices"][0]["changed"] and report["stopped_at"] == fleet.hosts[0], str(report))
    fleet.check_nothing_is_lost(report)


@test
def where_a_later_one_goes_wrong_what_is_under_way_ends_and_nothing_new_is_begun():
    fleet = Fleet(6, {2: "restored"})
    status, report, err = fleet.push("--jobs", "2")
    told = results(report)
    true(status == 1 and told[2] == "failed" and "not begun" in told and set(told[:2]) == {"upgraded"}, f"{told} {err}")
    true("the old firmware was kept" in err, err)
    fleet.check_nothing_is_lost(report)
    fleet.devices[2].fault = None
    status, report, err = fleet.push("--jobs", "4")
    same((status, set(results(report))), (0, {"upgraded", "same"}), "what was wrong is put right, and all come through: " + err)
    fleet.check_nothing_is_lost(report)


@test
@full
def whoever_does_not_come_back_or_does_not_restart_stops_it():
    for fault, words in (("dead", "has not come back"), ("stuck", "restart it")):
        fleet = Fleet(8, {2: fault})
        status, report, err = fleet.push("--jobs", "2", wait=15)
        told = results(report)
        true(status == 1 and told[2] == "failed" and set(told[:2]) == {"upgraded"} and words in err, f"{fault}: {told} {err}")
        fleet.check_nothing_is_lost(report)


@test
@full
def a_device_that_cannot_be_begun_with_is_told_of_and_the_others_go_on():
    kinds = {"off": "nothing answers there", "mute": "said nothing for too long", "foreign": "is not molt_web", "password": "the password is wrong",
             "full": "delete files"}
    fleet = Fleet(8, dict(enumerate(kinds, 1)))
    status, report, err = fleet.push(timeout=3)
    same((status, results(report)), (1, ["upgraded"] + ["failed"] * 5 + ["upgraded"] * 2), err)
    for told, words in zip(report["devices"][1:], kinds.values()):
        true(words in told["error"] and told["error"] in err and not told["changed"], f"{words}: {told}")
    fleet.check_nothing_is_lost(report)


@test
def the_first_one_has_to_come_through_whatever_is_wrong():
    for fault in ("password", "full") if "--full" in sys.argv else ("full",):
        fleet = Fleet(2, {0: fault})
        status, report, err = fleet.push()
        same((status, results(report)), (1, ["failed", "not begun"]), fault + err)
    status, report, err = fleet.push("--keep-going")
    same((status, results(report)), (1, ["failed", "upgraded"]), "unless it is as it was, and --keep-going is said: " + err)
    fleet.check_nothing_is_lost(report)


@test
@full
def a_connection_that_a_restart_has_swallowed_is_given_up_soon():
    fleet = Fleet(1, {0: "swallow"})
    status, report, err = fleet.push(timeout=60)
    same((status, results(report)), (0, ["upgraded"]), err)
    true(10 < report["devices"][0]["seconds"] < 40, str(report))


@test
def a_device_that_has_lost_the_order_is_told_again_whatever_its_clock_says():
    fleet = Fleet(1, {0: "deaf"})
    status, report, err = fleet.push()
    same((status, results(report)), (0, ["upgraded"]), err)


def namesake():
    """The old firmware with 64 bytes more: another image that calls itself the same."""
    path = WORK / "namesake/firmware.bin"
    path.parent.mkdir(exist_ok=True)
    image = bytearray(OLD.read_bytes()[:-16] + b"\xa5" * 64)
    struct.pack_into("<I", image, 0x8FFC, len(image))
    path.write_bytes(image + hashlib.md5(image[4:]).digest())
    return path


@test
def a_firmware_that_is_called_as_the_old_one_is_not_taken_for_it():
    image = namesake()
    for fault, result in (("deaf", "upgraded"), ("power", "failed")):
        fleet = Fleet(1, {0: fault})
        status, report, err = fleet.push(image=image)
        same((status, results(report)), (int(result == "failed"), [result]), f"{fault}: {err}")
        is_new = fleet.devices[0].dump.read_bytes()[4096:image.stat().st_size] == image.read_bytes()[4096:]
        same(is_new, result == "upgraded", fault)
    true("does not say that it has upgraded" in err and report["devices"][0]["changed"], err)


@test
@full
def keep_going_does_not_stop_after_the_first():
    fleet = Fleet(6, {2: "restored"})
    status, report, err = fleet.push("--keep-going", "--jobs", "1")
    same((status, results(report)), (1, ["upgraded"] * 2 + ["failed"] + ["upgraded"] * 3), err)
    fleet.check_nothing_is_lost(report)


@test
def who_runs_what_a_delta_file_is_made_of_is_sent_one_and_others_the_image():
    fleet = Fleet(5)
    another, small, crowded = fleet.devices[1:4]
    # It says the same version, and is another firmware by one byte.
    dump = bytearray(another.dump.read_bytes())
    dump[0x50000] ^= 1
    another.dump.write_bytes(dump)
    small.heap = 18500
    (crowded.root / "log.txt").write_bytes(bytes(150 * 1024))
    status, report, err = fleet.push("--delta-from", NEW, "--delta-from", OLD, window="2K")
    same((status, results(report)), (0, ["upgraded"] * 5), err)
    same([(d["delta"], d["packed"]) for d in report["devices"]],
         [(True, False), (False, True), (False, True), (True, False), (True, False)], f"one refused it, one has too little memory: {report}")
    sent = [d["sent"] for d in report["devices"]]
    true(sent[0] < sent[1] / 2, f"a delta file is smaller: {sent}")
    note(f"delta file {sent[0]} bytes, packed {sent[1]}")
    fleet.check_nothing_is_lost(report)
    status, report, err = fleet.push("--delta-from", OLD)
    same((status, results(report)), (0, ["same"] * 5), "a second time nothing is sent: " + err)


@test
def who_has_not_the_memory_to_check_a_packed_image_is_sent_it_as_it_is():
    fleet = Fleet(3, {0: "short"}, size="2M", extra=1024 * 1024)
    fleet.devices[1].heap = 19000
    status, report, err = fleet.push()
    same((status, [(d["result"], d["packed"]) for d in report["devices"]]), (0, [("upgraded", False), ("upgraded", False), ("upgraded", True)]), err)
    fleet.check_nothing_is_lost(report)
    status, report, err = Fleet(1, {0: "short"}).push()
    true(status == 1 and "has not the memory to check a packed one" in err and not report["devices"][0]["changed"], err)


@test
def a_trial_is_confirmed_when_the_device_is_reached_and_one_that_rolls_back_stops_all():
    fleet = Fleet(3, {1: "stuck"}, resident=True, extra=600 * 1024)
    status, report, err = fleet.push("--trial")
    true(status == 1 and "nothing to fall back on" in err and "firmware.old" in err, err)
    status, report, err = fleet.push("--old", packed(OLD), "--jobs", "1")
    same((status, results(report)), (1, ["upgraded", "failed", "not begun"]), err)
    same([d.result for d in fleet.devices[:2]], ["confirmed", "rolled back"])
    true("was not confirmed in time" in err, err)
    fleet = Fleet(1)
    true("molt.install()" in fleet.push("--trial")[2], "a trial wants resident mode")


@test
def on_trial_a_delta_file_goes_in_and_the_one_that_leads_back_is_sent_with_it():
    fleet = Fleet(2, resident=True)
    status, report, err = fleet.push("--trial", "--delta-from", OLD)
    same((status, results(report), [d["delta"] for d in report["devices"]]), (0, ["upgraded"] * 2, [True] * 2), err)
    device = fleet.devices[0]
    same((device.result, device.path("firmware.back").exists()), ("confirmed", False), "what is confirmed wants no way back")
    (WORK / "back.delta").write_bytes(device.fallback)
    for words in (("rm", device.dump, "firmware.bin"), ("put", device.dump, f"{WORK}/back.delta:firmware.bin"), ("upgrade", device.dump, "firmware.bin", "-q")):
        done = run_tool(*words)
        same(done.returncode, 0, f"{words[0]}: {done.stderr}")
    same(version_of(device.dump.read_bytes()[:0x99000]), version_of(OLD.read_bytes()), "it leads back")


@test
def status_lists_what_devices_run():
    fleet = Fleet(3, {1: "off", 2: "password"})
    text, machine = fleet.run(["status", *fleet.hosts], ["status", "--json", *fleet.hosts])
    version = version_of(OLD.read_bytes())
    true(text[0] == 1 and version in text[1] and "nothing answers" in text[2] and "password is wrong" in text[2], str(text))
    infos = json.loads(machine[1])
    same([i["info"] and i["info"]["version"] for i in infos], [version, None, None])
    same([bool(i["error"]) for i in infos], [False, True, True])


class Foreign(http.server.BaseHTTPRequestHandler):
    """What somebody's device may say: control characters, those behind ASCII among them."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        answer, status = {"version": "v1\u009b31m\u001b[31m caf\u00e9", "status": None, "pending": None, "free": 1 << 21, "up": 1}, 200
        if not self.headers.get("Authorization"):
            answer, status = {"error": "x", "nonce": "0" * 24, "stale": True}, 401
        elif self.path != "/info":
            answer, status = {"error": "no\u009b31m\u0085\u001b[31m \u00e9"}, 403
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@test
def no_control_character_of_a_device_reaches_the_terminal():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    try:
        status, pushed, told = ask(["status", host]), ask(["push", host, packed(NEW)]), ask(["push", "--json", host, packed(NEW)])
    finally:
        server.shutdown()
    true("v1?31m?[31m caf\u00e9" in status[1], str(status))
    true("no?31m??[31m \u00e9" in pushed[2], str(pushed))
    same(json.loads(told[1])["devices"][0]["from"], "v1?31m?[31m caf\u00e9")
    for text in (*status[1:3], *pushed[1:3], *told[1:3]):
        true(not any(c != "\n" and (c < " " or "\x7f" <= c < "\xa0") for c in text), repr(text))
    # A name of the user's own, in JSON.
    name = WORK / "x\u009b.bin"
    name.symlink_to(NEW)
    out = run_tool("info", name, "--json").stdout
    same(("\u009b" in out, json.loads(out)["file"]), (False, str(name)))


@test
def a_hosts_file_may_be_a_pipe_have_a_mark_before_it_and_lines_of_any_kind():
    words = ["status", "--json", "--timeout", "1", "--hosts", "/dev/stdin"]
    text = b"\xef\xbb\xbf127.0.0.1:9\r# a comment\r\n \t0xlamp.invalid\n127.0.0.2:9"
    done = subprocess.run([MOLT, *words], input=text, env=ENVIRONMENT, capture_output=True, check=False)
    true(done.stdout.startswith(b"["), done.stdout.decode() + done.stderr.decode())
    same([board["host"] for board in json.loads(done.stdout)], ["127.0.0.1:9", "0xlamp.invalid", "127.0.0.2:9"])
    done = subprocess.run([MOLT, *words], input=b"a" * ((1 << 20) + 1), env=ENVIRONMENT, capture_output=True, check=False)
    true(done.returncode == 1 and b"at most 1 MB may come" in done.stderr, done.stderr.decode())


@test
def what_cannot_be_pushed_is_said_before_anybody_is_asked():
    fleet = Fleet(1)
    bad = {"twice": "a\nb\n\nA\n", "name": "10.0.0.1\nlamp/1\n", "none": "# nobody\n", "port": "a:99999\n", "binary": "a\0b\n",
           "default": "lamp.local\n\nLAMP.local.:080\n", "octal": "10.0.0.7\n10.0.0.010\n", "lines": "10.0.0.1\r10.0.0.2\r\n10.0.0.1\r"}
    for name, text in bad.items():
        (WORK / name).write_text(text)
    (WORK / "short.key").write_text("short\n")
    (WORK / "cut.bin").write_bytes(NEW.read_bytes()[:100000])
    (WORK / "x.delta").write_bytes(b"MDL1" + bytes(5000))
    host = fleet.hosts[0]
    cases = ((["push", "--hosts", WORK / "twice", NEW], "twice, line 4: A is named twice"), (["push", "--hosts", WORK / "name", NEW], "line 2"),
             (["push", "--hosts", WORK / "none", NEW], "no device stands there"), (["push", "--hosts", WORK / "port", NEW], "10.0.0.7:8080"),
             (["push", "--hosts", WORK / "binary", NEW], "this is no text"), (["push", "--hosts", WORK / "default", NEW], "line 3: LAMP.local.:080 is named twice"),
             (["push", "--hosts", WORK / "octal", NEW], "line 2: \"10.0.0.010\" is no IPv4 address"),
             (["push", "--hosts", WORK / "lines", NEW], "line 3: 10.0.0.1 is named twice"),
             *((["push", name, NEW], "is no IPv4 address") for name in ("127.8", "0x7f.0.0.8", "2130706433", "127.0.0.8.", "127.0.0.256", "1.2.3.4.5", "127.0.0.08:80")), (["push", "--hosts", WORK / "missing", NEW], "there is no such file"),
             (["push", host, WORK / "cut.bin"], "nothing is sent"), (["push", host, WORK / "x.delta"], "with --delta-from the one that devices run"), (["push", host, WORK / "nothing"], "there is no such file"),
             (["push", host, MOLT], "nothing is sent"), (["push", "http://10.0.0.7/", NEW], "neither a name nor an IPv4 address"),
             (["push", host, NEW, "--password-file", WORK / "short.key"], "at least 8 characters"),
             (["push", host, NEW, "--old", WORK / "cut.bin"], "nothing is sent"), (["status", "--hosts", WORK / "none"], "no device stands there"))
    for (words, sentence), (status, out, err, _) in zip(cases, fleet.run(*(words for words, _ in cases))):
        true(status == 1 and sentence in err and err.startswith("molt: "), f"{words}: {status} {out} {err}")
    for words in (["push"], ["push", NEW], ["status"], ["push", host, NEW, "--jobs", "0"], ["push", host, NEW, "--wait", "x"]):
        same(run_tool(*words).returncode, 2, str(words))
    without = {k: v for k, v in ENVIRONMENT.items() if k != "MOLT_PASSWORD"}
    done = subprocess.run([MOLT, "push", host, NEW], env=without, capture_output=True, text=True, check=False)
    true(done.returncode == 1 and "MOLT_PASSWORD" in done.stderr, done.stderr)
    done = subprocess.run([MOLT, "status", "no-such-device.invalid", "nobody.local"], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    true(done.returncode == 1 and "there is no such name" in done.stderr and "libnss-mdns" in done.stderr, done.stderr)
    same(fleet.devices[0].asked, None)


@test
@full
def two_hundred_devices_of_which_ten_fail_are_brought_to_the_new_firmware_and_nothing_is_lost():
    chance = random.Random(16)
    kinds = ["off", "mute", "password", "full", "foreign", "dead", "restored", "stuck", "cut", "cut"]
    faults = dict(zip(chance.sample(range(1, 200), 10), kinds))
    fleet = Fleet(200, faults)
    harmful = {i for i, fault in faults.items() if fault in ("dead", "restored", "stuck")}
    rounds = 0
    while True:
        begin = time.monotonic()
        status, report, err = fleet.push("--jobs", "16", wait=60, timeout=30)
        seconds = time.monotonic() - begin
        told = results(report)
        note(f"round {rounds + 1}: {seconds:.1f} s, {report['upgraded']} upgraded, {report['same']} had it, {report['failed']} failed, "
             f"{report['not_begun']} not begun; {seconds / max(1, report['upgraded']):.2f} s a device; molt push itself took "
             f"{fleet.used_seconds:.1f} s of one core, and the devices shared {os.cpu_count()}")
        fleet.check_nothing_is_lost(report)
        rounds += 1
        wrong = [i for i in harmful if told[i] == "failed"]
        if not wrong:
            break
        true(report["not_begun"] > 0 or rounds > 1, "it stopped")
        same(report["stopped_at"] in [fleet.hosts[i] for i in wrong], True, "where an upgrade went wrong")
        for i in wrong:
            fleet.devices[i].fault = None
        harmful.difference_update(wrong)
        true(rounds < 5, "it comes to an end")
    same({told[i] for i in range(200) if i not in faults}, {"upgraded", "same"}, "all that have no fault")
    same(sorted(i for i in range(200) if told[i] == "failed"), sorted(i for i, f in faults.items() if f in kinds[:5]), "and the rest is told of")
    note(f"in all {len(faults)} of 200 had a fault: {', '.join(sorted(faults.values()))}")


def main():
    # Each device has an event loop, a listener and connections.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    is_full = "--full" in sys.argv  # it has figures of time: one test has the machine
    if not is_full:
        tap.TESTS[:] = [t for t in tap.TESTS if t not in FULL]
    # They are there before two tests want them at once.
    template()
    for image in (OLD, NEW):
        packed(image)
    return tap.main([w for w in sys.argv[1:] if w != "--full"], jobs=1 if is_full else 2)


if __name__ == "__main__":
    sys.exit(main())
