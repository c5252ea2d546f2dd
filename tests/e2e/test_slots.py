#!/usr/bin/env python3
"""MicroPython with molt on the virtual ESP32-C3, with a partition table that has OTA slots: upgrades into the other slot, trials, what
is refused, and power cuts in all of it.

usage: test_slots.py [--all] [WORD...]   --all: every operation's cuts, not a sample of them
"""
import gzip
import sys

import rig
from c3rig import APP, TABLE, Board, cut_runs, digest, mkflash, sample, says
from rig import BUILD, ROOT, Failure, firmware, note, same, same_bytes, scratch, test, tool, true

OTADATA = 0xD000
MORE = "--all" in sys.argv
FILES = {"notes.txt": b"a few words\n", "lib/one.py": b"x = 1\n" * 400}
ROWS = list(mkflash.rows_of(ROOT / "micropython/vport-esp32c3/partitions-ota.csv"))
SLOT = {row[0]: row[3] for row in ROWS}
SIZE = next(row[4] for row in ROWS if row[0] == "ota_1")
# A factory partition, and two slots behind it, in the same place.
FACTORY = ROWS[:3] + [("factory", 0, 0, APP, 0x100000), ("ota_0", 0, 0x10, 0x110000, 0x100000), ("ota_1", 0, 0x11, 0x210000, 0x100000),
                      ROWS[-1]]
FIRST = {}


def fresh(files=None, rows=None):
    with rig.LOCK_FRESH:
        key = repr(rows)
        if key not in FIRST:
            firmware("c3-A")
            content = bytearray((BUILD / "c3-A/flash.bin").read_bytes())
            content[TABLE:TABLE + 0xC00] = mkflash.table_of(rows or ROWS).ljust(0xC00, b"\xff")
            board = Board(content)
            board.run("pass")
            board.put(FILES)
            FIRST[key] = board.flash()
    board = Board(FIRST[key])
    board.put(files or {})
    return board


def with_image():
    return fresh({"firmware.bin": firmware("c3-B")})


# The checks of the image take most of the time, and one test has them.
QUICK = "verbose=False, safe_check=False"


def upgrade(board, arguments="'firmware.bin'", options=()):
    return board.run(f"import molt\nmolt.fwupdate({arguments}, {QUICK})", *options, timeout=120)


def status_of(board):
    """A start of its own."""
    return board.run("import molt\nprint(molt.status())", timeout=60)


def holds(board, slot, name):
    image = firmware(name)
    same_bytes(board.flash(SLOT[slot], SLOT[slot] + len(image)), image, slot, SLOT[slot])


@test
def an_upgrade_goes_into_the_other_slot_and_the_next_one_back():
    board = with_image()
    before = board.flash()
    run = board.run("import molt\nprint(molt.slots(), molt.status(), molt.pending())\nmolt.fwupdate('firmware.bin')", timeout=120)
    true(f"(0, 1, {SIZE}) None None" in run.out, run.out[-600:])
    true(run.runs("c3-B"), f"B does not run: {run.out[-300:]!r}")
    for words in "writing", "prepared, restarting":
        true(words in run.out, f"{words!r} is not in the output")
    after = board.flash()
    same_bytes(after[:OTADATA], before[:OTADATA], "what is in front of otadata")
    same_bytes(after[OTADATA + 0x2000:SLOT["ota_1"]], before[OTADATA + 0x2000:SLOT["ota_1"]], "the firmware that ran", OTADATA + 0x2000)
    same_bytes(after[SLOT["vfs"]:], before[SLOT["vfs"]:], "the filesystem", SLOT["vfs"])
    holds(board, "ota_1", "c3-B")
    run = board.run("import molt\nprint(molt.slots()[:2], molt.status()['result'], molt.pending())")
    same(run.lines()[-1], "(1, 0) ok None", "status, and the slots")
    # The entry is made firm in the first start, and never again.
    same(status_of(board).ops, [], "flash operations of a later start")
    board.put({"old.bin": firmware("c3-A")})
    true(upgrade(board, "'old.bin'").runs("c3-A"), "A does not run")
    for path, data in FILES.items():
        same(board.files()[path], data, path)


@test
def from_a_gzip_file_and_from_a_delta_file():
    old, new, patch = (scratch(f"slots.{name}") for name in ("old", "new", "delta"))
    old.write_bytes(firmware("c3-A"))
    new.write_bytes(firmware("c3-B"))
    tool("delta", old, new, patch)
    count = int.from_bytes(patch.read_bytes()[4:6], "little")
    true(count and count % 2 == 0, f"it predicts pointers, and no calls: {count}")
    for name, data in (("firmware.bin.gz", gzip.compress(firmware("c3-B"), 9)), ("firmware.delta", patch.read_bytes())):
        board = fresh({name: data})
        run = upgrade(board, repr(name))
        true(run.runs("c3-B"), f"{name}: B does not run: {run.out[-500:]!r}")
        holds(board, "ota_1", "c3-B")
        holds(board, "ota_0", "c3-A")
        note(f"{name}: {len(data)} bytes")


@test
def the_firmware_that_runs_is_not_written_again():
    board = fresh({"firmware.bin": firmware("c3-A")})
    run = board.run("import molt\nprint(molt.fwupdate('firmware.bin', safe_check=False), molt.plan('firmware.bin')['in_place'])", timeout=120)
    same(run.lines()[-1], "False True", "fwupdate(), and the plan")
    same(run.ops, [], "flash operations")


@test
def a_plan_has_the_counts_of_what_is_done():
    board = with_image()
    plan = board.run("import molt\nprint(molt.plan('firmware.bin'))", timeout=60).value()
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', reset=False, " + QUICK + ")", timeout=120)
    erases = [op for op in run.ops if op[0] in ("sector", "block")]
    sectors = -(-len(firmware("c3-B")) // 4096)
    same((plan["sectors"], plan["programmed"], plan["equal"], plan["refused"]), (sectors, sectors, 0, False), "of the plan")
    true(plan["block_erases"] >= sectors // 16, f"block erases: {plan}")
    same(len(erases), plan["sector_erases"] + plan["block_erases"], "erases")


@test
def it_is_taken_back():
    board = with_image()
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', reset=False, " + QUICK + ")\n"
                    "print(molt.pending(), molt.status()['result'], molt.cancel(verbose=False), molt.cancel(), molt.pending(), molt.status())",
                    timeout=120)
    same(run.lines()[-1], f"{len(firmware('c3-B'))} pending True False None None", "pending, taken back")
    run = board.run("import molt\nprint(molt.slots()[0])")
    same(run.lines()[-1], "0", "the slot that runs")
    # And at once another time.
    true(upgrade(board).runs("c3-B"), "B does not run")


@test
def a_trial_that_is_not_confirmed_falls_back_and_one_that_is_stays():
    board = with_image()
    run = upgrade(board, "'firmware.bin', fallback=True")
    true(run.runs("c3-B"), "B does not run")
    found = status_of(board).value()
    # That was another power-on.
    same((found["result"], found["resident"]), ("rolled back", False), f"of status() {found}")
    run = status_of(board)
    same((run.value()["result"], run.ops), ("rolled back", []), "later")
    board.put({"main.py": b"import molt\nprint('it', molt.status()['result'], molt.status().get('counted'))\nprint('kept', molt.confirm())\n"})
    run = upgrade(board, "'firmware.bin', fallback=True")
    true("it trial True" in run.out, run.out[-300:])
    for _ in range(2):
        run = board.run("import molt\nprint(molt.status()['result'], molt.slots()[0])")
        same(run.lines()[-1], "confirmed 1", "later")


@test
def with_a_factory_partition_it_goes_to_the_first_slot_and_a_trial_back():
    board = fresh({"firmware.bin": firmware("c3-B")}, FACTORY)
    run = board.run("import molt\nprint(molt.slots()[:2])\nmolt.fwupdate('firmware.bin', fallback=True, " + QUICK + ")", timeout=120)
    true("(None, 0)" in run.out and run.runs("c3-B"), run.out[-300:])
    run = board.run("import molt\nprint(molt.slots()[0], molt.status()['result'])")
    same(run.lines()[-1], "None rolled back", "after the trial")
    true(upgrade(board).runs("c3-B"), "B does not run")
    board.put({"old.bin": firmware("c3-A")})
    true(upgrade(board, "'old.bin'").runs("c3-A"), "A does not run")
    run = board.run("import molt\nprint(molt.slots()[:2])")
    same(run.lines()[-1], "(1, 0)", "the slots")


@test
def what_cannot_be_has_its_sentence_and_nothing_is_written():
    board = with_image()
    says(board, "molt.install()", "OTA slots", "nothing is installed")
    same(board.run("import molt\nprint(molt.standby())").lines()[-1].split(":")[0], "the partition table has OTA slots", "standby()")
    says(board, "molt.fwupdate('firmware.bin', fallback='firmware.bin')", "fallback=True")
    says(board, "molt.fwupdate('firmware.bin', erase_all=True)", "erase_all")
    says(board, "molt.fwupdate('lib/one.py')", "no firmware image")
    says(board, "molt.fwupdate('firmware.bin')", "encrypted", options=("--efuse", "34=40000"))
    says(board, "molt.fwupdate('firmware.bin')", "signatures", options=("--efuse", "38=100000"))
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', reset=False, " + QUICK + ")\n"
                    "try:\n molt.fwupdate('firmware.bin')\nexcept OSError as e:\n print(e.args[1])", timeout=120)
    true("already prepared" in run.lines()[-1], run.lines()[-1])
    rows = ROWS[:4] + [("ota_1", 0, 0x11, SLOT["ota_1"], 0x10000), ROWS[-1]]
    board = fresh({"firmware.bin": firmware("c3-B")}, rows)
    says(board, "molt.fwupdate('firmware.bin')", "larger than the app partition", "0x10000")
    for what, rows, words in (("one slot", ROWS[:4] + ROWS[-1:], "the only OTA slot"),
                              ("no otadata", ROWS[:1] + ROWS[2:], "no otadata"),
                              ("a hole", ROWS[:4] + [ROWS[4][:2] + (0x12,) + ROWS[4][3:], ROWS[-1]], "do not follow each other")):
        board = fresh({"firmware.bin": firmware("c3-B")}, rows)
        try:
            says(board, "molt.fwupdate('firmware.bin')", words)
        except Failure as failure:
            raise Failure(f"{what}: {failure}") from None


# ---- power cuts

def cut_in_fwupdate(arguments, step, dialect=()):
    """Cuts in fwupdate(): a firmware starts, and the one that ran is whole whatever has come of the other."""
    board = with_image()
    code = f"import molt\nmolt.fwupdate('firmware.bin', reset=False, {QUICK}{arguments})\nprint('is ' + 'prepared')"
    count = len(Board(board.flash()).run(code, timeout=120).ops)
    cuts = sample(count, step, MORE)
    old, new = firmware("c3-A"), firmware("c3-B")
    ranges = [(0, OTADATA), (SLOT["ota_0"], len(old)), (SLOT["ota_1"], len(new))]
    rows = cut_runs(board, cuts, None, ranges, "--exec", code, *dialect)
    wanted = digest(board.flash(0, OTADATA)), digest(old)
    lost = [row for row in rows if row[1] or tuple(row[2][:2]) != wanted]
    written = sum(row[2][2] == digest(new) for row in rows)
    note(f"{len(cuts)} cuts in {count} operations, the new firmware is whole after {written}, {len(lost)} lost")
    same(lost, [], "cuts that are lost")


@test
def no_cut_of_fwupdate_is_fatal():
    cut_in_fwupdate("", 1499)


@test
def nor_one_of_a_trial():
    cut_in_fwupdate(", fallback=True", 1499)


@test
def nor_one_from_the_reset_to_the_end_of_a_trial():
    board = with_image()
    board.run("import molt\nmolt.fwupdate('firmware.bin', reset=False, fallback=True, " + QUICK + ")", timeout=120)
    # From one power-on: the firmware on trial resets itself until it is not there any more. A cut while the boot loader writes its note
    # can lose all of that: then there is no status.
    code = ("import molt, machine\ns = molt.status()\nis_over = not s or s['result'] != 'trial'\n"
            "print('it ' + ('is over' if is_over else 'is tried'))\nif not is_over:\n machine.reset()\n")
    board.put({"main.py": code.encode()})
    count = len(Board(board.flash()).run(None, "--until", "it is over", status=None).ops)
    cuts = [f"{op}:{tear}" for op in range(count) for tear in ("before", "after", "prefix", "start", "suffix", "random", "zero", "stray")]
    ranges = [(0, OTADATA), (SLOT["ota_0"], len(firmware("c3-A"))), (SLOT["ota_1"], len(firmware("c3-B")))]
    wanted = [digest(board.flash(0, OTADATA)), digest(firmware("c3-A")), digest(firmware("c3-B"))]
    lost = [row for row in cut_runs(board, cuts, "it is over", ranges) if row[1] or row[2] != wanted]
    note(f"{len(cuts)} cuts in {count} operations, {len(lost)} lost")
    same(lost, [], "cuts that are lost")


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--all"]
    sys.exit(rig.main())
