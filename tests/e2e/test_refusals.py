#!/usr/bin/env python3
"""What molt.fwupdate() refuses, on the virtual ESP8266, as TAP: exception, sentence, and a flash that stays as it is.

    tests/e2e/test_refusals.py [WORD...]    only the tests with a WORD in their names

Where nothing else is said, flash has not seen one operation, and is the same byte for byte.
"""
import gzip
import random
import re
import struct
import sys

from checks import attempt, files_are, refused, target_is
from badimages import esp32_image, with_md5
from rig import (FS_START, FS_START_1M, MB, SMALL_PROGRAM_SAYS, SYSTEM_SIZE, firmware, fresh, hazard, main, note, of_c_engine, same,
                 same_bytes, scratch, small_program, test, tool, true, user_files)

UPGRADE = "molt.fwupdate('firmware.bin')"
NOT_OURS = "on another volume than a littlefs in the device's own flash; copy it there"


def board_with(image, name="mpy-A", size="4M", **settings):
    return fresh(name, size, {**user_files(), "firmware.bin": image}, **settings)


# ---- bad files

@test
@hazard("no validation of the image")
def an_image_cut_short_is_refused():
    """An image that is cut short is refused, wherever it is cut"""
    image = firmware("mpy-B")
    for size in (len(image) - 1, len(image) - 16, len(image) // 2, 0x9000, 40000 // 2, 200):
        refused(board_with(image[:size]), UPGRADE, "OSError", "copy it again")


@test
@hazard("no validation of the image")
def an_image_with_one_wrong_bit_is_refused():
    """An image with one wrong bit is refused, wherever it is"""
    image = firmware("mpy-B")
    for seed, at in enumerate((0, 1, 5, 20, 0x4000, 0x9000 + 77, len(image) // 2, len(image) - 17, len(image) - 3)):
        bad = bytearray(image)
        bad[at] ^= 1 << random.Random(seed).randrange(8) if at > 5 else 0x40
        refused(board_with(bytes(bad)), UPGRADE, "OSError", "")


@test
@hazard("no validation of the image")
def random_bytes_are_refused():
    """Random bytes are refused"""
    refused(board_with(random.Random(1).randbytes(300000)), UPGRADE, "OSError", "no firmware image")


@test
@hazard("a small inline file leads to erase everything, write nothing")
def an_empty_file_is_refused():
    """An empty file is refused"""
    board = fresh("mpy-A", files={**user_files(), "firmware.bin": b""})
    for flag in (True, False):
        _, kind, args, sentence = attempt(board, f"molt.fwupdate('firmware.bin', safe_check={flag})")
        refused(board, f"molt.fwupdate('firmware.bin', safe_check={flag})", kind, "")
        note(f"{kind}{args}")


@test
@hazard("a small inline file leads to erase everything, write nothing")
def an_inline_file_is_refused():
    """A file so small that littlefs keeps it in its directory is refused, with safe_check and without"""
    board = board_with(firmware("mpy-B")[:60])
    for flag in (True, False):
        refused(board, f"molt.fwupdate('firmware.bin', safe_check={flag}, erase_all=True)", "OSError",
                "so small that littlefs keeps it inside its directory")


@test
def a_directory_is_refused():
    """A directory is refused"""
    refused(board_with(b"x"), "molt.fwupdate('data')", "OSError", "this is a directory; name the image file in it")


@test
def a_missing_file_is_refused():
    """A missing file is refused, so is one in a directory that is missing"""
    board = board_with(b"x")
    for path in ("other.bin", "/data/other.bin", "nowhere/firmware.bin"):
        _, kind, args, _ = attempt(board, f"molt.fwupdate('{path}')")
        same((kind, args[0]), ("OSError", 2), f"{path}: {args}")
        refused(board, f"molt.fwupdate('{path}')", kind, "")


@test
def what_is_no_name_is_refused():
    """What is no name of a file is refused, and is called that"""
    board = board_with(b"x")
    for name, kind, words in (("None", "TypeError", "named by a str"), ("7", "TypeError", "named by a str"),
                              ("b'firmware.bin'", "TypeError", "named by a str"), ("''", "OSError", "this is a directory"),
                              ("'/'", "OSError", "this is a directory"), ("'..'", "OSError", "this is a directory")):
        for function in ("fwupdate", "check", "plan"):
            refused(board, f"molt.{function}({name})", kind, words)


@test
def an_image_of_the_name_of_the_saved_file_is_refused():
    """An image that has the name under which the first sector is saved is refused, not overwritten"""
    program = small_program(9000)
    board = fresh("mpy-A", files={**user_files(), "molt.head": program})
    refused(board, "molt.fwupdate('molt.head')", "ValueError", "rename the image")
    refused(board, "molt.fwupdate('./lib/../molt.head')", "ValueError", "rename the image")


@test
def a_place_where_the_first_sector_cannot_be_saved():
    """Where the first sector cannot be saved (a directory of that name, mounted to be read only) it says what to do"""
    board = fresh("mpy-A", files={**user_files(), "firmware.bin": small_program(9000)})
    board.run("import os; os.mkdir('molt.head')")
    refused(board, UPGRADE, "OSError", "have no directory of that name")
    mount = "import vfs\nfrom flashbdev import bdev\nvfs.umount('/')\nvfs.mount(vfs.VfsLfs2(bdev), '/', readonly=True)\n"
    board.run("import os; os.rmdir('molt.head')")
    refused(board, mount + UPGRADE, "OSError", "for writing")


@test
def an_esp32_image_is_refused():
    """An image for an ESP32 is refused, with safe_check and without"""
    board = board_with(esp32_image())
    for flag in (True, False):
        refused(board, f"molt.fwupdate('firmware.bin', safe_check={flag})", "OSError", "for another chip")


@test
@hazard("no validation of the image")
def a_damaged_gzip_file_is_refused():
    """A gzip file with one wrong byte, or cut short, or with something else than an image in it, is refused"""
    whole = gzip_file(firmware("mpy-B"))
    for at in (0x30, len(whole) // 2, len(whole) - 6, len(whole) - 2):
        bad = bytearray(whole)
        bad[at] ^= 0x40
        refused(board_with(bytes(bad)), UPGRADE, "OSError", "")
    refused(board_with(whole[:len(whole) // 2]), UPGRADE, "OSError", "")
    refused(board_with(gzip.compress(b"no image " * 60, 9, mtime=0)), UPGRADE, "OSError", "")


def gzip_file(image):
    plain, packed = scratch("plain.bin"), scratch("packed.gz")
    plain.write_bytes(image)
    tool("compress", plain, packed)
    return packed.read_bytes()


@test
def a_second_stage_image_is_refused():
    """An 0xEA image, which needs Espressif's second-stage boot loader, is refused, with safe_check and without"""
    inner = small_program(3000)
    irom = random.Random(3).randbytes(4000)
    image = struct.pack("<BBBBI", 0xEA, 4, 2, 0x40, 0x40100000) + struct.pack("<II", 0, len(irom)) + irom + inner
    board = board_with(image)
    for flag in (True, False):
        refused(board, f"molt.fwupdate('firmware.bin', safe_check={flag})", "OSError", "the mask ROM cannot start it")


# ---- no room

@test
@hazard("filesystem hard-coded at 1 MB")
def an_image_that_would_run_into_the_filesystem_is_refused():
    """An image that would run into a filesystem that begins at 0x99000 is refused, with both addresses"""
    board = board_with(firmware("mpy-B"), "mpy-A-1M", "4M", fs_start=FS_START_1M)
    refused(board, UPGRADE, "OSError", "would run into the filesystem")
    _, _, _, sentence = attempt(board, UPGRADE)
    true(f"0x{FS_START_1M:x}" in sentence, f"it says where: {sentence}")
    plan = board.run("import molt; print(molt.plan('firmware.bin'))").value()
    true("would run into the filesystem" in plan["reason"] and plan["refused"] is True, f"plan: {plan}")
    refused(board, "molt.fwupdate('firmware.bin', erase_all=True)", "OSError", "would run into the filesystem")


@test
@hazard("flash touched beyond the mapped window")
def an_image_larger_than_the_mapped_window_is_refused():
    """An image of more than 1 MB, whole otherwise, is refused"""
    image = firmware("mpy-B")
    body = image[:-16] + random.Random(4).randbytes(MB + 4096 - len(image))
    body = body[:0x8FFC] + struct.pack("<I", len(body)) + body[0x9000:]
    refused(board_with(with_md5(body + bytes(16))), UPGRADE, "OSError", "")


@test
def a_filesystem_without_room_for_the_saved_sector():
    """Where the filesystem is too full to save the first sector, OSError 28 is raised and the firmware stays"""
    program = small_program(9000)
    board = board_with(program)
    free = int(re.search(r"of which (\d+) KB are free", tool("ls", board.path))[1])
    filler = scratch("filler")
    filler.write_bytes(bytes((free - 20) * 1024))
    tool("put", board.path, filler)
    files = board.files()
    board.run("import os\nn = 0\ntry:\n    while True:\n        f = open('f%d' % n, 'wb'); f.write(bytes(3000)); f.close(); n += 1\n"
              "except OSError: pass\n")
    before = board.flash()
    run, kind, args, sentence = attempt(board, UPGRADE)
    same((kind, args[0], "remove a file to make room" in sentence), ("OSError", 28, True), f"{args}")
    same_bytes(board.flash(0, FS_START), before[:FS_START], "the firmware")
    same_bytes(board.flash(len(before) - SYSTEM_SIZE), before[len(before) - SYSTEM_SIZE:], "the system sectors")
    found = board.files()
    for path, data in files.items():
        same_bytes(found[path], data, path)
    same(board.run("import molt; print(molt.pending(), molt.status())").lines()[-1], "None None", "pending, status")
    # With room made it works.
    board.run("import os; os.remove('f0'); os.remove('filler')")
    board.run("import molt; molt.fwupdate('firmware.bin')")
    target_is(board, before, program)


# ---- files elsewhere

RAM_DISK = """
import vfs, gc
gc.collect()
class RAM:
    def __init__(self, size, block):
        self.data = bytearray(size); self.block = block
    def readblocks(self, n, buf, off=0):
        at = n * self.block + off; buf[:] = memoryview(self.data)[at:at + len(buf)]
    def writeblocks(self, n, buf, off=0):
        at = n * self.block + off; memoryview(self.data)[at:at + len(buf)] = buf
    def ioctl(self, op, arg):
        return len(self.data) // self.block if op == 4 else self.block if op == 5 else 0
"""
FLASH_DISK = """
import vfs, flashbdev
class Disk(flashbdev.FlashBdev): pass
disk = Disk(0xbc, 0x40)
"""


@test
@hazard("a FAT volume leads to erase everything, write nothing")
def a_file_on_fat_in_flash_is_refused():
    """A file on a FAT volume in another part of flash is refused"""
    board = board_with(firmware("mpy-B"))
    make = "import esp, vfs\nclass Disk:\n    def readblocks(self, n, buf): esp.flash_read(0xbc000 + n * 4096, buf)\n" \
        "    def writeblocks(self, n, buf):\n        esp.flash_erase(0xbc + n); esp.flash_write(0xbc000 + n * 4096, buf)\n" \
        "    def ioctl(self, op, arg): return 0x40 if op == 4 else 4096 if op == 5 else 0\ndisk = Disk()\n"
    # FatFs has a window of 4 KB, and no memory for more than one volume of it.
    board.run(make + "vfs.VfsFat.mkfs(disk)\nvfs.mount(disk, '/fat')\n"
              "f = open('/fat/firmware.bin', 'wb'); f.write(bytes(9000)); f.close()\nvfs.umount('/fat')\n")
    refused(board, make + "vfs.mount(disk, '/fat')\nmolt.fwupdate('/fat/firmware.bin')", "OSError", "littlefs")


@test
def a_file_on_littlefs_in_ram_is_refused():
    """A file on a littlefs in RAM is refused, whether flash has a file of that name or not"""
    code = RAM_DISK + "ram = RAM(4 * 4096, 4096)\nvfs.VfsLfs2.mkfs(ram)\nvfs.mount(vfs.VfsLfs2(ram), '/ram')\n" \
        "f = open('/ram/{0}', 'wb'); f.write(bytes(3000)); f.close()\ngc.collect()\nmolt.fwupdate('/ram/{0}')"
    board = board_with(firmware("mpy-B"))
    for name in ("firmware.bin", "other.bin"):
        refused(board, code.format(name), "OSError", NOT_OURS)


@test
def a_file_on_another_littlefs_in_flash():
    """A file on a second littlefs in flash is taken from there, also when the first has one of that name and size"""
    of_c_engine("a way to a second littlefs")
    ours = small_program(20000)
    theirs = small_program(19000) + bytes(len(ours) - len(small_program(19000)))
    board = fresh("mpy-A", files={**user_files(), "firmware.bin": ours, "theirs": theirs})
    board.run(FLASH_DISK + "vfs.VfsLfs2.mkfs(disk)\nvfs.mount(disk, '/two')\nf = open('/two/firmware.bin', 'wb')\n"
              "g = open('theirs', 'rb')\nwhile True:\n    b = g.read(512)\n    if not b: break\n    f.write(b)\nf.close()\n")
    mount = FLASH_DISK + "import molt\nvfs.mount(disk, '/two')\n"
    refused(board, mount + "molt.fwupdate('/two/firmware.bin', erase_all=True)", "ValueError", "erase_all takes")
    before = board.flash()
    board.run(mount + "molt.fwupdate('/two/firmware.bin', reset=False)\nprint(molt.status()['result'])\n")
    run = board.run(status=None)
    true(SMALL_PROGRAM_SAYS in run.out, f"the program runs: {run.out[-200:]!r}")
    same_bytes(board.flash(4, len(theirs)), theirs[4:], "the image in flash, from the second filesystem")
    same_bytes(board.flash(FS_START), before[FS_START:], "the first filesystem and all behind it")


# ---- open files

WRITERS = {
    "truncating": "f = open('firmware.bin', 'wb')\nf.write(bytes(9000))\n",
    "changing": "f = open('firmware.bin', 'r+b')\nf.seek(100000)\nf.write(bytes(5000))\n",
    "appending": "f = open('firmware.bin', 'ab')\nf.write(bytes(5000))\n",
}


@test
def open_writers_on_a_file_that_was_whole():
    """With a writer at work on the image file (truncating, changing, appending) the upgrade is refused until it is closed"""
    of_c_engine("a list of open files")
    files = {**user_files(), "firmware.bin": firmware("mpy-B")}
    for what, code in WRITERS.items():
        board = fresh("mpy-A", files=files)
        before = board.flash()
        _, kind, args, sentence = attempt(board, code + UPGRADE)
        same((kind, args[0]), ("OSError", 16), f"{what}: {args}")
        true("close it" in sentence, f"{what}: the sentence: {sentence}")
        same_bytes(board.flash(0, FS_START), before[:FS_START], f"{what}: the firmware")
        files_are(board, files)


@test
def a_writer_on_another_file_and_a_reader():
    """A writer on another file, and a reader of the image file, are in nobody's way"""
    board = fresh("mpy-A", files={**user_files(), "firmware.bin": firmware("mpy-B")})
    run = board.run("f = open('log', 'wb')\nf.write(bytes(5000))\ng = open('firmware.bin', 'rb')\nimport molt\n" + UPGRADE)
    true(run.runs("mpy-B"), "B comes up")


@test
def an_open_writer_on_a_new_file():
    """A file that is being written for the first time, and not synced yet, is refused"""
    program = small_program(9000)
    board = fresh("mpy-A", files={**user_files(), "copy.bin": program})
    before = board.flash()
    _, kind, args, sentence = attempt(board, "f = open('firmware.bin', 'wb')\nf.write(open('copy.bin', 'rb').read())\n" + UPGRADE)
    true(kind == "OSError" and "close it" in sentence, f"{kind}{args}")
    same_bytes(board.flash(0, FS_START), before[:FS_START], "the firmware")
    same(board.run("import molt; print(molt.pending())").lines()[-1], "None", "pending")


@test
def a_file_that_is_changed_but_not_closed_after_the_preparation():
    """A writer that goes on after the preparation, and closes, changes nothing of what was prepared"""
    files = {**user_files(), "firmware.bin": firmware("mpy-B")}
    board = fresh("mpy-A", files=files)
    before = board.flash()
    board.run("import molt\nmolt.fwupdate('firmware.bin', reset=False)\nf = open('firmware.bin', 'r+b')\n"
              "f.seek(300000)\nf.write(bytes(5000))\nf.close()\n")
    true(board.run().runs("mpy-B"), "B comes up")
    target_is(board, before, firmware("mpy-B"))
    changed = bytearray(files["firmware.bin"])
    changed[300000:305000] = bytes(5000)
    files_are(board, {**files, "firmware.bin": bytes(changed)})


@test
def a_damaged_volume():
    """An image whose block on the filesystem has gone bad is refused"""
    board = board_with(firmware("mpy-B"))
    off, addr, size = board.blocks("firmware.bin")[77]
    board.change(addr + 100, b"\0\0\0\0")
    refused(board, UPGRADE, "OSError", "copy it again")


if __name__ == "__main__":
    sys.exit(main())
