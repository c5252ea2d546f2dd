#!/usr/bin/env python3
"""Between the preparation and the new firmware, on the virtual ESP8266, as TAP: taking back, restoring, reporting,
what an upgrade costs.

    tests/e2e/test_states.py [WORD...]      only the tests with a WORD in their names
"""
import re
import sys

from checks import STATUS, files_are, landed, refused, target_is
from rig import (BUILD, CUT, FS_START, KB, SECTOR, SMALL_PROGRAM_SAYS, Board, firmware, fresh, hazard, main, note, of_c_engine, same,
                 same_bytes, scratch, small_program, test, tool, true, user_files)

PREPARE = "import molt\nmolt.fwupdate('firmware.bin', reset=False)\n"
# Where cuts are made while the boot loader works: flash operation, counted from its start, of some 2,840.
EARLY, LATER = 100, 900


def files_with_b():
    return {**user_files(), "firmware.bin": firmware("mpy-B")}


def board_with_b():
    return fresh("mpy-A", files=files_with_b())


# ---- the moment of the reset

@test
def prepared_then_machine_reset():
    """fwupdate(reset=False) leaves the reset to the application: machine.reset() upgrades"""
    board = board_with_b()
    before = board.flash()
    run = board.run(PREPARE + "print(molt.pending())\nimport machine\nmachine.reset()")
    true(f"\n{len(firmware('mpy-B'))}\n" in run.out, "pending() says how many bytes")
    true(run.runs("mpy-B"), "B comes up")
    same(landed(board, before, "mpy-B", files_with_b()), {"resident": False, "result": "ok", "resumed": 0, "crc32": crc("mpy-B")}, "status")


def crc(name):
    import zlib
    return zlib.crc32(firmware(name))


@test
def prepared_then_power_cycle():
    """and so does the next start, whatever caused it; soft resets before it do nothing"""
    board = board_with_b()
    before = board.flash()
    board.run(PREPARE)
    prepared = board.flash()
    same_bytes(prepared[SECTOR:FS_START], before[SECTOR:FS_START], "flash behind the boot sector")
    true(board.run().runs("mpy-B"), "B comes up")
    same(landed(board, before, "mpy-B", files_with_b())["resumed"], 0, "resumed")


@test
def prepared_then_dfu():
    """esp.DFU() carries out what is prepared; without that it says that there is nothing"""
    of_c_engine("esp.DFU()")
    board = board_with_b()
    before = board.flash()
    refused(board, "import esp; esp.DFU()", "OSError", "no upgrade is prepared")
    run = board.run(PREPARE + "import esp\nesp.DFU()")
    true(run.runs("mpy-B"), "B comes up")
    landed(board, before, "mpy-B", files_with_b())


@test
def dfu_erase_all_has_to_be_prepared():
    """esp.DFU(True) carries out only what was prepared with erase_all"""
    of_c_engine("esp.DFU()")
    board = board_with_b()
    run = board.run(PREPARE + "import esp\ntry: esp.DFU(True)\nexcept ValueError as e: print(e)")
    true("prepared without erase_all" in run.lines()[-1], f"refused: {run.lines()[-1]}")
    true(board.run().runs("mpy-B"), "the plain upgrade is still prepared")
    board = board_with_b()
    run = board.run(PREPARE.replace("reset=False", "erase_all=True, reset=False") + "import esp\nesp.DFU(True)")
    true(run.runs("mpy-B"), "B comes up")
    same(sorted(board.files()), ["boot.py"], "files")


@test
def prepared_then_cancelled():
    """molt.cancel() takes it back: flash below the filesystem is what it was"""
    board = board_with_b()
    before = board.flash()
    run = board.run(PREPARE + "print(molt.status()['result'], molt.cancel(), molt.pending(), molt.cancel(), molt.status())")
    same(run.lines()[-1], "pending True None False None", "status(), cancel(), pending(), cancel() once more, status()")
    same_bytes(board.flash(0, FS_START), before[:FS_START], "flash below the filesystem")
    true(board.run().runs("mpy-A"), "A comes up")
    files_are(board, files_with_b())


@test
@hazard("stale pointers on the second call")
def a_second_upgrade_while_one_is_pending():
    """A second fwupdate() while one is pending is refused; after cancel() it counts, and not the first"""
    files = {**files_with_b(), "hello.bin": small_program(20000)}
    board = fresh("mpy-A", files=files)
    before = board.flash()
    run = board.run(PREPARE + "try: molt.fwupdate('hello.bin')\nexcept OSError as e: print(e.args)")
    args = run.value()
    same(args[0], 16, "errno")
    true("already prepared" in args[1], f"sentence: {args[1]}")
    board = fresh("mpy-A", files=files)
    run = board.run(PREPARE + "molt.cancel()\nmolt.fwupdate('hello.bin')")
    true(SMALL_PROGRAM_SAYS in run.out, "the second one's image runs")
    target_is(board, before, small_program(20000))
    files_are(board, files)


# ---- what became of it

@test
def status_says_how_often_it_was_resumed():
    """status() says how often the power failed while the boot loader worked"""
    board = board_with_b()
    before = board.flash()
    board.run(PREPARE)
    for number, op in enumerate((EARLY, LATER, LATER), 1):
        same(board.run(cut=f"{op}:random", status=None).status, CUT, f"power cut {number}")
    true(board.run().runs("mpy-B"), "B comes up")
    same(landed(board, before, "mpy-B", files_with_b()), {"resident": False, "result": "ok", "resumed": 3, "crc32": crc("mpy-B")}, "status")


@test
def status_without_an_upgrade():
    """status() is None on a board that was never upgraded"""
    same(board_with_b().run(STATUS).value(), None, "status")


def restored(board, before):
    """The boot loader has found another image file: the old firmware is back."""
    run = board.run()
    true("file has changed" in run.out, f"the boot loader says so: {run.lines()[-5:]}")
    true(run.runs("mpy-A"), "A comes up")
    same_bytes(board.flash(0, FS_START), before[:FS_START], "flash below the filesystem")
    status = board.run(STATUS).value()
    same((status["result"], status["crc32"]), ("restored", crc("mpy-B")), "status")


@test
def an_image_file_that_was_overwritten_after_the_preparation():
    """When the image file was removed and its blocks overwritten before the reset, the old firmware is put back"""
    board = board_with_b()
    before = board.flash()
    board.run(PREPARE + "import os\nos.remove('firmware.bin')\nb = bytes(range(256)) * 16\nf = open('junk', 'wb')\ntry:\n"
              "    while True: f.write(b)\nexcept OSError: pass\n", timeout=60)
    restored(board, before)


@test
def an_image_file_with_one_wrong_bit_after_the_preparation():
    """When a single bit of the image file has changed since, the old firmware is put back, and can try again"""
    board = board_with_b()
    before = board.flash()
    board.run(PREPARE)
    off, addr, size = board.blocks("firmware.bin")[100]
    byte = board.flash(addr + 1234, addr + 1235)
    board.change(addr + 1234, bytes([byte[0] ^ 8]))
    restored(board, before)
    board.change(addr + 1234, byte)
    true(board.run("import molt; molt.fwupdate('firmware.bin')").runs("mpy-B"), "B comes up at the second try")
    landed(board, before, "mpy-B", files_with_b())


# ---- names

@test
def a_file_in_a_directory_by_any_path():
    """The image can be in any directory, named from the root or from the current directory"""
    program = small_program(12000)
    files = {**user_files(), "fw/new/hello.bin": program}
    code = "import molt, os\n"
    for way in ("molt.fwupdate('/fw/new/hello.bin')", "molt.fwupdate('fw/new/hello.bin')",
                "os.chdir('/fw/new'); molt.fwupdate('hello.bin')", "os.chdir('fw'); molt.fwupdate('new/hello.bin')"):
        board = fresh("mpy-A", files=files)
        before = board.flash()
        true(SMALL_PROGRAM_SAYS in board.run(code + way).out, f"{way}: it runs")
        target_is(board, before, program)
        files_are(board, files)


@test
def the_other_names():
    """inisetup.fwupdate is the same function; verbose=False prints nothing"""
    of_c_engine("them")
    board = board_with_b()
    before = board.flash()
    run = board.run("import molt, inisetup\nprint(inisetup.fwupdate is molt.fwupdate)\n")
    same(run.lines(), ["True"], "the same")
    run = board.run("from inisetup import fwupdate\nfwupdate('firmware.bin', False, True, False, reset=False)")
    same(run.lines(), [], "printed")
    run = board.run()
    landed(board, before, "mpy-B", files_with_b())


# ---- boot.py

# The recipe of micropython/README.md for boot.py. A new image arrives as new.bin (upload it under another name and rename it,
# so that half of it is never met). The file is renamed only once the upgrade is prepared, which moves none of its blocks,
# and the reset comes last: wherever the power fails, the upgrade is either tried again or already prepared, and once
# it is done there is no new.bin any more, so that it does not go on for ever.
RECIPE = b"""import esp, molt, os
if "new.bin" in os.listdir():
    molt.fwupdate("new.bin", reset=False)
    os.rename("new.bin", "firmware.bin")
    if molt.pending(): esp.DFU()
"""


def board_with_recipe():
    return fresh("mpy-A", files={**user_files(), "boot.py": RECIPE, "new.bin": firmware("mpy-B")})


def recipe_done(board, before):
    landed(board, before, "mpy-B", {**user_files(), "boot.py": RECIPE, "firmware.bin": firmware("mpy-B")})
    same(len(board.run().ops), 0, "flash operations at the next start: it is over")


@test
def a_recipe_in_boot_py():
    """A few lines in boot.py upgrade when there is a new file, once"""
    of_c_engine("esp.DFU()")
    # The first start of a fresh board is in fresh(): there the upgrade happens already.
    board = board_with_recipe()
    true(board.run().runs("mpy-B"), "B comes up")
    recipe_done(board, fresh("mpy-A").flash())


@test
def a_recipe_in_boot_py_and_power_cuts():
    """The same with a power cut anywhere around preparation and renaming"""
    of_c_engine("esp.DFU()")
    board = fresh("mpy-A", files={**user_files(), "boot.later": RECIPE, "new.bin": firmware("mpy-B")})
    before = board.flash()
    board.run("import os; os.rename('boot.later', 'boot.py')")
    start = board.flash()
    run = board.run()
    first = next(i for i, op in enumerate(run.ops) if op[1] == 0 and op[0] == "sector")
    # Sector 0 goes in by commands of 32 bytes.
    installed = next(i for i, op in enumerate(run.ops) if i > first and op[1] >= SECTOR) - 1
    points = [op for op in range(0, installed + 12) if not first <= op <= installed]
    for number, op in enumerate(points[:2] + points[2:-8:67] + points[-8:]):
        cut = f"{op}:{('before', 'random', 'after')[number % 3]}"
        again = Board(start)
        same(again.run(cut=cut, status=None).status, CUT, cut)
        true(again.run().runs("mpy-B"), f"{cut}: B comes up")
        recipe_done(again, before)
        again.path.unlink()


# ---- what it costs

@test
@hazard("unbounded recording of every read on the filesystem")
def heap_use():
    """An upgrade with an image of 660 KB needs at most 9 KB of heap, import included"""
    of_c_engine("so little need of heap")
    most = least_heap(board_with_b(), 9216)
    true(most is not None, "it works with 9,216 bytes free")
    note(f"it works with {most} bytes of free heap")


@test
def heap_use_with_a_gzip_file():
    """From a gzip file with a window of 4 KB an upgrade needs at most 16.5 KB of heap"""
    of_c_engine("so little need of heap")
    image, packed = scratch("b.bin"), scratch("b.gz")
    image.write_bytes(firmware("mpy-B"))
    tool("compress", image, packed)
    most = least_heap(fresh("mpy-A", files={**user_files(), "firmware.bin": packed.read_bytes()}), 16 * KB + 512)
    true(most is not None, "it works with 16.5 KB free")
    note(f"it works with {most} bytes of free heap")


def least_heap(board, limit):
    """The least free heap, within 128 bytes, with which an upgrade can be prepared; None if `limit` does not do."""
    content = board.flash()

    def works(free):
        code = f"import gc\ngc.collect()\nballast = bytearray(gc.mem_free() - {free})\ngc.collect()\nprint(gc.mem_free())\n" + PREPARE
        again = Board(content)
        run = again.run(code, status=None)
        again.remove()
        return "prepared" in run.out and int(run.lines()[0]) <= free

    if not works(limit):
        return None
    least = 0
    while limit - least > 128:
        middle = (least + limit) // 2
        least, limit = (least, middle) if works(middle) else (middle, limit)
    return limit


@test
def heap_is_given_back():
    """Checking an image again and again leaves nothing behind on the heap"""
    of_c_engine("code that is not on the heap")
    code = "import molt, gc\ndef free():\n    gc.collect()\n    return gc.mem_free()\nmolt.check('firmware.bin')\na = free()\n" \
        "for i in range(3): molt.check('firmware.bin'); molt.plan('firmware.bin')\nprint(a - free())"
    lost = board_with_b().run(code).value()
    true(lost <= 64, f"{lost} bytes fewer are free")


@test
def no_iram():
    """molt's objects have not one byte in IRAM in the firmware, by its linker map"""
    of_c_engine("code of molt")
    for name in ("mpy-A", "mpy-A-1M"):
        firmware(name)
        text = (BUILD / name / "firmware.map").read_text()
        text = text[text.index("Linker script and memory map"):]
        iram, mapped = 0, 0
        for section, addr, size in re.findall(r"^ (\.\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) \S*molt_extmod/\S+\.o$", text, re.M):
            addr, size = int(addr, 16), int(size, 16)
            iram += size if 0x40100000 <= addr < 0x40110000 else 0
            mapped += size if 0x40200000 <= addr < 0x40300000 else 0
        same(iram, 0, f"{name}: bytes in IRAM")
        true(mapped > 10000, f"{name}: the map was understood: {mapped} bytes in mapped flash")
        note(f"{name}: 0 bytes in IRAM, {mapped} in mapped flash")


if __name__ == "__main__":
    sys.exit(main())
