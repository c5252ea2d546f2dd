#!/usr/bin/env python3
"""Resident mode and gzip files on the virtual ESP8266, on the binaries as shipped, as TAP.

    tests/e2e/test_resident.py [WORD...]      only the tests with a WORD in their names
"""
import ast
import gzip
import random
import sys

from checks import attempt, files_are, refused
from rig import (BUILD, CLEAN, CUT, ROOT, SECTOR, Board, firmware, fresh, main, note, of_c_engine, same, same_bytes, scratch,
                 small_program, stored, test, tool, true, user_files, with_params)

RESERVED = 0xf8000           # the stock map of 2 MB and more: the top eight sectors of what is mapped
OVERLAY = RESERVED + 7 * SECTOR
TRIAL = "import molt\nmolt.fwupdate('firmware.bin', fallback='old.bin', trial_starts=2, verbose=False)\n"
POINTS = 4


def gzip_of(name, window="4K"):
    out = scratch(f"{name}.gz")
    tool("compress", BUILD / name / "firmware.bin", out, "--window", window)
    return out.read_bytes()


def files_with(**images):
    return {**user_files(), **{name.replace("_", "."): data for name, data in images.items()}}


def resident_board(files):
    """A board with firmware A that has installed resident mode."""
    board = fresh("mpy-A", files=files)
    board.run("import molt; molt.install()")
    return board


def status(board):
    return board.run("import molt; print(molt.status())").value()


def large_program():
    """An image that reaches up to where frozen modules are, and no farther: a small program, and noise behind it."""
    program = small_program(12000)
    return program + random.Random(5).randbytes(0xf6000 - len(program))


def firmware_is(board, name, before):
    """Sector 0 is as it was; the image lies behind it, its first sector in one of the heads."""
    flash = board.flash()
    same_bytes(flash[:SECTOR], before[:SECTOR], "sector 0")
    image = stored(with_params(firmware(name), before[2:4]))
    same_bytes(flash[SECTOR:len(image)], image[SECTOR:], "the image behind its first sector", SECTOR)
    heads = [flash[RESERVED + i * SECTOR:][:SECTOR] for i in range(2)]
    true(image[:SECTOR] in heads, "its first sector is in one of the heads")
    same_bytes(flash[len(image):RESERVED], before[len(image):RESERVED], "flash behind the image", len(image))


@test
def install_and_upgrade():
    """molt.install() keeps the firmware, fwupdate() upgrades it, and sector 0 is not written again"""
    files = files_with(firmware_bin=firmware("mpy-B"))
    board = resident_board(files)
    same(status(board), {"resident": True, "result": None}, "status")
    before = board.flash()
    run = board.run("import molt; molt.fwupdate('firmware.bin', verbose=False)")
    true(run.runs("mpy-B"), "B comes up")
    same([op for op in run.ops if op[1] < SECTOR], [], "flash operations in sector 0")
    firmware_is(board, "mpy-B", before)
    files_are(board, files)
    same(status(board), {"resident": True, "result": "ok"}, "status")


@test
def install_twice_is_refused():
    """A second install() is refused, uninstall() puts the first sector back, and a third installs again"""
    board = fresh("mpy-A")
    before = board.flash()
    board.run("import molt; molt.install()")
    refused(board, "import molt; molt.install()", "OSError", "installed already")
    board.run("import molt; molt.uninstall()")
    same_bytes(board.flash(0, RESERVED), before[:RESERVED], "flash below the reserved region")
    refused(board, "import molt; molt.uninstall()", "OSError", "not installed")
    board.run("import molt; molt.install()")
    true(board.run().runs("mpy-A"), "A boots")


@test
def install_keeps_off_what_is_not_molts():
    """install() does not overwrite what somebody else has in the reserved sectors, unless it is told to"""
    board = fresh("mpy-A")
    board.run("import esp; esp.flash_write(0xfb000, b'mine' * 64)")
    refused(board, "molt.install()", "OSError", "force=True")
    board.run("import molt; molt.install(force=True)")
    true(board.run().runs("mpy-A"), "A boots")
    same(status(board), {"resident": True, "result": None}, "status")


@test
def a_damaged_overlay_does_not_run():
    """With a damaged overlay the firmware starts, also where an upgrade is due; when it is whole again the upgrade goes on"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B")))
    board.run("import molt; molt.fwupdate('firmware.bin', reset=False, verbose=False)")
    whole = board.flash(OVERLAY, OVERLAY + SECTOR)
    damaged = bytes([whole[700] ^ 0x10])
    board.change(OVERLAY + 700, damaged)
    true(board.run().runs("mpy-A"), "nothing has begun, so the firmware starts without it")
    board.change(OVERLAY, whole)
    true(board.run().runs("mpy-B"), "the upgrade goes on when it is whole")
    board.change(OVERLAY + 700, damaged)
    true(board.run().runs("mpy-B"), "an ordinary start does not need it")


@test
def trial_confirmed():
    """A firmware on trial that calls confirm() stays"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B"), old_bin=firmware("mpy-A")))
    before = board.flash()
    true(board.run(TRIAL).runs("mpy-B"), "B comes up")
    run = board.run("import molt; print(molt.status()['result'], molt.confirm(), molt.confirm(), molt.status()['result'])")
    same(run.lines()[-1], "trial True False confirmed", "trial, confirm() twice")
    for _ in range(4):
        true(board.run().runs("mpy-B"), "B stays")
    firmware_is(board, "mpy-B", before)


@test
def trial_not_confirmed():
    """One that does not is replaced by the fallback after its starts"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B"), old_bin=firmware("mpy-A")))
    before = board.flash()
    true(board.run(TRIAL).runs("mpy-B"), "B comes up: its first start")
    true(board.run().runs("mpy-B"), "its second")
    true(board.run().runs("mpy-A"), "then A comes back")
    # Where B has a sector more that stays.
    size = len(stored(firmware("mpy-A")))
    rest = stored(firmware("mpy-B"))[size:]
    firmware_is(board, "mpy-A", before[:size] + rest + before[size + len(rest):])
    same(status(board)["result"], "rolled back", "status")


@test
def the_tool_tells_of_a_trial():
    """`molt boot` of a dump with a firmware on trial counts a start, says how many are left, and then puts the fallback in"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B"), old_bin=firmware("mpy-A")))
    board.run(TRIAL)
    true("starts on trial; unless it confirms, it has 0 more starts" in tool("boot", board.path), "the second of two starts")
    true("was put in" in tool("boot", board.path), "the fallback")
    true("no upgrade was in progress" in tool("boot", board.path), "afterwards")
    true(board.run().runs("mpy-A"), "A boots")


@test
def a_trial_blocks_another_upgrade():
    """During a trial another upgrade is refused, with its plans untouched"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B"), old_bin=firmware("mpy-A")))
    board.run(TRIAL)
    _, kind, args, sentence = attempt(board, "import molt; molt.fwupdate('old.bin', verbose=False)")
    same(kind, "OSError", f"type of the exception {args}")
    true("on trial" in sentence, f"the sentence: {sentence}")
    true(board.run().runs("mpy-A"), "the trial goes on, and ends in the fallback")


@test
def a_fallback_needs_resident_mode():
    """A fallback without resident mode is refused"""
    board = fresh("mpy-A", files=files_with(firmware_bin=firmware("mpy-B"), old_bin=firmware("mpy-A")))
    refused(board, TRIAL, "ValueError", "needs resident mode")


@test
def trials_that_could_not_end_are_refused():
    """A trial whose fallback could not come back is refused before anything is written: the reason is told"""
    files = files_with(firmware_bin=firmware("mpy-B"), old_bin=firmware("mpy-A"))
    board = resident_board({**files, "copy.bin": firmware("mpy-B")})
    for what, kind, words in (
            ("fallback='none.bin'", "OSError", "no such file"),
            ("fallback=''", "OSError", "this is a directory"),
            ("fallback=3", "TypeError", "named by a str"),
            ("fallback='firmware.bin'", "ValueError", "no way back"),
            ("fallback='copy.bin'", "ValueError", "no way back"),
            ("fallback='main.txt'", "OSError", "so small"),
            ("fallback='old.bin', erase_all=True", "ValueError", "would erase the fallback's file"),
            ("fallback='old.bin', trial_starts=0", "ValueError", "from 1 to 32"),
            ("fallback='old.bin', trial_starts=-1", "ValueError", "from 1 to 32"),
            ("fallback='old.bin', trial_starts=33", "ValueError", "from 1 to 32"),
            ("fallback='old.bin', trial_starts=2.5", "ValueError", "from 1 to 32"),
            ("fallback='old.bin', trial_starts=None", "ValueError", "from 1 to 32")):
        refused(board, f"import molt; molt.fwupdate('firmware.bin', {what}, verbose=False, reset=False)", kind, words)


@test
def a_refused_fallback_leaves_the_frozen_modules():
    """A fallback that is refused costs no frozen module, with drop_frozen either"""
    of_c_engine("frozen modules")
    program = large_program()
    hello = (ROOT / "tests/fuzz/corpus/mpy/hello").read_bytes()
    board = resident_board(files_with(firmware_bin=program, hello_mpy=hello))
    board.run("import esp; esp.add_frozen('hello.mpy')")
    board.run()  # which links it
    refused(board, "import molt; molt.fwupdate('firmware.bin', verbose=False)", "OSError", "run over the frozen modules hello")
    refused(board, "import molt; molt.fwupdate('firmware.bin', drop_frozen=True, fallback='none.bin', verbose=False)", "OSError",
            "no such file")


@test
def longest_trial_has_32_starts():
    """A trial of 32 starts is the longest"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B"), old_bin=firmware("mpy-A")))
    true(board.run(TRIAL.replace("trial_starts=2", "trial_starts=32")).runs("mpy-B"), "B comes up")
    same(status(board), {"resident": True, "result": "trial", "starts": 30}, "status at the second start")


@test
def install_with_an_upgrade_prepared_is_refused():
    """install() while an upgrade is prepared in sector 0 is refused, with what to do; after cancel() it installs"""
    board = fresh("mpy-A", files=files_with(firmware_bin=firmware("mpy-B")))
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', reset=False, verbose=False)\ntry: molt.install()\n"
                    "except OSError as e: print(e.args)\nprint(molt.pending() > 0, molt.cancel())\nmolt.install()")
    said = [line for line in run.lines() if not line.startswith("molt: ")]
    errno, sentence = ast.literal_eval(said[0])
    same((errno, "molt.cancel() takes it back" in sentence), (16, True), sentence)
    same(said[1], "True True", "it was still prepared, and could be cancelled")
    same(status(board), {"resident": True, "result": None}, "status")


@test
def an_image_with_its_own_boot_loader_is_refused():
    """Arduino's eboot as the head of an image is refused in resident mode, and taken without"""
    arduino = (ROOT / "tests/vectors/image/arduino-crc.bin").read_bytes()
    board = resident_board(files_with(firmware_bin=arduino))
    for code in ("molt.fwupdate('firmware.bin', verbose=False)", "molt.fwupdate('firmware.bin', safe_check=False, verbose=False)"):
        refused(board, "import molt; " + code, "OSError", "uninstall resident mode first")
    board.run("import molt; molt.uninstall()")
    same(board.run("import molt; print(molt.plan('firmware.bin')['refused'])").lines()[-1], "False", "without resident mode")


@test
def changed_file_keeps_the_firmware():
    """An image file that changes between fwupdate(reset=False) and the reset: the firmware stays as it is"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B")))
    board.run("import molt; molt.fwupdate('firmware.bin', reset=False, verbose=False)")
    _, addr, _ = board.blocks("firmware.bin")[10]
    board.change(addr, b"changed!")
    true(board.run().runs("mpy-A"), "A starts")
    same(status(board)["result"], "restored", "status")


@test
def pending_can_be_cancelled():
    """cancel() takes back what is prepared"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B")))
    run = board.run("import molt; molt.fwupdate('firmware.bin', reset=False, verbose=False)\n"
                    "print(molt.pending() > 0, molt.cancel(), molt.pending(), molt.cancel())")
    same(run.lines()[-1], "True True None False", "pending, cancel")
    true(board.run().runs("mpy-A"), "A starts")


def cut_run(prepared, before, op, tear):
    board = Board(prepared)
    try:
        run = board.run(cut=f"{op}:{tear}", status=None)
        same(run.status, CUT, f"{op}:{tear} fires")
        again = board.run(status=None)
        same(again.status, CLEAN, f"status after {op}:{tear}: {again.out[-200:]!r}")
        true(again.runs("mpy-B"), f"B runs after {op}:{tear}")
        firmware_is(board, "mpy-B", before)
    finally:
        board.remove()


@test
def cuts_in_the_boot_loader():
    """Power cuts all over the boot loader's work, clean and torn: not one is fatal"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B")))
    before = board.flash()
    board.run("import molt; molt.fwupdate('firmware.bin', reset=False, verbose=False)")
    prepared = board.flash()
    count = len(board.run().ops)
    ops = sorted({i * (count - 1) // (POINTS - 1) for i in range(POINTS)} | set(range(2)) | set(range(count - 4, count)))
    tears = ("before", "random", "prefix", "stray", "zero", "suffix")
    # Every operation with every tear: test_every_cut.py.
    cuts = [(op, tears[i % len(tears)]) for i, op in enumerate(ops)]
    for op, tear in cuts:
        cut_run(prepared, before, op, tear)
    note(f"{len(cuts)} cuts fired, {len(cuts)} recovered, 0 in windows, 0 lost")


@test
def cuts_in_the_preparation():
    """Power cuts all over what fwupdate() writes itself: the old firmware boots, or the upgrade goes on"""
    board = resident_board(files_with(firmware_bin=firmware("mpy-B")))
    start = board.flash()
    count = len(board.run("import molt; molt.fwupdate('firmware.bin', reset=False, verbose=False)").ops)
    # No multiple of 8, so that all parts of pages are met.
    ops = sorted(set(range(0, count, max(1, count // POINTS | 1))) | {count - 1})
    for op in ops:
        for tear in ("before", "random"):
            board = Board(start)
            run = board.run("import molt; molt.fwupdate('firmware.bin', reset=False, verbose=False)", cut=f"{op}:{tear}", status=CUT)
            again = board.run("import molt, os\nif '-A ' in os.uname().version: molt.fwupdate('firmware.bin', verbose=False)")
            true(again.runs("mpy-B") if "MicroPython " in again.out else "-B on " in board.run("import os; print(os.uname())").out,
                 f"B runs after {op}:{tear}")
            firmware_is(board, "mpy-B", start)
            board.remove()
    note(f"{2 * len(ops)} cuts in {len(ops)} of {count} operations fired and recovered")


@test
def gzip_with_and_without_resident_mode():
    """A gzip file upgrades as a raw one does, in either mode"""
    files = files_with(firmware_gz=gzip_of("mpy-B"))
    for board in (fresh("mpy-A", files=files), resident_board(files)):
        run = board.run("import molt; molt.fwupdate('firmware.gz', verbose=False)")
        true(run.runs("mpy-B"), "B comes up")
        files_are(board, files)


@test
def gzip_that_is_damaged():
    """Damaged gzip files are refused, each with a sentence, and nothing is changed"""
    whole = gzip_of("mpy-B")
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4
    bomb = gzip.compress(firmware("mpy-B")[:64] + bytes(3 << 20), 9)
    files = files_with(cut_gz=whole[:-3000], flip_gz=bytes(flipped), two_gz=whole[:20000] + whole, more_gz=whole + b"more",
                       text_gz=gzip.compress(b"not an image, but long enough to have a block of its own. " * 3000, 1), bomb_gz=bomb)
    board = fresh("mpy-A", files=files)
    for name, words in (("cut.gz", "damaged or cut short"), ("flip.gz", "damaged or cut short"), ("two.gz", "damaged"),
                        ("more.gz", "follows the gzip data"), ("text.gz", ""), ("bomb.gz", "more than code can run from")):
        refused(board, f"import molt; molt.fwupdate('{name}', verbose=False)", "OSError", words)


@test
def one_megabyte_board():
    """A 1 MB board whose filesystem is too small for the raw image upgrades from the gzip file"""
    image = firmware("mpy-B-1M-lean")
    packed = gzip_of("mpy-B-1M-lean")
    files = {"main.txt": b"a few words\n", "firmware.gz": packed}
    board = fresh("mpy-A-1M-lean", size="1M", files=files)
    room = board.run("import os; s = os.statvfs('/'); print(s[0] * s[2])").value()
    true(len(image) > room > len(packed), f"{len(image)} bytes raw, {len(packed)} packed, {room} on the filesystem")
    run = board.run("import molt; molt.fwupdate('firmware.gz', verbose=False)")
    true("-B on " in run.out.rpartition("MicroPython ")[2], "B comes up")
    files_are(board, {**files})


if __name__ == "__main__":
    sys.exit(main())
