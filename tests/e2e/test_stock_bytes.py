#!/usr/bin/env python3
"""What the package for firmwares without molt writes, held byte for byte to what the C job writes, on the virtual ESP8266, as TAP.

    tests/e2e/test_stock_bytes.py [--all] [WORD...]   only the tests with a WORD in their names; --all: larger images, more kinds
"""
import random
import sys

from rig import FS_START, FS_START_1M, MB, SECTOR, SMALL_PROGRAM_SAYS, firmware, main, note, small_program, test, true, user_files
import images
from badimages import with_md5
from stockrig import ALL, PREPARE, STOCK, gzip_of, in_full, same_as_c_engine, same_as_c_job, stock, with_image


def devices():
    """(what, firmware, size, files, image, settings, erase_all) of devices that are all different."""
    chance = random.Random(13)
    number = 0
    for size in ("1M", "2M", "4M"):
        for params in (b"\x00", b"\x01", b"\x02", b"\x03"):
            number += 1
            start = FS_START_1M if size == "1M" else FS_START
            freq = {"1M": b"\x20", "2M": b"\x30", "4M": b"\x4f"}[size]
            image = small_program(chance.randrange(2000, 60000 if ALL else 20000, 4)) + chance.randbytes(number % 4)
            yield size, params + freq, start, image, bool(number % 5 == 0), number


def fragmented(number):
    """Files between which an image is put in pieces: some small, some removed before."""
    chance = random.Random(number)
    return {f"data/{i}": chance.randbytes(chance.randrange(1, 9000)) for i in range(number)}


# firmware.bin becomes a copy of itself, 52 bytes longer.
COPY = """
import os
os.rename('firmware.bin', 'x')
os.remove('data/0')
f = open('firmware.bin', 'wb')
g = open('x', 'rb')
h = open('h', 'wb')
while True:
    b = g.read(700)
    if not b: break
    f.write(b)
    h.write(b)
f.write(bytes(52))
f.close()
h.close()
"""


@test
def byte_for_byte_what_the_c_job_writes():
    """Boot sector and molt.head are byte for byte the C job's: devices of 1, 2 and 4 MB, two images each, some with erase_all"""
    count = 0
    for size, params, start, image, erase_all, number in devices():
        name = "stock-A-1M" if size == "1M" else STOCK
        board = stock({**fragmented(number), "firmware.bin": image}, name, size, params=params)
        for again in (False, True):
            if again:
                # The device writes another file, in turn with a second one, and to the blocks of removed ones too.
                board.run(COPY)
            before = board.flash(0, SECTOR)
            options = "reset=False, verbose=False" + (", erase_all=True" if erase_all else "")
            board.run(f"import molt; molt.fwupdate('firmware.bin', {options})")
            true(board.flash(0xF7C, 0xF80) == b"MOLT", "it is prepared")
            same_as_c_job(board, before, fs_start=start, erase_all=erase_all)
            count += 1
            board.change(0, before)
    note(f"{count} devices and images")


@in_full
def byte_for_byte_of_micropython():
    """The same with images of MicroPython: B, a newer stock firmware, and one that differs from the present one in three sectors"""
    close = bytearray(firmware(STOCK))
    for at in (0x20000, 0x21000, 0x90000):
        close[at] ^= 1
    for image in (firmware("mpy-B"), firmware("stock2-A"), with_md5(bytes(close))) if ALL else (with_md5(bytes(close)),):
        board = stock(with_image(image))
        before = board.flash(0, SECTOR)
        board.run(PREPARE)
        same_as_c_job(board, before)


@in_full
def byte_for_byte_of_published_layouts():
    """The same with images laid out as published ones are: size word and MD5; neither of them; their segments in another order"""
    segments = [(0x40100000, images.noise(30000, 1)), (0x3FFE8000, images.noise(1000, 2)), (0x3FFE8400, images.noise(2000, 3))]
    whole = images.micropython(300000, segments, 0x40100004, 4)
    plain = whole[:0x8FFC] + b"\xff" * 4 + whole[0x9000:-16]
    for image in (whole, plain, images.micropython(300000, segments[::-1], 0x40100004, 5)):
        board = stock(with_image(image))
        before = board.flash(0, SECTOR)
        board.run(PREPARE)
        same_as_c_job(board, before)


@test
def byte_for_byte_of_gzip_files():
    """The same with gzip files of several windows, one with erase_all: molt.head has the boot loader's extension then"""
    cases = ((False, "512"), (True, "4K"), (False, "1K"), (False, "2K"), (False, "8K"))
    for number, (erase_all, window) in enumerate(cases if ALL else cases[1:2]):
        board = stock({**fragmented(number), "firmware.bin": gzip_of("mpy-B", window)})
        before = board.flash(0, SECTOR)
        board.run("import molt; molt.fwupdate('firmware.bin', reset=False, verbose=False, erase_all=%s)" % erase_all, timeout=120)
        same_as_c_job(board, before, erase_all=erase_all)


@test
def byte_for_byte_in_resident_mode():
    """install, uninstall, an upgrade, one from a gzip file, some taken back, a trial: all of flash is what the C engine makes of it"""
    board = stock({**user_files(), "firmware.bin": small_program(20000), "old.bin": small_program(9000), "packed.gz": gzip_of("mpy-B")})
    fs = (FS_START, 4 * MB - 5 * SECTOR - FS_START)
    raw, packed, trial = (*fs, "firmware.bin"), (*fs, "packed.gz"), (*fs, "firmware.bin", "fallback=old.bin")
    install = ("install", 0xf8000)
    same_as_c_engine(board, "import molt; molt.install(verbose=False)", install)
    same_as_c_engine(board, "import molt; molt.uninstall(verbose=False)", ("uninstall",))
    same_as_c_engine(board, "import molt; molt.install(verbose=False)", install)
    # So many records that a sector of the log is full.
    times = 10 if ALL else 5
    same_as_c_engine(board, f"for _ in range({times}):\n    " + PREPARE.replace("; ", "\n    ") + "    assert molt.cancel()\n",
                     *(times * [raw, ("confirm",)]))
    before = board.flash()
    for options, command in (("'packed.gz'", packed), ("'firmware.bin', fallback='old.bin', trial_starts=2", trial), ("'firmware.bin'", raw)):
        board.path.write_bytes(before)
        same_as_c_engine(board, f"import molt; molt.fwupdate({options}, reset=False, verbose=False)", command)
    true(SMALL_PROGRAM_SAYS in board.run(status=None).out, "the program runs")


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--all"]
    sys.exit(main())
