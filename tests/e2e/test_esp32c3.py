#!/usr/bin/env python3
"""MicroPython with molt on the virtual ESP32-C3, in standby mode: install, upgrade, take back, refuse, and power cuts in all of it.

usage: test_esp32c3.py [--all] [WORD...]   --all: every operation's cuts, not a sample of them
"""
import gzip
import struct
import subprocess
import sys

import rig
from c3rig import APP, FS, TABLE, Board, changed, cut_runs, digest, longer, sample, says, with_table
from rig import BUILD, ROOT, SECTOR, Failure, firmware, note, same, same_bytes, scratch, test, tool, true

LOADER, OTADATA, PLAN = 0x5000, 0x6000, 0x7000
MD5_ROW = TABLE + 3 * 32
MORE = "--all" in sys.argv
FILES = {"notes.txt": b"a few words\n", "lib/one.py": b"x = 1\n" * 400}
INSTALL = "import molt\nmolt.install(verbose=False)\n"


FIRST = []


def fresh(files=None, installed=True):
    with rig.LOCK_FRESH:
        if not FIRST:
            firmware("c3-A")
            board = Board((BUILD / "c3-A/flash.bin").read_bytes())
            board.run("pass")
            board.put(FILES)
            stock = board.flash()
            board.run(INSTALL)
            FIRST.extend((stock, board.flash()))
    board = Board(FIRST[installed])
    board.put(files or {})
    return board


def with_image():
    return fresh({"firmware.bin": firmware("c3-B")})


def is_upgraded(board, run, before):
    true(run.runs("c3-B"), f"B does not run: {run.out[-300:]!r}")
    image = firmware("c3-B")
    same_bytes(board.flash(APP, APP + len(image)), image, "the firmware", APP)
    same_bytes(board.flash(0, OTADATA), before[:OTADATA], "boot loader and loader")
    same_bytes(board.flash(TABLE, APP), before[TABLE:APP], "between plan and firmware", TABLE)
    end = APP + (len(image) + SECTOR - 1) // SECTOR * SECTOR
    same_bytes(board.flash(end, FS), before[end:FS], "behind the firmware", end)
    found = board.files()
    for path, data in FILES.items():
        same(found[path], data, path)


@test
def without_the_loader_an_upgrade_is_refused_and_install_puts_it_in_once():
    board = fresh({"firmware.bin": firmware("c3-B")}, installed=False)
    says(board, "molt.fwupdate('firmware.bin')", "molt.install()", "not installed")
    before = board.flash()
    run = board.run("import molt\nmolt.install()\nprint(molt.standby(), molt.status(), molt.pending())")
    same(run.lines()[-1], "None None None", "standby(), status(), pending()")
    true("the standby loader is installed at 0x5000" in run.out, run.out)
    after = board.flash()
    same_bytes(after[:LOADER], before[:LOADER], "the boot loader")
    same_bytes(after[OTADATA:MD5_ROW + 32], before[OTADATA:MD5_ROW + 32], "otadata, plan and table", OTADATA)
    same_bytes(after[MD5_ROW + 160:FS], before[MD5_ROW + 160:FS], "behind the rows", MD5_ROW + 160)
    true(after[LOADER] == 0xE9 and b"molt\0" in after[MD5_ROW + 32:MD5_ROW + 160], "loader and rows")
    same([op[0] for op in run.ops if op[0] != "page"], [], "erases of install()")
    says(board, "molt.install()", "installed already")


@test
def a_file_on_its_littlefs_becomes_its_firmware():
    board = with_image()
    before = board.flash()
    run = board.run("import molt\nprint(molt.plan('firmware.bin'))\nmolt.fwupdate('firmware.bin')")
    is_upgraded(board, run, before)
    true("sector 0" not in run.out, "it warns of a window that there is not")
    run = board.run("import molt\nprint(molt.fwupdate('firmware.bin', verbose=False))\nprint(molt.status())")
    same(run.value(), {"result": "ok", "resumed": 0, "crc32": run.value()["crc32"], "resident": False}, "status()")
    same(run.lines()[-2], "False", "a second fwupdate()")
    same(run.ops, [], "a second fwupdate()")


@test
def a_gzip_file_does_so_and_back_again():
    board = fresh({"firmware.bin.gz": gzip.compress(firmware("c3-B"), 9), "a.bin": firmware("c3-A")})
    before = board.flash()
    is_upgraded(board, board.run("import molt\nmolt.fwupdate('firmware.bin.gz')", timeout=60), before)
    run = board.run("import molt\nmolt.fwupdate('a.bin', safe_check=False)")
    true(run.runs("c3-A"), "A does not run again")
    same_bytes(board.flash(APP, APP + len(firmware("c3-A"))), firmware("c3-A"), "the firmware", APP)


def patch(old, new):
    """A delta file of two firmwares."""
    paths = [scratch(f"c3.{name}") for name in (old, new, "delta")]
    for path, name in zip(paths, (old, new)):
        path.write_bytes(firmware(name))
    tool("delta", *paths)
    return paths[-1].read_bytes()


@test
def a_delta_file_does_so_and_another_one_leads_back():
    forward, back = patch("c3-A", "c3-B"), patch("c3-B", "c3-A")
    board = fresh({"firmware.delta": forward, "back.delta": back})
    before = board.flash()
    run = board.run("import molt\nmolt.fwupdate('firmware.delta')", timeout=120)
    is_upgraded(board, run, before)
    true("100%" in run.out, f"the loader does not tell how far it is: {run.out[-300:]!r}")
    run = board.run("import molt\nprint(molt.fwupdate('firmware.delta', verbose=False), molt.status()['result'], molt.status()['resumed'])")
    same(run.lines()[-1], "False ok 0", "a second fwupdate(), and status()")
    says(board, "molt.fwupdate('back.delta', fallback='firmware.delta')", "no room for a trial of a delta file")
    run = board.run("import molt\nmolt.fwupdate('back.delta')", timeout=120)
    true(run.runs("c3-A"), "A does not run again")
    same_bytes(board.flash(APP, APP + len(firmware("c3-A"))), firmware("c3-A"), "the firmware", APP)


@test
def a_delta_file_that_changes_before_the_reset_leaves_the_firmware_as_it_was():
    board = fresh({"firmware.delta": patch("c3-A", "c3-B")})
    board.run("import molt\nmolt.fwupdate('firmware.delta', reset=False)", timeout=120)
    _, addr, _ = board.blocks("firmware.delta")[0]
    board.change(addr + 100, bytes([board.flash()[addr + 100] ^ 1]))
    run = board.run("import molt\nprint(molt.status()['result'])")
    same(run.lines()[-1], "restored", "status()")
    same_bytes(board.flash(APP, APP + len(firmware("c3-A"))), firmware("c3-A"), "the firmware", APP)


@test
def erase_all_leaves_a_new_filesystem():
    board = with_image()
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', erase_all=True)")
    true(run.runs("c3-B"), "B does not run")
    same(list(board.files()), ["boot.py"], "files")


@test
def cancelled_the_old_firmware_starts_and_can_be_upgraded():
    board = with_image()
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', safe_check=False, reset=False, verbose=False)\n"
                    "print(molt.pending(), molt.cancel(verbose=False), molt.pending(), molt.cancel())")
    same(run.lines()[-1], f"{len(firmware('c3-B'))} True None False", "pending(), cancel(), and again")
    run = board.run("import molt\nprint(molt.status()['result'])")
    same(run.lines()[-1], "restored", "status()")
    same_bytes(board.flash(APP, APP + len(firmware("c3-A"))), firmware("c3-A"), "the firmware", APP)
    before = board.flash()
    is_upgraded(board, board.run("import molt\nmolt.fwupdate('firmware.bin', safe_check=False)"), before)


@test
def before_the_reset_that_cancels_nothing_else_is_begun():
    board = with_image()
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', safe_check=False, reset=False, verbose=False)\nmolt.cancel(verbose=False)\n"
                    "try:\n molt.fwupdate('firmware.bin', safe_check=False)\nexcept OSError as e:\n print(e.args[1])")
    true("reset first" in run.lines()[-1], run.lines()[-1])


@test
def a_file_that_changes_before_the_reset_leaves_the_firmware_as_it_was():
    board = with_image()
    board.run("import molt\nmolt.fwupdate('firmware.bin', safe_check=False, reset=False)")
    _, addr, _ = board.blocks("firmware.bin")[20]
    board.change(addr + 100, bytes([board.flash()[addr + 100] ^ 1]))
    run = board.run("import molt\nprint(molt.status()['result'])")
    same(run.lines()[-1], "restored", "status()")
    same_bytes(board.flash(APP, APP + len(firmware("c3-A"))), firmware("c3-A"), "the firmware", APP)


@test
def uninstalled_it_is_refused_and_installed_again_it_works():
    board = with_image()
    board.run("import molt\nmolt.uninstall()")
    says(board, "molt.fwupdate('firmware.bin')", "molt.install()")
    says(board, "molt.uninstall()", "not installed")
    before = board.flash()
    run = board.run(INSTALL + "molt.fwupdate('firmware.bin', safe_check=False)")
    true(run.runs("c3-B"), "B does not run")
    same_bytes(board.flash(0, PLAN), before[:PLAN], "boot loader and loader")


IMAGE_REFUSALS = {
    "for another chip": (lambda b: changed(b, 12, b"\x09\0"), "another chip"),
    "for an ESP8266": (lambda b: firmware("mpy-A"), "another chip"),
    "for a later revision": (lambda b: changed(b, 15, struct.pack("<H", 100)), "other revisions"),
    "without a SHA-256": (lambda b: changed(b, 23, b"\0"), "no SHA-256"),
    "with a wrong bit": (lambda b: b[:200000] + bytes([b[200000] ^ 1]) + b[200001:], "checksum"),
    "with a wrong SHA-256": (lambda b: b[:-1] + bytes([b[-1] ^ 1]), "SHA-256"),
    "cut short": (lambda b: b[:300000], "segment"),
    "of text": (lambda b: b"MicroPython is not an image\n" * 40, "no firmware image"),
}


@test
def each_bad_image_has_its_sentence_and_leaves_flash_alone():
    image = firmware("c3-B")
    for what, (make, words) in IMAGE_REFUSALS.items():
        try:
            says(fresh({"x.bin": make(image)}), "molt.fwupdate('x.bin')", words)
        except Failure as failure:
            raise Failure(f"an image {what}: {failure}") from None


@test
def each_unfit_device_has_its_sentence_and_is_left_alone():
    image = {"firmware.bin": firmware("c3-B")}
    stock = fresh(image, installed=False).flash()
    rows = [stock[TABLE + 32 * i:TABLE + 32 * i + 32] for i in range(3)]
    install = "molt.install()"

    board = Board(stock)
    board.change(PLAN + 100, b"\0")
    board.change(FS - 100, b"\0")
    says(board, install, "two erased sectors")
    board = Board(stock)
    board.change(MD5_ROW + 20, b"\0")
    # The boot loader reads the table, too, and starts nothing from a damaged one: the firmware has to run already.
    board = Board(stock)
    with_table(board, rows[:2] + [rows[2][:3] + b"\x10" + rows[2][4:]])
    says(board, install, "OTA slots")
    board = Board(stock)
    board.change(MD5_ROW + 32, rows[0])
    says(board, install, "behind the partition table's MD5")
    board = Board(stock)
    says(board, install, "encrypted", options=("--efuse", "34=40000"))
    says(board, install, "secure boot", options=("--efuse", "38=100000"))
    board = with_image()
    says(board, "molt.fwupdate('firmware.bin')", "encrypted", options=("--efuse", "34=40000"))
    board.change(LOADER + 1000, b"\0\0\0\0")
    says(board, "molt.fwupdate('firmware.bin')", "damaged", "molt.install()")
    board.run(INSTALL)
    same(board.run("import molt\nprint(molt.standby())").lines()[-1], "None", "after install()")


@test
def an_image_larger_than_its_partition_is_refused():
    size = (len(firmware("c3-A")) + 0xffff) // 0x10000 * 0x10000
    stock = fresh(installed=False).flash()
    rows = [stock[TABLE + 32 * i:TABLE + 32 * i + 32] for i in range(3)]
    rows[2] = rows[2][:8] + struct.pack("<I", size) + rows[2][12:]
    # MicroPython makes its filesystem behind the last partition.
    board = Board(stock[:APP + size] + b"\xff" * (len(stock) - APP - size))
    with_table(board, rows)
    board.run(INSTALL)
    board.put({"x.bin": longer(firmware("c3-B"), size - len(firmware("c3-B")) + SECTOR)})
    says(board, "molt.fwupdate('x.bin')", "larger than the app partition", hex(size))


@test
def with_the_gap_in_use_the_end_of_the_partition_does():
    board = fresh({"firmware.bin": firmware("c3-B")}, installed=False)
    board.change(PLAN + 100, b"mine")
    before = board.flash()
    run = board.run("import molt\nmolt.install()\nmolt.fwupdate('firmware.bin', safe_check=False)")
    true(f"installed at 0x{FS - 3 * SECTOR:x}" in run.out, "where it says that it is")
    true(run.runs("c3-B"), "B does not run")
    same_bytes(board.flash(LOADER, TABLE), before[LOADER:TABLE], "the gap", LOADER)


# ---- trials

TRIAL = "import molt\nmolt.fwupdate('firmware.bin', fallback='old.bin', trial_starts=2, verbose=False%s)"
# The checks of the images take most of the time, and one test has them.
QUICK = TRIAL % ", safe_check=False%s"
STATUS = "import molt\nprint(molt.status())"


def for_a_trial():
    return fresh({"firmware.bin": firmware("c3-B"), "old.bin": firmware("c3-A")})


def has_status(board, **wanted):
    found = board.run(STATUS, timeout=120).value()
    same({key: found.get(key) for key in wanted}, wanted, f"of status() {found}")


@test
def unconfirmed_the_fallback_comes_back_after_its_starts():
    board = for_a_trial()
    before = board.flash()
    run = board.run(TRIAL % "", timeout=120)
    true(run.runs("c3-B"), f"B does not run: {run.out[-300:]!r}")
    # The board was switched on for each line; a start is a power-on.
    has_status(board, result="trial", starts=0, counted=True)
    has_status(board, result="rolled back", resident=False)
    same_bytes(board.flash(APP, APP + len(firmware("c3-A"))), firmware("c3-A"), "the firmware", APP)
    same_bytes(board.flash(0, OTADATA), before[:OTADATA], "boot loader and loader")
    same_bytes(board.flash(TABLE, APP), before[TABLE:APP], "between plan and firmware", TABLE)
    for path, data in FILES.items():
        same(board.files()[path], data, path)
    run = board.run(STATUS)
    same(run.ops, [], "flash operations of a later start")


@test
def confirmed_the_new_firmware_stays():
    board = for_a_trial()
    board.run(QUICK % "", timeout=120)
    run = board.run("import molt\nprint(molt.confirm(), molt.confirm())")
    same(run.lines()[-1], "True False", "confirm(), and again")
    for _ in range(3):
        run = board.run(STATUS)
        same(run.value()["result"], "confirmed", "status()")
        same(run.ops, [], "flash operations of a later start")
    same_bytes(board.flash(APP, APP + len(firmware("c3-B"))), firmware("c3-B"), "the firmware", APP)


@test
def a_trial_of_gzip_files_does_the_same():
    board = fresh({"firmware.bin": gzip.compress(firmware("c3-B"), 9), "old.bin": gzip.compress(firmware("c3-A"), 9)})
    true(board.run(QUICK % "", timeout=90).runs("c3-B"), "B does not run")
    board.run("pass")
    run = board.run(STATUS, timeout=90)
    same(run.value()["result"], "rolled back", "status()")
    same_bytes(board.flash(APP, APP + len(firmware("c3-A"))), firmware("c3-A"), "the firmware", APP)


@test
def what_cannot_be_a_trial_has_its_sentence_and_on_trial_nothing_else_is_begun():
    board = for_a_trial()
    says(board, "molt.fwupdate('firmware.bin', fallback='firmware.bin', safe_check=False)", "same image")
    says(board, "molt.fwupdate('firmware.bin', fallback='old.bin', trial_starts=33)", "1 to 32")
    says(board, "molt.fwupdate('firmware.bin', fallback='old.bin', erase_all=True)", "erase_all")
    board.run(QUICK % "", timeout=120)
    run = board.run("import molt\nfor f in molt.uninstall, lambda: molt.fwupdate('old.bin', verbose=False):\n"
                    " try:\n  f()\n except OSError as e:\n  print(e.args[1])")
    true("confirm()" in run.lines()[-2] and "on trial" in run.lines()[-1], run.out)
    # A gap of two sectors.
    board = fresh({"firmware.bin": firmware("c3-B"), "old.bin": firmware("c3-A")}, installed=False)
    board.change(LOADER + 1000, bytes(8))
    board.run(INSTALL)
    says(board, "molt.fwupdate('firmware.bin', fallback='old.bin')", "three sectors")


# ---- power cuts

def recovers(board, step, dialect=None):
    """Every cut of the sample, from the reset on, ends in firmware B."""
    recovers_to(board, step, rig.version("c3-B"), "c3-B", dialect)


def recovers_to(board, step, until, name, dialect=None):
    """Every cut of the sample, from the reset on, ends in that firmware, and the board says so."""
    size = len(firmware(name))
    options = ()
    if dialect:
        loader = board.path.with_suffix(".loader")
        subprocess.run([ROOT / "vboard/esp32c3/mkloader", dialect, "4", loader], check=True)
        options = ("--bootloader", loader)
    count = len(Board(board.flash()).run(None, "--until", until, *options, status=None).ops)
    cuts = sample(count, step, MORE)
    ranges = [(0, OTADATA), (TABLE, APP - TABLE), (APP, size)]
    wanted = [digest(board.flash(0, OTADATA)), digest(board.flash(TABLE, APP)), digest(firmware(name))]
    lost = [row for row in cut_runs(board, cuts, until, ranges, *options) if row[1] or row[2] != wanted]
    note(f"{len(cuts)} cuts in {count} operations, {len(lost)} lost")
    same(lost, [], "cuts that are lost")


def prepared(files, name="firmware.bin"):
    board = fresh(files)
    board.run(f"import molt\nmolt.fwupdate('{name}', safe_check=False, reset=False, verbose=False)", timeout=60)
    return board


@test
def no_cut_of_the_loaders_work_is_fatal():
    recovers(prepared({"firmware.bin": firmware("c3-B")}), 1201)


@test
def nor_one_from_a_gzip_file():
    packed = gzip.compress(firmware("c3-B"), 9)
    recovers(prepared({"firmware.bin.gz": packed}, "firmware.bin.gz"), 4999)


@test
def nor_one_from_a_delta_file():
    recovers(prepared({"firmware.delta": patch("c3-A", "c3-B")}, "firmware.delta"), 3301)


def nor_one_on_the_boot_loader_of_idf_4_3():
    recovers(prepared({"firmware.bin": firmware("c3-B")}), 3301, "4.3")


if MORE:
    test(nor_one_on_the_boot_loader_of_idf_4_3)


@test
def no_cut_of_a_trial_that_falls_back_is_fatal():
    board = for_a_trial()
    board.run(QUICK % ", reset=False", timeout=120)
    # From one power-on: the firmware on trial resets itself until it is not there any more.
    code = "import molt, machine\nr = molt.status()['result']\nprint('it ' + 'is', r)\nif r == 'trial':\n machine.reset()\n"
    board.put({"main.py": code.encode()})
    recovers_to(board, 2801, "it is rolled back", "c3-A")


@test
def no_cut_of_fwupdate_itself_is_fatal():
    board = with_image()
    code = "import molt\nmolt.fwupdate('firmware.bin', safe_check=False, reset=False, verbose=False)\nprint('is ' + 'prepared')"
    count = len(Board(board.flash()).run(code).ops)
    cuts = sample(count, 7, MORE)
    size = len(firmware("c3-B"))
    rows = cut_runs(board, cuts, None, [(APP, len(firmware("c3-A"))), (APP, size)], "--exec", code)
    wanted = (digest(firmware("c3-A")), digest(firmware("c3-B")))
    lost = [row for row in rows if row[0] != "-" and (row[1] or not (row[2][0] == wanted[0] or row[2][1] == wanted[1]))]
    new = sum(row[2][1] == wanted[1] for row in rows)
    note(f"{len(cuts)} cuts in {count} operations, {new} go on to the new firmware, {len(lost)} lost")
    same(lost, [], "cuts that are lost")


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--all"]
    sys.exit(rig.main())
