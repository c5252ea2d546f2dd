#!/usr/bin/env python3
"""`molt frozen` on dumps, as TAP.

usage: test_frozen.py MOLT FIRMWARE      the tool, and a MicroPython; the .mpy files are those of the fuzz corpus
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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
        for what, why in ((f"{MPY / 'hello'}:a..b", "name"), (f"{ROOT / 'Makefile'}:x", "no .mpy"),
                          *((f"{MPY / 'hello'}:{name}", "choose another") for name in ("molt", "_boot", "flashbdev", "inisetup"))):
            status, out, err = molt("add", dump, what)
            check(status == 1 and dump.read_bytes() == before and why in err, f"refused: {what.rpartition(':')[2]}", err)
        status, out, err = molt("rm", dump, "nothing")
        check(status == 1 and "no frozen module" in err and "frozen ls" in err, "what is not there cannot be removed", err)
        broken = bytearray(before)
        broken[listed[0]["address"] + 20] ^= 1
        dump.write_bytes(broken)
        status, out, err = molt("check", dump)
        check(status == 1 and "DAMAGED" in out, "check finds a changed byte", out)
        dump.write_bytes(before)
        check(molt("rm", dump, "pkg.hello")[0] == 0 and "deleted" in molt("check", dump)[1], "a module is removed")
        check(molt("frob", dump)[0] == 2 and molt("add", dump)[0] == 2, "mistakes on the command line")
    print("1..%d" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
