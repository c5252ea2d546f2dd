#!/usr/bin/env python3
"""MicroPython's own tests as dynamic frozen modules, as TAP: linked, they print what they print otherwise.

    tests/e2e/test_frozen_same.py [FOLDER...]     of basics, float, micropython

FIRMWARE=mpy2-A takes another firmware, c3-A that of the virtual ESP32-C3. FROZEN_STEP=N takes every N-th test from FROZEN_FIRST on; 1 takes all.

Each is compiled by mpy-cross, with native code where the test has some, added, and imported linked after a reset.
What it prints has to be what the same test prints as a .py file; where the device cannot compile that, or compiles
it to something else (mpy-cross puts in numbers for math.pi and its like), what the same .mpy prints from the
filesystem; and where there is no memory for that either, what MicroPython's sources say that it prints.
"""
import collections
import os
import re
import subprocess
import sys

import c3rig
from frozenrig import ARCH, IS_C3, MICROPY, NAME, compile_mpy, fresh, listed, main_or_skip
from rig import KB, note, same, test, true

STEP = int(os.environ.get("FROZEN_STEP", "8"))
FIRST = int(os.environ.get("FROZEN_FIRST", "0"))
BATCH = 25
# On the ESP32-C3: room for a batch.
ROOMY = c3rig.frozen_table(("frozen", *c3rig.FROZEN[1:3], 0x1A0000, 384 * KB))
# What prints something else with each run, and what else cannot be compared.
NOT_COMPARABLE = {
    "meminfo": "prints how much memory is in use",
    "memstats": "prints how much memory is in use",
}
CODE = "import sys\nsys.path[:] = [%r]\ntry:\n import t_%s\nexcept BaseException as e:\n print('raised', type(e).__name__)\n"


def stable(text):
    """Without addresses, and the two names of a module's file."""
    return re.sub(r"0x[0-9a-f]+", "0x", text)


class Tally:
    def __init__(self):
        self.done = collections.Counter()
        self.skipped = collections.defaultdict(list)
        self.wrong = []
        self.in_ram = 0

    def tell(self, folder):
        for how, count in self.done.items():
            note(f"{count} as {how}")
        for why, names in sorted(self.skipped.items()):
            shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
            note(f"{len(names)} skipped: {why}: {shown}")
        if IS_C3:
            note(f"{self.in_ram} are loaded into RAM: they have native code or complex constants")
        for line in self.wrong:
            note(line)
        true(not self.wrong, f"{len(self.wrong)} of {folder} print something else")
        true(sum(self.done.values()) > 0, "some are compared")


def chosen(folder, tally):
    """The tests, as (name, source, .mpy, what it should print)."""
    for path in sorted((MICROPY / "tests" / folder).glob("*.py"))[FIRST::STEP]:
        if path.stem in NOT_COMPARABLE:
            tally.skipped[NOT_COMPARABLE[path.stem]].append(path.stem)
            continue
        source = path.read_text(errors="replace")
        expected = path.with_name(path.name + ".exp")
        try:
            mpy = compile_mpy(source, "-march=" + ARCH)
        except subprocess.CalledProcessError:
            tally.skipped["mpy-cross does not compile it"].append(path.stem)
            continue
        yield path.stem, source, mpy, expected.read_text(errors="replace") if expected.exists() else None


def compare(board, name, expected, tally):
    linked = board.run(CODE % (".frozen", name), status=None)
    plain = board.run(CODE % ("/p", name), status=None, plugin=False)
    if (linked.status, stable(linked.out)) == (plain.status, stable(plain.out)):
        if linked.out.startswith("SKIP"):
            tally.skipped["it says SKIP: this port has not what it is about"].append(name)
        else:
            tally.done[".py"] += 1
        return
    file = board.run(CODE % ("/m", name), status=None, plugin=False)
    if (linked.status, stable(linked.out)) == (file.status, stable(file.out)):
        is_memory = "MemoryError" in plain.out or plain.status != 0
        tally.done[".mpy from the filesystem" + (", no memory to compile it" if is_memory else ", compiled otherwise on the device")] += 1
    elif "MemoryError" in file.out and expected is not None and linked.out == expected:
        tally.done["MicroPython says, no memory for it from the filesystem"] += 1
    else:
        tally.wrong.append(f"{name}: {linked.status} {linked.out[-150:]!r}, as .py {plain.status} {plain.out[-150:]!r}, "
                           f"as .mpy {file.status} {file.out[-150:]!r}")


def run_batch(batch, tally):
    files = {f"m/t_{name}.mpy": mpy for name, _, mpy, _ in batch} | {f"p/t_{name}.py": source.encode() for name, source, _, _ in batch}
    board = fresh(NAME, files=files, **({"table": ROOMY} if IS_C3 else {}))
    added = board.run("import esp, os\nfor n in os.listdir('/m'):\n try: esp.add_frozen('/m/' + n, n[:-4])\n"
                      " except OSError as e: print('refused', n, e)", timeout=120)
    refused = {name: why for name, why in re.findall(r"refused t_(\w+)\.mpy (.*)", added.out)}
    sources = {f"t_{name}": (source, mpy) for name, source, mpy, _ in batch}
    for module in listed(board):
        source, mpy = sources[module[0]]
        in_ram = IS_C3 and (mpy[2] >> 2 or re.search(r"\dj", source) is not None and module[3] is None)
        same(module[3:5], (None if in_ram else True, True), f"{module[0]}: linked, compatible")
        tally.in_ram += bool(in_ram)
    for name, _, _, expected in batch:
        if name in refused:
            tally.skipped[refused[name].strip()].append(name)
        else:
            compare(board, name, expected, tally)
    board.remove()


def folder_test(folder):
    tally = Tally()
    batch = []
    for one in chosen(folder, tally):
        batch.append(one)
        if len(batch) == BATCH:
            run_batch(batch, tally)
            batch = []
    if batch:
        run_batch(batch, tally)
    tally.tell(folder)


@test
def basics():
    """MicroPython's tests/basics print, added and linked, what they print otherwise"""
    folder_test("basics")


@test
def floats():
    """MicroPython's tests/float print, added and linked, what they print otherwise"""
    folder_test("float")


@test
def micropython():
    """MicroPython's tests/micropython, native and viper code too, print, added and linked, what they print otherwise"""
    folder_test("micropython")


if __name__ == "__main__":
    sys.exit(main_or_skip())
