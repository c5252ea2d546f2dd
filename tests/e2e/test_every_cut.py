#!/usr/bin/env python3
"""Power cuts in every operation of whole upgrades, with every tear, on the virtual ESP8266 and the boot loaders as shipped,
as TAP. The images are small ones, so that all can be cut; test_cuts.py cuts upgrades of MicroPython.

    tests/e2e/test_every_cut.py [NAME...]      all scenarios, or those
    tests/e2e/test_every_cut.py --sample N     every N-th operation of each

A scenario begins with a flash file from which a cold start carries something out: the preparation of an upgrade, an upgrade from a raw image or from a
gzip file; in resident mode that, an upgrade on trial, the rollback of one, the start that counts a trial, confirm(). The
power is cut in operation n, which the tear leaves done in part, and the same flash file is started again until it comes to
rest. Then the firmware that has to be there runs, and flash is right byte for byte.

Without resident mode the last operations, which rewrite sector 0, may end without a firmware; in resident mode none may.
"""
import argparse
import concurrent.futures
import random
import shutil
import sys
import time

import rig
from checks import files_are
from rig import (CLEAN, CUT, FS_START, MB, SECTOR, SMALL_PROGRAM_SAYS, WORK, Board, Failure, firmware, fresh, same,
                 same_bytes, scratch, small_program, tool, true, user_files)

TEARS = ("before", "after", "prefix", "suffix", "random", "zero", "stray")
# Sixteen sectors that are rewritten one by one, and six in a block that is erased as a whole.
IMAGE_SIZE = 22 * SECTOR - 700
REPORT_SIZE = 16
PREPARE = "import molt\nmolt.fwupdate('c.bin', verbose=False, reset=False{})\n"


def program(seed):
    """A small program, and behind what is loaded of it noise that no two programs share."""
    start = small_program(9000)
    return start + random.Random(seed).randbytes(IMAGE_SIZE - len(start))


C, D = program(3), program(4)


class Scenario:
    """What a start of `prepared` does, and what has to come of it."""

    def __init__(self, name, prepared, image, code=None, starts=1, says=SMALL_PROGRAM_SAYS, may_brick=False):
        self.name, self.prepared, self.image, self.code, self.says = name, prepared, image, code, says
        self.starts, self.may_brick = starts, may_brick
        board = Board(prepared)
        self.ops = board.run(code).ops
        self.come_to_rest(board, self.starts - 1)
        self.after = self.after_window = board.flash()
        board.remove()

    def come_to_rest(self, board, count):
        """Further starts; the last run."""
        run = None
        for _ in range(count):
            run = board.run(self.code, status=None, timeout=5)
        return run

    def in_window(self, op):
        """Whether operation `op` belongs to the rewriting of sector 0 at the end."""
        first = max((i for i, o in enumerate(self.ops) if o[:2] == ("sector", 0)), default=len(self.ops))
        return self.may_brick and op >= first

    def check(self, board, first=0):
        """From `first` on flash is as it is without a cut, but for the journals, logs and reports, which may count more
        starts."""
        flash, wanted = board.flash(), self.after_window if first else self.after
        for begin, end in self.compared(wanted):
            begin = max(begin, first)
            same_bytes(flash[begin:end], wanted[begin:end], "flash", begin)

    def compared(self, wanted):
        spared = sorted(self.spared)
        begins = [0] + [addr + size for addr, size in spared]
        ends = [addr for addr, _ in spared] + [len(wanted)]
        return zip(begins, ends)

    spared = ()
    step = None  # of a sample, where there are few operations


def cut_once(scenario, op, tear):
    """What came of one cut: "recovered", "window", or "lost: why"."""
    board = Board(scenario.prepared)
    try:
        run = board.run(scenario.code, cut=f"{op}:{tear}", status=None)
        if run.status != CUT:
            return f"lost: {op}:{tear}: not fired, status {run.status}"
        run = scenario.come_to_rest(board, scenario.starts)
        try:
            same(run.status, CLEAN, f"status: {run.err[-200:]} {run.out[-200:]!r}")
            true(scenario.says in run.out, f"the firmware that has to be there runs: {run.out[-200:]!r}")
            scenario.check(board)
        except Failure:
            if not scenario.in_window(op):
                raise
            # Whatever a half of sector 0 does, nothing but sector 0 may be harmed by the cut.
            scenario.check(board, SECTOR)
            return "window"
        return "recovered"
    except Failure as failure:
        return f"lost: {op}:{tear}: {failure}"
    finally:
        board.remove()


# ---- the scenarios

def prepared(files, options="", resident=False):
    board = fresh("mpy-A", files={**user_files(), **files})
    if resident:
        board.run("import molt; molt.install()")
    board.run(PREPARE.format(options))
    return board


def reserved_of(board):
    """What of the reserved region may differ: the plans' journals and the state log."""
    place = board.run("import molt, molt_map; print(molt_map.find('reserved'))").value()[0]
    return [(place + 2 * SECTOR, 4 * SECTOR)]


def transient(name, files):
    board = prepared(files)
    report = [addr for off, addr, _ in board.blocks("molt.head") if off == SECTOR][0]
    scenario = Scenario(name, board.flash(), C, may_brick=True)
    scenario.spared = [(report, REPORT_SIZE)]
    return scenario


def raw():
    """an upgrade from a raw image"""
    return transient("raw", {"c.bin": C})


def packed_c():
    plain, gz = scratch("plain.bin"), scratch("packed.gz")
    plain.write_bytes(C)
    tool("compress", plain, gz)
    return gz.read_bytes()


def gzip():
    """an upgrade from a gzip file"""
    return transient("gzip", {"c.bin": packed_c()})


def resident_scenario(name, files, options="", **settings):
    place = reserved_of(fresh("mpy-A"))
    board = prepared(files, options, resident=True)
    scenario = Scenario(name, board.flash(), C, **settings)
    scenario.spared = place
    return scenario


def resident():
    """in resident mode, an upgrade from a raw image"""
    return resident_scenario("resident", {"c.bin": C})


def resident_gzip():
    """in resident mode, an upgrade from a gzip file"""
    return resident_scenario("resident_gzip", {"c.bin": packed_c()})


TRIAL = ", fallback='d.bin', trial_starts=1"


def trial():
    """in resident mode, an upgrade on trial that nobody confirms, to the end of the rollback"""
    return resident_scenario("trial", {"c.bin": C, "d.bin": D}, TRIAL, starts=2)


def rollback():
    """in resident mode, the rollback of a trial that nobody confirmed"""
    place = reserved_of(fresh("mpy-A"))
    board = prepared({"c.bin": C, "d.bin": D}, TRIAL, resident=True)
    board.run()
    scenario = Scenario("rollback", board.flash(), D)
    scenario.spared = place
    return scenario


def confirm():
    """in resident mode, the confirmation of a trial"""
    place = reserved_of(fresh("mpy-A"))
    board = fresh("mpy-A", files={**user_files(), "firmware.bin": firmware("mpy-B"), "old.bin": firmware("mpy-A")})
    board.run("import molt; molt.install()")
    board.run("import molt; molt.fwupdate('firmware.bin', fallback='old.bin', trial_starts=9, verbose=False)")
    scenario = Scenario("confirm", board.flash(), firmware("mpy-B"),
                        code="import molt\nmolt.confirm()\nprint(molt.status()['result'])", says="confirmed")
    scenario.spared = place
    return scenario


class Preparation(Scenario):
    """The start of `prepared` is a program's that calls fwupdate(); another one carries out what it prepared."""

    def come_to_rest(self, board, count):
        # Where the cut came behind the last operation the first of these starts upgrades already, and nobody takes the code.
        run = board.run(self.code, status=None, timeout=5) if count == self.starts else None
        return board.run(status=None, timeout=5) if count else run

    def check(self, board, first=0):
        super().check(board, first)
        files_are(board, {**user_files(), "c.bin": C})


def preparation(name, board, spared=(), **settings):
    scenario = Preparation(name, board.flash(), C, code=PREPARE.format(""), starts=2, **settings)
    # littlefs writes molt.head once more after a cut, in other places; the files are compared one by one.
    # The rewriting of sector 0 comes first here: where that is cut the image has not been touched.
    scenario.after_window = scenario.prepared
    scenario.step = len(scenario.ops) // 4 + 1
    scenario.spared = [(FS_START, 4 * MB - 5 * SECTOR - FS_START), *spared]
    return scenario


def prepare():
    """the preparation of an upgrade"""
    return preparation("prepare", fresh("mpy-A", files={**user_files(), "c.bin": C}), may_brick=True)


def prepare_resident():
    """in resident mode, the preparation of an upgrade"""
    place = reserved_of(fresh("mpy-A"))
    board = fresh("mpy-A", files={**user_files(), "c.bin": C})
    board.run("import molt; molt.install()")
    return preparation("prepare_resident", board, place)


SCENARIOS = (prepare, prepare_resident, raw, gzip, resident, resident_gzip, trial, rollback, confirm)


def run_scenario(make, number, sample):
    begin = time.monotonic()
    scenario = make()
    step = min(sample, scenario.step or sample)
    cuts = [(op, tear) for op in range(0, len(scenario.ops), step) for tear in TEARS]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda cut: cut_once(scenario, *cut), cuts))
    lost = [r for r in results if r.startswith("lost")]
    windows = results.count("window")
    fine = not lost and (scenario.may_brick or not windows)
    print(f"{'ok' if fine else 'not ok'} {number} - {make.__doc__}: {len(cuts)} cuts in {len(scenario.ops)} operations, "
          f"{results.count('recovered')} recovered, {windows} in the rewriting of sector 0, {len(lost)} lost")
    print(f"# {time.monotonic() - begin:.0f} s")
    for why in lost[:20]:
        print(f"#   {why}")
    sys.stdout.flush()
    return fine


def main():
    parser = argparse.ArgumentParser(description="Power cuts in every operation, with every tear.")
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="every N-th operation only")
    parser.add_argument("words", nargs="*", metavar="NAME")
    args = parser.parse_args()
    chosen = [s for s in SCENARIOS if not args.words or s.__name__ in args.words]
    rig.WORK = WORK / str(args.sample)
    shutil.rmtree(rig.WORK, ignore_errors=True)
    rig.WORK.mkdir(parents=True)
    print(f"1..{len(chosen)}")
    fine = [run_scenario(make, number, args.sample) for number, make in enumerate(chosen, 1)]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
