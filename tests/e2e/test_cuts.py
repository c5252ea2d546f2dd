#!/usr/bin/env python3
"""Power cuts during an upgrade on the virtual ESP8266, on the binaries as shipped, as TAP.

    tests/e2e/test_cuts.py                  8 points spread over the upgrade, its first and last 4 operations, each
                                            with a clean cut and a torn one; runs with three cuts; fewer points for
                                            the upgrade from a gzip file
    tests/e2e/test_cuts.py --all [K/N]      every operation (part K of N)
    tests/e2e/test_cuts.py --cut N:TEAR     one again (--gzip: from a gzip file); the flash file stays

What fails: flash operations of one whole upgrade, from fwupdate() to the last byte of the new first sector, are
numbered from 0. The power is cut in operation N, which the tear leaves done in part (vboard/README.md), and the same
flash file is started again. Expected: the cut has fired; the new firmware runs; flash is byte for byte as after an
upgrade without a cut, but for what the report counts; for a cut in the preparation, after which the user's code
calls fwupdate() once more: flash below the filesystem, the system sectors, and all files.

A cut while sector 0 is rewritten, once by the preparation and once by the boot loader, may leave a board that does not
boot. Those are counted by themselves; nothing but sector 0 may be harmed by them. Where the erase itself is torn the mask
ROM's checksum, one byte, lets one damaged sector in 256 through, and damaged code may run; of the header, which goes in last and
is under no checksum, a bit may be wrong. No other program leaves a sector that starts.
"""
import argparse
import collections
import concurrent.futures
import random
import shutil
import sys
import time
import traceback

from checks import files_are, target_is
from rig import (BRICK, CLEAN, CRASH, CUT, FS_START, SECTOR, TIMEOUT, WORK, Board, Failure, firmware, fresh, same,
                 same_bytes, scratch, tool, true, user_files)

POINTS, ENDS, THREES = 8, 4, 3
GZIP_POINTS = 4
TEARS = ("prefix", "random", "zero", "stray", "suffix")
ANY_TEAR = ("before", "after", *TEARS)
REPORT_SIZE = 16
# What the user's code does at each start until the new firmware is there.
CODE = "import os, molt\nprint(os.uname().version)\nif '-A ' in os.uname().version: molt.fwupdate('firmware.bin', verbose=False)\n"
PAGE = 256
# What may become of a board whose first sector was being rewritten.
DAMAGED = "damaged code runs"
ENDINGS = {CLEAN: "went on", BRICK: "brick", CRASH: "crash", TIMEOUT: "boot loader without a plan"}


class Setting:
    """The upgrade without a cut: where it starts, what it does, where it leads."""

    def __init__(self, image):
        self.files = {**user_files(), "firmware.bin": image}
        board = fresh("mpy-A", files=self.files)
        self.before = board.flash()
        prepare = board.run("import molt; molt.fwupdate('firmware.bin', verbose=False, reset=False)")
        self.prepared = board.flash()
        self.report = [addr for off, addr, _ in board.blocks("molt.head") if off == SECTOR][0]
        loader = board.run()
        true(loader.runs("mpy-B"), "the upgrade without a cut")
        target_is(board, self.before, firmware("mpy-B"))
        files_are(board, self.files)
        self.after = board.flash()
        self.prepare_count = len(prepare.ops)
        self.ops = prepare.ops + loader.ops
        begins = [i for i, op in enumerate(self.ops) if op[:2] == ("sector", 0)]
        same(len(begins), 2, "rewritings of sector 0")
        ends = [next(i for i in range(b, len(self.ops)) if has_first_page(self.ops[b:i + 1])) for b in begins]
        self.windows = list(zip(begins, ends))
        board.remove()


def has_first_page(ops):
    """Whether all pieces of sector 0's first page, which goes in last, are among these operations."""
    return sum(size for kind, addr, size in ops if kind == "page" and addr < PAGE) == PAGE


def in_window(ops, tear):
    """Whether the last of these operations, the one that was cut, belongs to a rewriting of sector 0."""
    begins = [i for i, op in enumerate(ops) if op[:2] == ("sector", 0)]
    if not begins or (begins[-1] == len(ops) - 1 and tear == "before"):
        return False
    return not has_first_page(ops[begins[-1]:] if tear == "after" else ops[begins[-1]:-1])


Result = collections.namedtuple("Result", "name ending why", defaults=("",))


def is_b(run):
    """Whether it is firmware B that the board has ended in."""
    return run.runs("mpy-B") if "MicroPython " in run.out else "-B on " in run.out


def check_after(setting, board, in_prepare):
    """Flash as it has to be after a cut and what followed."""
    if in_prepare:
        target_is(board, setting.before, firmware("mpy-B"))
        files_are(board, setting.files)
        return
    flash, report = board.flash(), setting.report
    same_bytes(flash[:report], setting.after[:report], "flash")
    report += REPORT_SIZE
    same_bytes(flash[report:], setting.after[report:], "flash", report)


def check_window(setting, board, in_prepare):
    """Nothing but sector 0 is harmed."""
    flash, report = board.flash(), setting.report
    reference = setting.before if in_prepare else setting.after
    if in_prepare:
        same_bytes(flash[SECTOR:FS_START], reference[SECTOR:FS_START], "flash behind sector 0", SECTOR)
        files_are(board, setting.files)
    else:
        same_bytes(flash[SECTOR:report], reference[SECTOR:report], "flash behind sector 0", SECTOR)
        same_bytes(flash[report + REPORT_SIZE:], reference[report + REPORT_SIZE:], "flash", report + REPORT_SIZE)


def is_sector_0_right(setting, board):
    """Whether the first sector is the new firmware's."""
    return board.flash()[:SECTOR] == setting.after[:SECTOR]


def cut_once(setting, op, tear, keep=False):
    """Cut the power in operation `op`, start again, look. A Result."""
    in_prepare = op < setting.prepare_count
    board = Board(setting.before if in_prepare else setting.prepared)
    cut = f"{op if in_prepare else op - setting.prepare_count}:{tear}"
    code = CODE if in_prepare else None
    name = f"{op}:{tear}"
    try:
        run = board.run(code, cut=cut, status=None)
        if run.status != CUT:
            return Result(name, "not fired", f"status {run.status}")
        is_window = in_window(run.ops, tear)
        again = board.run(code, status=None, timeout=5 if is_window else 30)
        if again.status != CLEAN:
            true(is_window and again.status in ENDINGS, f"status {again.status}: {again.err[-300:]} {again.out[-300:]!r}")
            check_window(setting, board, in_prepare)
            return Result(name, f"window: {ENDINGS[again.status]}", f"{'install' if in_prepare else 'finish'}")
        if is_window and run.ops[-1][:2] in (("sector", 0), ("page", 0)) and not is_sector_0_right(setting, board):
            check_window(setting, board, in_prepare)
            return Result(name, f"window: {DAMAGED}", "install" if in_prepare else "finish")
        true(is_b(again), f"firmware B runs: {again.out[-200:]!r}")
        check_after(setting, board, in_prepare)
        return Result(name, "window: went on" if is_window else "recovered", "install" if in_prepare else "finish")
    except Failure as failure:
        return Result(name, "lost", str(failure))
    except Exception:
        return Result(name, "lost", traceback.format_exc())
    finally:
        if not keep:
            board.remove()


def cut_thrice(setting, seed):
    """Three cuts at random places, one after the other in the order of the upgrade. A Result."""
    rng = random.Random(seed)
    last = setting.windows[-1][0]
    begin = 0 if seed % 3 == 0 else setting.prepare_count
    points = sorted(rng.randrange(begin, last) for _ in range(3))
    if seed % 3 == 0:
        points[0] = rng.randrange(setting.prepare_count)
    board = Board(setting.before if begin == 0 else setting.prepared)
    name, position, run = f"seed {seed}", begin, None
    try:
        for point in points:
            # A preparation that was cut starts over.
            position = position if position >= setting.prepare_count else 0
            tear = rng.choice(ANY_TEAR)
            name += f" {point - position}:{tear}"
            run = board.run(CODE, cut=f"{point - position}:{tear}", status=None)
            if run.status in (BRICK, CRASH, TIMEOUT) and position:
                break
            if run.status != CUT:
                return Result(name, "not fired", f"status {run.status}: {run.err[-200:]}")
            if in_window(run.ops, tear):
                return Result(name, "window: stopped")
            position = point
        again = board.run(CODE, status=None)
        same(again.status, CLEAN, f"status: {again.err[-300:]}")
        true(is_b(again), f"firmware B runs: {again.out[-200:]!r}")
        check_after(setting, board, begin == 0)
        return Result(name, "recovered")
    except Failure as failure:
        return Result(name, "lost", str(failure))
    finally:
        board.remove()


def cut_again_and_again(setting):
    """The power fails every two hundred pages or so, until nearly all is done; then it stays."""
    board = Board(setting.prepared)
    left, count = setting.windows[-1][0] - setting.prepare_count, 0
    try:
        while left > 8 * 160:
            step = 8 * (197 + 5 * count % 41) + count % 8
            tear = ANY_TEAR[count % len(ANY_TEAR)]
            same(board.run(cut=f"{step}:{tear}", status=None).status, CUT, f"cut {count}")
            left -= step
            count += 1
        run = board.run()
        true(run.runs("mpy-B"), "firmware B runs")
        check_after(setting, board, False)
        return Result(f"{count} cuts", "recovered")
    except Failure as failure:
        return Result(f"cut {count}", "lost", str(failure))
    finally:
        board.remove()


# ---- which cuts, and what came of them

def spread(setting, points, ends):
    """Operation and tear of each cut: so many points, the first and last operations, and both rewritings of sector 0: an
    operation of every ninth page, all of the first page's, which goes in last."""
    count = len(setting.ops)
    ops = {i * (count - 1) // (points - 1) for i in range(points)} | set(range(ends)) | set(range(count - ends, count))
    for begin, end in setting.windows if ends else ():
        ops |= set(range(begin, end, 72)) | set(range(end - 8, end + 1))
    # A clean cut or a torn one.
    return [(op, ANY_TEAR[number % len(ANY_TEAR)]) for number, op in enumerate(sorted(ops))]


def both_ways(ops):
    """A clean cut and a torn one for each operation."""
    return [(op, tear) for number, op in enumerate(ops) for tear in ("before", TEARS[number % len(TEARS)])]


class Tap:
    def __init__(self, count):
        self.number, self.failed = 0, 0
        print(f"1..{count}")

    def say(self, fact, bad=()):
        """One fact; `bad` are the results that speak against it."""
        self.number += 1
        self.failed += bool(bad)
        print(f"{'not ok' if bad else 'ok'} {self.number} - {fact}")
        for result in bad[:20]:
            print(f"#   {result.name}: {result.ending}: {result.why}")
        sys.stdout.flush()


def summary(setting, results):
    endings = collections.Counter(r.ending for r in results)
    windows = sum(n for ending, n in endings.items() if ending.startswith("window"))
    print(f"# {len(results)} cuts fired: {endings['recovered']} recovered, {windows} while sector 0 was rewritten, "
          f"{endings['lost']} lost")
    for where, (begin, end) in zip(("install", "finish"), setting.windows):
        inside = collections.Counter(r.ending.partition(": ")[2] for r in results
                                     if r.ending.startswith("window") and r.why == where)
        what = {"install": "the boot sector goes in", "finish": "the new first sector goes in"}[where]
        told = ", ".join(f"{n} {ending}" for ending, n in sorted(inside.items())) or "no cut"
        print(f"#   window '{what}', operations {begin} to {end}: {told}")


def make_cuts(setting, cuts, tap, words):
    """Make these cuts and tell what came of them."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda cut: cut_once(setting, *cut), cuts))
    fired = [r for r in results if r.ending != "not fired"]
    tap.say(f"{words}: {len(cuts)} power cuts in {len({op for op, _ in cuts})} of {len(setting.ops)} operations have all fired",
            [r for r in results if r.ending == "not fired"])
    tap.say(f"{words}: after each cut outside the rewriting of sector 0 the new firmware runs, and flash is right byte for byte",
            [r for r in fired if r.ending == "lost"])
    summary(setting, fired)
    bricks = [r for r in fired if r.ending.startswith("window") and r.ending != "window: went on"]
    allowed = {f"{op}" for b, e in setting.windows for op in range(b, e + 1)}
    tap.say(f"{words}: only cuts in the two rewritings of sector 0 end without a firmware, and they harm nothing else",
            [r for r in bricks if r.name.partition(":")[0] not in allowed])


def run_spread(tap):
    """The ordinary run."""
    setting = Setting(firmware("mpy-B"))
    make_cuts(setting, spread(setting, POINTS, ENDS), tap, "plain image")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        threes = list(pool.map(lambda seed: cut_thrice(setting, seed), range(THREES)))
        tap.say(f"{len(threes)} runs with three cuts each, one after the other, come to the same end",
                [r for r in threes if r.ending in ("lost", "not fired")])
        ends = collections.Counter(r.ending for r in threes)
        print(f"#   {ends['recovered']} recovered, {ends['window: stopped']} met a rewriting of sector 0, {ends['lost']} lost")
    often = cut_again_and_again(setting)
    tap.say(f"a supply that fails again and again ({often.name}) gets there too", [often] if often.ending == "lost" else [])
    setting = Setting(packed(firmware("mpy-B")))
    make_cuts(setting, spread(setting, GZIP_POINTS, 0), tap, "gzip file")


def packed(image):
    plain, gz = scratch("plain.bin"), scratch("packed.gz")
    plain.write_bytes(image)
    tool("compress", plain, gz)
    return gz.read_bytes()


def run_all(part):
    begin = time.monotonic()
    if part:
        tap = Tap(3)
        setting = Setting(firmware("mpy-B"))
        make_cuts(setting, both_ways(range(part[0] - 1, len(setting.ops), part[1])), tap, f"part {part[0]} of {part[1]}")
    else:
        tap = Tap(8)
        run_spread(tap)
    print(f"# {time.monotonic() - begin:.0f} s")
    return 1 if tap.failed else 0


def parse_part(text):
    part, _, parts = text.partition("/")
    return int(part), int(parts)


def main():
    parser = argparse.ArgumentParser(description="Power cuts during an upgrade on the virtual ESP8266.")
    parser.add_argument("--all", nargs="?", const="1/1", metavar="K/N", help="every operation, or part K of N of that")
    parser.add_argument("--cut", metavar="N:TEAR", help="one cut, its flash file is kept")
    parser.add_argument("--gzip", action="store_true", help="with --cut: the upgrade is from a gzip file")
    args = parser.parse_args()
    work = WORK / (args.all.replace("/", "of") if args.all else "one" if args.cut else "spread")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    import rig
    rig.WORK = work
    if args.cut:
        setting = Setting(packed(firmware("mpy-B")) if args.gzip else firmware("mpy-B"))
        op, _, tear = args.cut.partition(":")
        result = cut_once(setting, int(op), tear or "before", keep=True)
        print(f"{result.name}: {setting.ops[int(op)]}: {result.ending} {result.why}\nthe flash file is in {work}")
        return 1 if result.ending in ("lost", "not fired") else 0
    return run_all(parse_part(args.all) if args.all else None)


if __name__ == "__main__":
    sys.exit(main())
