#!/usr/bin/env python3
"""Upgrades from delta files on the virtual ESP8266, as TAP: the shipped boot loader and its extension, MicroPython 1.25 and 1.26 on a
board of 1 MB with the stock flash map.

    tests/e2e/test_delta.py [--all] [WORD...]     only the tests with a WORD in their names; --all: more cuts
"""
import random
import sys

from checks import attempt, landed, target_is
from rig import (BUILD, CUT, FS_START_1M, SECTOR, Skip, firmware, fresh, main, note, same, same_bytes, scratch, test, tool, true, user_files)

OLD, NEW = "mpy-A-1M", "mpy2-A-1M"
ALL = "--all" in sys.argv
CODE = "import molt; molt.fwupdate('fw.delta')"


def image(name):
    path = BUILD / name / "firmware.bin"
    if not path.exists():
        raise Skip(f"there is no {name}/firmware.bin")
    return path


def delta(old, new):
    out = scratch(f"{old}-{new}.delta")
    said = tool("delta", image(old), image(new), out)
    return out.read_bytes(), said


def board_with(**files):
    files = {**user_files(), **{f"{name}.delta": data for name, data in files.items()}}
    return fresh(OLD, "1M", files), files


@test
def there_and_back():
    """A board of 1 MB goes from 1.25 to 1.26 by a delta file on its own filesystem, and back by the reverse one"""
    there, _ = delta(OLD, NEW)
    back, _ = delta(NEW, OLD)
    # Both have a map that pointers and calls are predicted with: an odd number, which says how many entries it has.
    maps = [int.from_bytes(data[4:6], "little") for data in (there, back)]
    true(all(count % 2 and count > 40 for count in maps), f"maps: {maps}")
    board, files = board_with(fw=there, back=back)
    before = board.flash()
    run = board.run(CODE)
    true(run.runs(NEW), f"{NEW} comes up: {run.lines()[-3:]}")
    note(f"{len(there)} bytes there, {len(back)} back, maps of {maps[0] // 2} and {maps[1] // 2} entries; {run.stats['sector_erases']} sector erases, {run.stats['flash_seconds']:.1f} s of flash time")
    same(landed(board, before, NEW, files, FS_START_1M)["result"], "ok", "status")
    before = board.flash()
    run = board.run("import molt; molt.fwupdate('back.delta')")
    true(run.runs(OLD), f"{OLD} comes up: {run.lines()[-3:]}")
    landed(board, before, OLD, files, FS_START_1M)


@test
def what_is_in_place_and_what_is_for_another():
    """The same file again writes nothing; one that is for another firmware is refused, with both names; erase_all too"""
    there, _ = delta(OLD, NEW)
    other, _ = delta(NEW, "mpy-B-1M")
    board, _ = board_with(fw=there, other=other)
    flash = board.flash()
    _, _, _, sentence = attempt(board, "molt.fwupdate('other.delta')")
    true("made for another firmware" in sentence and "v1.26" in sentence and "v1.25" in sentence, sentence)
    _, _, _, sentence = attempt(board, "molt.fwupdate('fw.delta', erase_all=True)")
    true("cannot be erased" in sentence, sentence)
    same_bytes(board.flash(), flash, "flash")
    true(board.run(CODE).runs(NEW), "it goes there")
    flash = board.flash()
    true("in place already" in board.run(CODE).out, "in place")
    same_bytes(board.flash(), flash, "flash")


@test
def a_damaged_file():
    """A delta file that is damaged or cut short is refused, flash unchanged"""
    there, _ = delta(OLD, NEW)
    bad = bytearray(there)
    bad[len(bad) // 2] ^= 4
    board, _ = board_with(bad=bytes(bad), short=there[:-100], none=there[:80])
    flash = board.flash()
    for name in ("bad", "short"):
        _, _, _, sentence = attempt(board, f"molt.fwupdate('{name}.delta')")
        true("delta file is damaged" in sentence, sentence)
    attempt(board, "molt.fwupdate('none.delta')")
    same_bytes(board.flash(), flash, "flash")


@test
def a_trial_falls_back():
    """In resident mode a trial of a firmware that came by a delta file falls back by one, byte for byte; what leads elsewhere is refused"""
    there, _ = delta("mpy-A", "mpy2-A")
    back, _ = delta("mpy2-A", "mpy-A")
    other, _ = delta("mpy-B", "mpy-A")
    board = fresh("mpy-A", files={**user_files(), "fw.delta": there, "back.delta": back, "other.delta": other})
    board.run("import molt; molt.install()")
    before = board.flash()
    for wrong, words in (("fw.delta", "does not lead from the new firmware"), ("other.delta", "does not lead back from this image")):
        _, _, _, sentence = attempt(board, f"import molt; molt.fwupdate('fw.delta', fallback='{wrong}', verbose=False)")
        true(words in sentence, sentence)
        same_bytes(board.flash(), before, "flash")
    run = board.run("import molt; molt.fwupdate('fw.delta', fallback='back.delta', trial_starts=2, verbose=False)")
    true(run.runs("mpy2-A"), f"the new firmware is on trial: {run.lines()[-3:]}")
    true(board.run().runs("mpy2-A"), "its second start")
    true(board.run().runs("mpy-A"), "then the old one is back")
    same(board.run("import molt; print(molt.status()['result'])").lines()[-1], "rolled back", "status")
    size = len(firmware("mpy-A"))
    same_bytes(board.flash()[SECTOR:size], before[SECTOR:size], "the old firmware behind its first sector")


@test
def power_cuts():
    """Cut anywhere in the upgrade, and once more in the recovery, the board ends with the new firmware, byte for byte"""
    there, _ = delta(OLD, NEW)
    board, _ = board_with(fw=there)
    start = board.flash()
    # What the firmware prepares is in the first run, the boot loader's work in the next one.
    prepared, _ = board_with(fw=there)
    prepared.run("import molt; molt.fwupdate('fw.delta', reset=False)")
    ready = prepared.flash()
    ops = prepared.run().ops
    coins = random.Random(7)
    count = 60 if ALL else 8
    points = sorted(coins.randrange(len(ops) - 17) for _ in range(count)) + [3, 5, 9]

    def cut(point):
        one, _ = board_with(fw=there)
        one.path.write_bytes(ready)
        tear = ("random", "before", "after", "prefix")[point % 4]
        same(one.run(cut=f"{point}:{tear}", status=None).status, CUT, f"cut at {point}")
        second = coins.randrange(40)
        one.run(cut=f"{second}:random", status=None)
        true(one.run().runs(NEW), f"after cuts at {point} and {second}")
        target_is(one, start, firmware(NEW), FS_START_1M)
        one.remove()

    for point in points:
        cut(point)
    note(f"{2 * len(points)} cuts in {len(ops)} operations of the boot loader, 0 lost")


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--all"]
    sys.exit(main())
