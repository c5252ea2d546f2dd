#!/usr/bin/env python3
"""Flash modes and flash chips on the virtual ESP8266, as TAP: the mode in an image's header, where a chip has its
quad-enable bit, and whether it is protected.

    tests/e2e/test_modes.py [WORD...]     only the tests with a WORD in their names

The mask ROM of a device whose image is QIO or QOUT sets quad-enable by writing 0x0200 into the status register, at each
start, and reads on four lines from then on; for DIO and DOUT it clears it. On a chip that has the bit elsewhere this
clears it instead: the ROM itself cannot read such a device any more, it never ran, and a boot loader neither helps nor
harms. Everywhere else upgrades have to work, and a boot loader has no business with the status register unless the chip is
protected: to write all of it is to lose quad-enable.
"""
import functools
import random
import sys
import threading

from rig import (BRICK, SECTOR, SMALL_PROGRAM_SAYS, Board, firmware, fresh, main, same, same_bytes, scratch, small_program, stored,
                 test, tool, true, user_files, with_params)

QIO, QOUT, DIO, DOUT = range(4)
MODES = {QIO: "QIO", QOUT: "QOUT", DIO: "DIO", DOUT: "DOUT"}
CHIPS = {"winbond": "with quad-enable in the second status byte", "macronix": "with quad-enable in the first status byte",
         "fixed": "that needs no quad-enable"}
PROTECTED = 0x1C
QUAD_ENABLE = {"winbond": 0x0200, "macronix": 0x0040}
SIZE_AND_FREQ = 0x40  # 4 MB, 40 MHz
IMAGE_SIZE = 9 * SECTOR - 700
PREPARE = "import molt\nmolt.fwupdate('c.bin', verbose=False, reset=False)\n"
LOCK = threading.Lock()


@functools.cache
def target():
    """A small program, and noise behind it."""
    start = small_program(9000)
    return start + random.Random(3).randbytes(IMAGE_SIZE - len(start))


def packed():
    plain, gz = scratch("plain.bin"), scratch("packed.gz")
    plain.write_bytes(target())
    tool("compress", plain, gz)
    return gz.read_bytes()


def no_status_write(run, what):
    same([write for write in run.status_writes if write[2] != "boot"], [], f"{what}: status writes by a program")
    same((run.stats["noise_reads"], run.stats["ignored_commands"]), (0, 0), f"{what}: reads of noise, commands ignored")


@functools.cache
def _prepared(mode, way):
    files = {**user_files(), "c.bin": packed() if way == "gzip" else target()}
    board = fresh("mpy-A", files=files, params=bytes([mode, SIZE_AND_FREQ]))
    if way == "resident":
        no_status_write(board.run("import molt; molt.install()"), "installing")
    run = board.run(PREPARE)
    no_status_write(run, "preparing")
    return board.flash()


def prepared(mode, way):
    """Flash of a device in this mode, on a chip that works in all of them, whose next start is the upgrade."""
    with LOCK:
        return _prepared(mode, way)


def upgraded(board, mode, way):
    """The start that carries the upgrade out, and one more."""
    run = board.run()
    true(SMALL_PROGRAM_SAYS in run.out, f"the new firmware runs: {run.out[-200:]!r}")
    wanted = stored(with_params(target(), bytes([mode, SIZE_AND_FREQ])))
    flash = board.flash()
    first = SECTOR if way == "resident" else 0
    same_bytes(flash[first:len(wanted)], wanted[first:], "the image in flash", first)
    again = board.run()
    true(SMALL_PROGRAM_SAYS in again.out, f"it starts again: {again.out[-200:]!r}")
    same(len(again.ops), 0, "flash operations at an ordinary start")
    no_status_write(again, "an ordinary start")
    return run


def on_each_chip(mode, way):
    """Upgrades of one kind in one mode, on each chip."""
    ends = set()
    for chip in CHIPS:
        board = Board(prepared(mode, way), chip=chip)
        if chip == "macronix" and mode in (QIO, QOUT):
            before = board.flash()
            run = board.run(status=BRICK)
            same(len(run.ops), 0, "flash operations on a device that the ROM cannot read")
            same_bytes(board.flash(), before, "flash")
            continue
        no_status_write(upgraded(board, mode, way), f"upgrading on {chip}")
        wanted = QUAD_ENABLE["winbond"] if chip == "winbond" and mode in (QIO, QOUT) else 0
        same(board.status(), wanted, f"status register of {chip}")
        ends.add(board.flash())
        board.remove()
    same(len(ends), 1, "different outcomes in flash")


def declare(mode, way, words):
    def run():
        on_each_chip(mode, way)
    run.__name__ = f"{MODES[mode].lower()}_{way}"
    run.__doc__ = (f"{MODES[mode]}, {words}: works on each chip that the ROM can read in this mode, with no write of the status "
                   "register but the ROM's")
    test(run)


for each in MODES:
    declare(each, "raw", "a raw image")
    declare(each, "gzip", "a gzip file")
    declare(each, "resident", "resident mode")


@test
def protected_chip_is_unlocked():
    """A protected chip (BP0 to BP2) is unlocked by the boot loader, once, and upgraded"""
    for mode, way in ((DIO, "raw"), (DOUT, "raw"), (DIO, "resident")):
        for chip in CHIPS:
            board = Board(prepared(mode, way), chip=chip, status=PROTECTED)
            run = upgraded(board, mode, way)
            same([w for w in run.status_writes if w[2] == "program"], [(0, 2, "program")], f"{MODES[mode]}, {chip}: status writes")
            same((board.status(), run.stats["ignored_commands"]), (0, 0), f"{MODES[mode]}, {chip}: status, ignored commands")
            board.remove()


@test
def quad_image_unprotects_by_itself():
    """In QIO and QOUT the ROM has cleared the protection already, and the boot loader writes nothing"""
    for mode in (QIO, QOUT):
        for way in ("raw", "resident"):
            board = Board(prepared(mode, way), status=PROTECTED)
            no_status_write(upgraded(board, mode, way), MODES[mode])
            same(board.status(), QUAD_ENABLE["winbond"], "status register")
            board.remove()


@test
def quad_enable_that_the_rom_cannot_reach():
    """A chip whose quad-enable only its maker's command reaches (31h) keeps it, and is upgraded in QIO"""
    board = Board(prepared(QIO, "raw"), chip="gigadevice", status=QUAD_ENABLE["winbond"])
    no_status_write(upgraded(board, QIO, "raw"), "gigadevice")
    same(board.status(), QUAD_ENABLE["winbond"], "status register")


@test
def quad_enable_of_a_dual_device():
    """A chip with quad-enable in the first status byte keeps it in DIO"""
    board = Board(prepared(DIO, "resident"), chip="macronix", status=QUAD_ENABLE["macronix"])
    no_status_write(upgraded(board, DIO, "resident"), "macronix")
    same(board.status(), QUAD_ENABLE["macronix"], "status register")


@test
def a_chip_that_stays_busy_ends_in_a_restart():
    """A chip that stays busy for 20 s in the middle of an upgrade: the watchdog bites, and the next start goes on"""
    for way in ("raw", "resident"):
        board = Board(prepared(QIO, way))
        run = board.run(None, "--stuck", "60:20", bites=True)
        true(SMALL_PROGRAM_SAYS in run.out, f"the new firmware runs: {run.out[-200:]!r}")
        true(run.stats["watchdog_bites"] >= 1, "the watchdog bites")
        board.remove()


@test
def published_images_are_qio():
    """The firmwares of all these tests are QIO, as the images are that MicroPython publishes"""
    for name in ("mpy-A", "mpy-B", "mpy-A-1M"):
        same(firmware(name)[2], QIO, f"mode of {name}")


if __name__ == "__main__":
    sys.exit(main())
