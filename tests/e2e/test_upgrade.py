#!/usr/bin/env python3
"""Upgrades on the virtual ESP8266, as TAP: what the firmware and its boot loader, as shipped, do when nothing fails.

    tests/e2e/test_upgrade.py [WORD...]     only the tests with a WORD in their names

All runs are watched by the board's plugin: an access that the chip does not allow fails the test.
"""
import gzip
import sys

from checks import STATUS, files_are, landed, target_is
from rig import (BLOCK, FS_START, FS_START_1M, MB, SECTOR, SMALL_PROGRAM_SAYS, SYSTEM_SIZE, Skip, firmware, fresh,
                 hazard, main, note, on_board, same, same_bytes, scratch, small_program, stored, test, tool, true, user_files, version)

UPGRADE = "import molt; molt.fwupdate('firmware.bin')"
PREPARE = "import molt; molt.fwupdate('firmware.bin', reset=False)\n"


def with_image(image, path="firmware.bin"):
    return {**user_files(), path: image}


def upgrade(old, new, size="4M", fs_start=FS_START, fs_arg=None, params=None, options=()):
    """From one firmware to another, all of it checked; the run."""
    files = with_image(firmware(new))
    board = fresh(old, size, files, fs_start=fs_arg, params=params)
    before = board.flash()
    run = board.run(UPGRADE, *options)
    true(run.runs(new), f"{new} comes up by itself: {run.lines()[-3:]}")
    same(landed(board, before, new, files, fs_start)["result"], "ok", "status")
    return run



# ---- from MicroPython to MicroPython

@test
def a_to_b():
    """A 4 MB board upgrades from a file on its own filesystem, A to B: image, files and every byte outside are right"""
    run = upgrade("mpy-A", "mpy-B")
    stats = run.stats
    note(f"{stats['operations']} flash operations, {stats['sector_erases']} sector and {stats['block_erases']} block erases, "
         f"{stats['flash_seconds']:.1f} s of flash time")
    same(stats["resets"], 2, "resets: into the boot loader, into the new firmware")


@test
def b_to_a():
    """and back, B to A"""
    upgrade("mpy-B", "mpy-A")


@test
def there_and_back_on_one_board():
    """A board that was upgraded can be upgraded again: A to B to A, both images on it"""
    files = {**user_files(), "a.bin": firmware("mpy-A"), "b.bin": firmware("mpy-B")}
    board = fresh("mpy-A", files=files)
    before = board.flash()
    for name in ("mpy-B", "mpy-A", "mpy-B"):
        true(board.run(f"import molt; molt.fwupdate('{name[-1].lower()}.bin')").runs(name), f"{name} comes up")
        same(landed(board, before, name, files)["resumed"], 0, "resumed")
        # What the larger of the two leaves behind the other stays.
        before = board.flash()


@test
@hazard("flash size and frequency of 4 MB and 40 MHz hard-coded")
def two_megabyte_board():
    """A 2 MB board keeps its flash size in the header, though the image says 4 MB"""
    same(firmware("mpy-B")[3], 0x40, "the image's header byte 3")
    run = upgrade("mpy-A", "mpy-B", "2M")
    true(run.ops[-1][0] == "page" and run.ops[-1][1] < 256, f"the first page is the last to go in: {run.ops[-1]}")


@test
@hazard("flash size and frequency of 4 MB and 40 MHz hard-coded")
def flash_mode_and_frequency_are_kept():
    """Flash mode (DOUT) and frequency (80 MHz) of the device's header are kept"""
    upgrade("mpy-A", "mpy-B", params=b"\x03\x4f")


@test
@hazard("filesystem hard-coded at 1 MB")
def filesystem_below_one_megabyte():
    """A firmware whose filesystem begins at 0x99000 upgrades, and the filesystem stays"""
    upgrade("mpy-A-1M", "mpy-B-1M", "4M", FS_START_1M, FS_START_1M)


@test
def newer_micropython():
    """From MicroPython 1.25 to 1.26, and back to 1.25"""
    if version("mpy2-A").split("-")[0] == version("mpy-A").split("-")[0]:
        raise Skip("there is only one MicroPython")
    upgrade("mpy-A", "mpy2-A")
    upgrade("mpy2-A", "mpy-B")


@test
@hazard("sector reads through a stale cache")
def image_written_in_the_same_session():
    """An image that was written a moment ago is read as it is in flash, with the flash window poisoned at each turn"""
    program = small_program(4000)
    board = fresh("mpy-A", files=with_image(program, "source.bin"))
    before = board.flash()
    run = board.run("f = open('firmware.bin', 'wb'); f.write(open('source.bin', 'rb').read()); f.close()\n" + UPGRADE,
                    "--poison", "always", timeout=120)  # slow on a busy host
    true(SMALL_PROGRAM_SAYS in run.out, f"it runs: {run.lines()[-3:]}")
    target_is(board, before, program)


# ---- from a gzip file

def gzip_file(image, window=None):
    """What the tool's `compress` makes of an image; None: what gzip -9 makes of it."""
    if window is None:
        return gzip.compress(image, 9, mtime=0)
    plain, packed = scratch("plain.bin"), scratch("packed.gz")
    plain.write_bytes(image)
    tool("compress", "--window", window, plain, packed)
    return packed.read_bytes()


@test
def from_a_gzip_file():
    """A to B from the gzip file that the tool has made: image, files and every byte outside are right"""
    files = with_image(gzip_file(firmware("mpy-B"), "4K"), "firmware.bin.gz")
    board = fresh("mpy-A", files=files)
    before = board.flash()
    run = board.run("import molt; molt.fwupdate('firmware.bin.gz')")
    true(run.runs("mpy-B"), f"B comes up by itself: {run.lines()[-3:]}")
    same(landed(board, before, "mpy-B", files)["result"], "ok", "status")
    note(f"{len(files['firmware.bin.gz'])} bytes instead of {len(firmware('mpy-B'))}")


@test
def from_a_gzip_file_of_the_usual_kind():
    """A file of gzip -9, with its window of 32 KB, is put in, or refused with a sentence and nothing changed"""
    files = with_image(gzip_file(firmware("mpy-B")), "firmware.bin.gz")
    board = fresh("mpy-A", files=files)
    before = board.flash()
    run = board.run("import molt\ntry: molt.fwupdate('firmware.bin.gz')\nexcept (ValueError, OSError) as e: print(repr(e))")
    if run.runs("mpy-B"):
        landed(board, before, "mpy-B", files)
    else:
        note(run.lines()[-1])
        same_bytes(board.flash(), before, "flash")


@test
def one_megabyte_board_from_a_gzip_file():
    """A 1 MB board upgrades from a gzip file"""
    image = small_program(60000)
    files = with_image(gzip_file(image, "4K"), "hello.gz")
    board = fresh("mpy-A-1M", "1M", files)
    before = board.flash()
    true(SMALL_PROGRAM_SAYS in board.run("import molt; molt.fwupdate('hello.gz')").out, "it runs")
    target_is(board, before, image, FS_START_1M)
    files_are(board, files)


# ---- other images, other boards

def to_small_program(size, padding, fs_start):
    """Upgrade MicroPython to the small C program, run it, and come back by the tool."""
    name = "mpy-A-1M" if size == "1M" else "mpy-A"
    program = small_program(padding)
    files = with_image(program, "hello.bin")
    if size != "1M":
        files["firmware.bin"] = firmware(name)
    board = fresh(name, size, files)
    before = board.flash()
    board.run("import molt; molt.fwupdate('hello.bin')")
    target_is(board, before, program, fs_start)
    files_are(board, files)
    true(SMALL_PROGRAM_SAYS in board.run().out, "it runs at each start")
    return board, before, files


@test
def not_micropython_and_back():
    """An image that is not MicroPython is put in and runs; the tool puts MicroPython back into the dump"""
    board, before, files = to_small_program("4M", 20000, FS_START)
    tool("upgrade", "--quiet", board.path, "firmware.bin")
    landed(board, before, "mpy-A", files)


@test
def one_megabyte_board():
    """A 1 MB board upgrades to an image that its filesystem has room for"""
    board, before, files = to_small_program("1M", 60000, FS_START_1M)
    same(len(before), MB, "size of the board")


@test
def one_megabyte_board_has_no_room_for_micropython():
    """A 1 MB board has no room for MicroPython as a plain file: tool and board say so, firmware and files stay"""
    board = fresh("mpy-A-1M", "1M")
    before = board.flash()
    said = tool("put", board.path, f"{firmware_path('mpy-B-1M')}:firmware.bin", status=1)
    true("room" in said or "full" in said or "space" in said, f"the tool's sentence: {said}")
    same_bytes(board.flash(), before, "flash")
    run = board.run("f = open('firmware.bin', 'wb')\ntry:\n    while f.write(bytes(512)): pass\n"
                    "except OSError as e: print(e.args)\n")
    same(run.value(), (28,), "OSError")
    run = board.run("import molt\ntry: molt.fwupdate('firmware.bin')\nexcept (OSError, ValueError) as e: print(repr(e))")
    true("Error(" in run.lines()[-1], f"refused: {run.lines()}")
    same_bytes(board.flash(0, FS_START_1M), before[:FS_START_1M], "the firmware")
    found = board.files()
    for path, data in user_files().items():
        same_bytes(found[path], data, path)


def firmware_path(name):
    from rig import BUILD
    firmware(name)
    return BUILD / name / "firmware.bin"


@test
@hazard("last block's length not a multiple of 4")
def odd_lengths():
    """Images whose length is not a multiple of 4 arrive to the last byte"""
    for extra in (1, 2, 3):
        program = small_program(9000) + bytes([0xA1, 0xB2, 0xC3])[:extra]
        files = with_image(program, "hello.bin")
        board = fresh("mpy-A", files=files)
        before = board.flash()
        board.run("import molt; molt.fwupdate('hello.bin')")
        target_is(board, before, program)
        files_are(board, files)


# ---- erase_all

def erase_all(name, new, size, fs_start):
    image = firmware(new) if new else small_program(30000)
    board = fresh(name, size, with_image(image))
    before = board.flash()
    # Something of the SDK's to be kept.
    board.change(len(before) - 3 * SECTOR, b"SDK parameters")
    before = board.flash()
    run = board.run("import molt; molt.fwupdate('firmware.bin', erase_all=True)")
    return board, before, run


@test
@hazard("erase_all wipes the SDK parameters")
def erase_all_keeps_the_system_sectors():
    """erase_all: the filesystem is gone and created again by the new firmware, the five system sectors are kept"""
    board, before, run = erase_all("mpy-A", "mpy-B", "4M", FS_START)
    true(run.runs("mpy-B"), "B comes up")
    true("Performing initial setup" in run.out, "a filesystem is made")
    target_is(board, before, firmware("mpy-B"))
    same(sorted(board.files()), ["boot.py"], "files")
    same(board.run(STATUS).value(), None, "no report is left")
    flash = board.flash()
    old = [s for s in range(FS_START + 2 * SECTOR, len(flash) - SYSTEM_SIZE, SECTOR)
           if flash[s:s + SECTOR] == before[s:s + SECTOR] != b"\xff" * SECTOR]
    true(len({s // BLOCK for s in old}) <= 1, f"only the block of the image's first sector, which is needed to the end, is still there: {old}")


@test
@hazard("erase_all wipes the SDK parameters")
def erase_all_on_one_megabyte():
    """erase_all on a 1 MB board: all of the filesystem is blank but the block of the image's first sector, the system sectors are kept"""
    board, before, run = erase_all("mpy-A-1M", None, "1M", FS_START_1M)
    true(SMALL_PROGRAM_SAYS in run.out, "the program runs")
    target_is(board, before, small_program(30000), FS_START_1M)
    flash = board.flash()
    left = [s for s in range(FS_START_1M, MB - SYSTEM_SIZE, SECTOR) if flash[s:s + SECTOR] != b"\xff" * SECTOR]
    true(len({s // BLOCK for s in left}) <= 1, f"sectors that are not blank: {left}")
    true(not {FS_START_1M, FS_START_1M + SECTOR} & set(left), "the superblocks are blank")


# ---- how it is done

@test
@hazard("everything erased first, return codes ignored, no verify")
def erased_piece_by_piece_and_read_back():
    """Never more than 64 KB are erased and not programmed yet, and all is read back"""
    board = fresh("mpy-A", files=with_image(firmware("mpy-B")))
    before = board.flash()
    board.run(PREPARE)
    run = board.run()
    blank, most = set(), 0
    for kind, addr, size in run.ops:
        sectors = range(addr // SECTOR, (addr + size - 1) // SECTOR + 1)
        blank = blank | set(sectors) if kind != "page" else blank - set(sectors)
        most = max(most, len(blank))
    true(most * SECTOR <= BLOCK, f"{most} sectors blank at a time")
    image = len(stored(firmware("mpy-B")))
    read = run.stats["bytes_read"]
    true(read > 3 * image, f"{read} bytes read: source checked, source copied, target read back")
    target_is(board, before, firmware("mpy-B"))


@test
@hazard("flash touched beyond the mapped window")
def only_the_target_is_touched():
    """The boot loader erases and programs the image's own sectors, 4 bytes of its report, and nothing else"""
    board = fresh("mpy-A", files=with_image(firmware("mpy-B")))
    board.run(PREPARE)
    report = [addr for off, addr, size in board.blocks("molt.head") if off == SECTOR][0]
    end = len(stored(firmware("mpy-B")))
    outside = [op for op in board.run().ops if op[1] + op[2] > end]
    true(outside, "the report is written")
    for kind, addr, size in outside:
        true(kind == "page" and size == 4 and report <= addr < report + 16, f"{kind} at 0x{addr:06x}, {size} bytes")


@test
def the_plan_comes_true():
    """molt.plan() says before how many erases there will be, molt.check() what the image is"""
    board = fresh("mpy-A", files=with_image(firmware("mpy-B")))
    plan = board.run("import molt; print(molt.plan('firmware.bin'))").value()
    same((plan["refused"], plan["reason"]), (False, None), "refused")
    check = board.run("import molt; print(molt.check('firmware.bin'))").value()
    same((check["size"], check["segments"], check["chip"]), (len(firmware("mpy-B")), 3, "ESP8266"), "check")
    prepared = board.run(PREPARE).stats
    done = board.run().stats
    installed = 1  # of the erases of prepare, those of the filesystem are not in the plan
    same(done["sector_erases"] + installed, plan["sector_erases"], "sector erases")
    same(done["block_erases"], plan["block_erases"], "block erases")
    same(prepared["block_erases"], 0, "block erases by the firmware")
    true(abs(done["flash_seconds"] / plan["seconds"] - 1) < 0.5, f"{plan['seconds']} s planned, {done['flash_seconds']} s")


@test
def equal_sectors_are_left_alone():
    """Upgrading to an image of which all but the last sector is in place rewrites that and the first one only"""
    name = on_board("mpy-A")
    image = firmware(name)
    files = with_image(image)
    board = fresh("mpy-A", files=files)
    before = board.flash()
    last = (len(image) - 1) // SECTOR * SECTOR
    # Of the MD5 behind the image: the firmware runs without it.
    board.change(len(image) - 1, bytes([image[-1] ^ 0x55]))
    board.run(PREPARE)
    run = board.run()
    true(all(addr < SECTOR or last <= addr < last + SECTOR or addr >= FS_START for _, addr, _ in run.ops), "other sectors are touched")
    same(landed(board, before, name, files)["result"], "ok", "status")


if __name__ == "__main__":
    sys.exit(main())
