#!/usr/bin/env python3
"""`molt frozen` on dumps, as TAP.

usage: test_frozen.py MOLT FIRMWARE      the tool, and a MicroPython; the .mpy files are those of the fuzz corpus
"""

import json
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "vectors"))
sys.dont_write_bytecode = True
import make_stores  # noqa: E402

MOLT, FIRMWARE = (Path(a).resolve() for a in sys.argv[1:]) if len(sys.argv) == 3 else sys.exit(__doc__)
MPY = ROOT / "tests" / "fuzz" / "corpus" / "mpy"
count = failed = 0


def check(condition, name, why=""):
    global count, failed
    count += 1
    failed += not condition
    print("%sok %d - %s" % ("" if condition else "not ", count, name))
    if not condition:
        print("# %s" % why)


def molt(*words):
    done = subprocess.run([MOLT, "frozen", *map(str, words)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def make_dump(path):
    subprocess.run([MOLT, "mkflash", path, "--size", "4M", "--firmware", FIRMWARE], check=True, capture_output=True)


def make_files(folder, good):
    """Files that are refused, and why."""
    files = {"empty": (b"", "cut short"), "cut": (good[:-3], "cut short"), "long": (good + b"x", "behind its end"),
             "version": (good[:1] + b"\5" + good[2:], "not of version 6"), "later": (good[:2] + b"\x40" + good[3:], "later MicroPython"),
             "arch": (good[:2] + b"\x2b" + good[3:], "another processor"), "small": (good[:3] + b"\x3f" + good[4:], "wider small integers"),
             "sub": (good[:2] + b"\x26" + good[3:], "another version of MicroPython")}
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    return [(folder / name, why) for name, (_, why) in files.items()]


def main():
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "dump.bin"
        make_dump(dump)
        status, out, err = molt("ls", dump)
        check(status == 0 and "0 modules" in out, "an empty store is listed", err)
        status, out, err = molt("add", dump, f"{MPY / 'hello'}:pkg.hello")
        check(status == 0, "a module is added", err)
        before = dump.read_bytes()
        check(molt("add", dump, f"{MPY / 'hello'}:pkg.hello")[0] == 0 and dump.read_bytes() == before, "the same again writes nothing")
        check(dump.read_bytes().count((MPY / "hello").read_bytes()) == 1, "it stands in the dump byte for byte")
        status, out, err = molt("ls", dump, "--json")
        listed = json.loads(out)
        check([m["name"] for m in listed] == ["pkg.hello"] and listed[0]["state"] == "ok", "ls --json", out)
        made = make_files(Path(folder), (MPY / "hello").read_bytes())
        bad = [(f"{MPY / 'hello'}:a..b", "cannot be a module's name"), (f"{MPY / 'hello'}:{'x' * 64}", "63 characters at most"),
               (f"{MPY / 'hello'}:_boot", "firmware's own"), (f"{MPY / 'hello'}:molt", "firmware's own"),
               (f"{MPY / 'hello'}:inisetup", "firmware's own"), (f"{MPY / 'hello'}:flashbdev.x", "firmware's own"),
               (f"{ROOT / 'Makefile'}:x", "no .mpy"), (f"{Path(folder) / 'nowhere.mpy'}", "nowhere.mpy")]
        bad += [(f"{path}:x", why) for path, why in made]
        for what, why in bad:
            status, out, err = molt("add", dump, what)
            check(status == 1 and dump.read_bytes() == before and why in err, f"refused: {why}", f"{status} {err}")
        status, out, err = molt("rm", dump, "nothing")
        check(status == 1 and "no frozen module" in err and "frozen ls" in err, "what is not there cannot be removed", err)
        broken = bytearray(before)
        broken[listed[0]["address"] + 20] ^= 1
        dump.write_bytes(broken)
        status, out, err = molt("check", dump)
        check(status == 1 and "DAMAGED" in out, "check finds a changed byte", out)
        big = Path(folder) / "big.mpy"
        big.write_bytes(make_stores.mpy(["big.py"], 60000))
        dump.write_bytes(before)
        added = [molt("add", dump, f"{big}:big{i}") for i in range(6)]
        count_fit = sum(status == 0 for status, _, _ in added)
        check(0 < count_fit < 6 and added[-1][0] == 1 and "there is no room for big5" in added[-1][2], "a full store says so", added[-1][2])
        check(len(json.loads(molt("ls", dump, "--json")[1])) == 1 + count_fit and molt("check", dump)[0] == 0, "and is whole")
        header = before.index(b"pkg.hello\0") - 64
        broken = bytearray(before)
        broken[header + 8] ^= 1
        dump.write_bytes(broken)
        status, out, err = molt("check", dump)
        check(status == 1 and "the store is damaged" in err, "check finds a changed header", out + err)
        status, out, err = molt("add", dump, f"{MPY / 'hello'}:other")
        check(status == 1 and "damaged" in err and dump.read_bytes() == bytes(broken), "nothing is added to a damaged store", err)
        foreign = bytearray(before)
        foreign[listed[0]["address"] + 1] = 5
        struct.pack_into("<I", foreign, header + 12, zlib.crc32(foreign[listed[0]["address"]:][:listed[0]["size"]]))
        fields = zlib.crc32(foreign[header + 64:header + 128], zlib.crc32(foreign[header + 4:header + 16]))
        struct.pack_into("<I", foreign, header + 16, fields)
        dump.write_bytes(foreign)
        status, out, err = molt("check", dump)
        check(status == 0 and "incompatible" in out and "pkg.hello" in out, "one of another version is listed", out + err)
        blank = Path(folder) / "blank.bin"
        blank.write_bytes(b"\xff" * 0x400000)
        for path, why in ((blank, "no MicroPython"), (Path(folder) / "none.bin", "none.bin"), (made[0][0], made[0][0].name)):
            status, out, err = molt("ls", path)
            check(status == 1 and why in err, f"no dump: {path.name}", f"{status} {err}")
        dump.write_bytes(before)
        check(molt("rm", dump, "pkg.hello")[0] == 0 and "deleted" in molt("check", dump)[1], "a module is removed")
        check(molt("frob", dump)[0] == 2 and molt("add", dump)[0] == 2, "mistakes on the command line")
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
