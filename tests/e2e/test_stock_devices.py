#!/usr/bin/env python3
"""What a firmware without molt may stand on, and be doing, when the package of `make mip` upgrades it, on the virtual ESP8266, as TAP.

    tests/e2e/test_stock_devices.py [--all] [WORD...]   only the tests with a WORD in their names; --all: more of them
"""
import os
import pathlib
import subprocess
import sys

import rig
from checks import refused, target_is
from portrig import switched_on
from rig import (BUILD, MB, SECTOR, SMALL_PROGRAM_SAYS, fresh, main, same, same_bytes, scratch, small_program, test, tool, true,
                 user_files)
from stockrig import ALL, PREPARE, STOCK, in_full, package, stock, with_image


# ---- where the file is, and what it is on

@test
def a_file_whose_blocks_do_not_hold_it():
    """A file on another volume, of a name that the device's own littlefs has too, is refused"""
    code = ("import vfs\nclass RAM:\n    def __init__(self): self.data = bytearray(4 * 2048)\n"
            "    def readblocks(self, n, buf, off=0):\n        at = n * 2048 + off; buf[:] = memoryview(self.data)[at:at + len(buf)]\n"
            "    def writeblocks(self, n, buf, off=0):\n        at = n * 2048 + off; memoryview(self.data)[at:at + len(buf)] = buf\n"
            "    def ioctl(self, op, arg): return 4 if op == 4 else 2048 if op == 5 else 0\n"
            "ram = RAM()\nvfs.VfsLfs2.mkfs(ram)\nvfs.mount(vfs.VfsLfs2(ram), '/ram')\nf = open('/ram/a', 'wb')\n"
            "f.write(bytes(1500))\nf.close()\n"
            "molt.fwupdate('/ram/a')")
    refused(stock(user_files()), code, "OSError", "on another volume")
    refused(stock({**user_files(), "ram/a": bytes(1499)}), code, "OSError", "on another volume")


# In the place of a module, with other attributes.
FAKE = """
import sys
class Fake:
    def __init__(self, module, **attributes):
        self.module = module
        for name in attributes: setattr(self, name, attributes[name])
    def __getattr__(self, name): return getattr(self.module, name)
"""


@test
def other_devices():
    """A firmware behind the boot loader yaota8266, and another chip, are refused with a sentence"""
    board = stock(with_image(small_program(9000)))
    # The image would lie over it. What is in flash with it: boot8266 in sector 0, one segment for IRAM; its server from sector 1 on; the
    # firmware at 0x3C000. A firmware of MicroPython's is linked for that, and so has its filesystem at 0xD4000.
    boot8266 = "flash_read=lambda addr, what: m.flash_read(addr, what) if addr else bytes((0xe9, 1, 0, 0x40))[:what]"
    for module, attributes, words in (("esp", "flash_user_start=lambda: 0xd4000", "yaota8266"), ("esp", boot8266, "yaota8266"),
                                      ("sys", "platform='esp32'", "for the ESP8266")):
        code = FAKE + f"import {module} as m\nsys.modules['{module}'] = Fake(m, {attributes})\nimport molt\nmolt.fwupdate('firmware.bin')"
        refused(board, code, "OSError", words)


# Where a littlefs with files is put, for a board whose own filesystem is FAT. What is copied does not reach up to there.
ASIDE = 2 * MB + MB // 2
TO_FAT = """
import flashbdev, os, vfs
aside = vfs.VfsLfs2(flashbdev.FlashBdev(%d, %d))
vfs.umount('/')
vfs.VfsFat.mkfs(flashbdev.bdev)
vfs.mount(flashbdev.bdev, '/')
vfs.mount(aside, '/aside')
def copy(folder):
    for name, kind, *_ in os.ilistdir('/aside' + folder):
        path = folder + '/' + name
        if kind == 0x4000:
            os.mkdir(path)
            copy(path)
            continue
        with open('/aside' + path, 'rb') as f, open(path, 'wb') as g:
            while True:
                piece = f.read(512)
                if not piece: break
                g.write(piece)
copy('')
"""


def fat_board(files):
    """A board with a stock firmware whose filesystem, at first a littlefs, has been made a FAT by the device, with these files."""
    chip = scratch("aside.bin")
    puts = []
    for number, (path, data) in enumerate(files.items()):
        source = scratch(f"aside{number}")
        source.write_bytes(data)
        puts += ["--put", f"{source}:{path}"]
    tool("mkflash", chip, "--size", "4M", "--firmware", BUILD / STOCK / "firmware.bin", "--fs-start", hex(ASIDE), *puts)
    board = fresh(STOCK, files={})
    board.change(ASIDE, chip.read_bytes()[ASIDE:])
    board.run(TO_FAT % (ASIDE // SECTOR, (4 * MB - ASIDE) // SECTOR - 5), timeout=200)
    return board


@test
def a_filesystem_that_is_fat():
    """On a device whose filesystem is FAT, package and image on it, fwupdate(), check() and plan() say how to make a littlefs of it; nothing is written"""
    board = fat_board({**package(), "firmware.bin": small_program(9000)})
    same(board.run("import vfs; print([type(fs).__name__ for fs, _ in vfs.mount()])").lines()[-1], "['VfsFat']", "what is mounted")
    for name in ("fwupdate", "check", "plan"):
        refused(board, f"molt.{name}('firmware.bin')", "OSError", "vfs.VfsLfs2.mkfs(flashbdev.bdev), which erases it")


@test
def a_device_without_a_filesystem():
    """Where the firmware has none, as on a flash of 512 KB, fwupdate() and install() say so"""
    board = stock(with_image(small_program(9000)))
    for call in ("fwupdate('firmware.bin')", "install()"):
        refused(board, f"import flashbdev\nflashbdev.bdev = None\nmolt.{call}", "OSError", "no filesystem on a flash of")


@in_full
def a_flash_of_512_kb():
    """A header that says 512 KB: the firmware has no filesystem; from a folder of the computer, by mpremote mount, the package says so"""
    board = fresh(STOCK, files={})
    board.change(3, bytes([board.flash(3, 4)[0] & 15]))
    before = board.flash()
    with switched_on(board) as port:
        says = port.mpremote("mount", str(BUILD / "mip"), "exec", "import esp, molt\nprint(esp.flash_size())\nfor call in (lambda: "
                             "molt.fwupdate('package.json'), molt.install):\n    try: call()\n    except OSError as e: print(e)")
    lines = says.splitlines()
    same(lines[-3], "524288", "esp.flash_size()")
    for line in lines[-2:]:
        true("this firmware has no filesystem on a flash of 512 KB: write another firmware by the serial line" in line, says)
    same_bytes(board.flash(), before, "flash")


# ---- what a program is doing meanwhile

# A program that is at it: a timer that takes memory, a task, a file that is open for writing.
AT_WORK = """
import asyncio, machine
ticks = 0
def tick(_):
    global ticks
    ticks += 1
    bytearray(50)
timer = machine.Timer(-1)
timer.init(period=20, mode=machine.Timer.PERIODIC, callback=tick)
log = open('log.txt', 'wb')
log.write(b'begun ')
async def ticking():
    while True:
        await asyncio.sleep_ms(5)
        log.write(b'.')
async def upgrading():
    task = asyncio.create_task(ticking())
    await asyncio.sleep_ms(50)
    import molt
    try: molt.fwupdate('data/blob', verbose=False)
    except OSError as e: print(e.args[0])
    await asyncio.sleep_ms(50)
    molt.fwupdate('firmware.bin', reset=False, verbose=False)
    await asyncio.sleep_ms(50)
    task.cancel()
asyncio.run(upgrading())
timer.deinit()
log.close()
print([ticks > 20, open('log.txt').read().count('.') > 10])
"""


def asyncio_files():
    """MicroPython's asyncio, as mip brings it to a firmware without."""
    folder = pathlib.Path(os.environ.get("MICROPY_DIR") or rig.BUILD / "micropython") / "extmod/asyncio"
    files = {}
    for name in ("__init__", "core", "event", "funcs", "lock"):
        out = rig.scratch(f"{name}.mpy")
        subprocess.run([rig.BUILD / "mpy-cross/mpy-cross", "-o", out, folder / f"{name}.py"], check=True)
        files[f"lib/asyncio/{name}.mpy"] = out.read_bytes()
    return files


@test
def a_program_goes_on_meanwhile():
    """With a timer, asyncio tasks and a file that is written to, a refused upgrade and a prepared one leave them at work, and the program runs"""
    program = small_program(9000)
    board = stock({**asyncio_files(), **with_image(program)})
    before = board.flash()
    lines = board.run(AT_WORK).lines()
    same(lines[-2:], ["84", "[True, True]"], "the refusal, and what went on")
    true(SMALL_PROGRAM_SAYS in board.run(status=None).out, "the program runs")
    target_is(board, before, program)
    true(board.files()["log.txt"].startswith(b"begun ..."), "the log")


# A call from a progress function, as one from a timer would be.
AGAIN = """
import molt
calls = ("molt.fwupdate('other.bin')", "molt.cancel()", "molt.status()")
seen = []
def again(phase, done, total):
    if phase == when and when not in seen:
        seen.append(when)
        for call in calls:
            try: print(eval(call))
            except OSError as e: print(e.args)
for when in {phases}:
    print(molt.fwupdate('firmware.bin', reset=False, verbose=False, progress=again), molt.cancel(verbose=False))
"""


@test
def a_call_while_another_is_at_work():
    """From a progress function fwupdate(), cancel() and status() are refused, and the upgrade goes on; afterwards they work"""
    board = stock({**with_image(small_program(9000)), "other.bin": small_program(20000)})
    before = board.flash()
    phases = ("image", "file", "compare", "write") if ALL else ("image", "write")
    lines = board.run(AGAIN.format(phases=phases)).lines()
    true(lines.count("True True") == len(phases), f"each was prepared, and taken back: {lines}")
    same(sum("molt is at work" in line for line in lines), 3 * len(phases), "calls that were refused")
    same_bytes(board.flash(0, MB), before[:MB], "the firmware")


@in_full
def what_happens_between_preparing_and_the_reset():
    """After fwupdate(reset=False) a program writes files, sleeps, and is upgraded in the end: by machine.deepsleep() or machine.reset()"""
    program = small_program(9000)
    for end in ("machine.deepsleep(1000)", "machine.reset()"):
        board = stock(with_image(program))
        before = board.flash()
        run = board.run(PREPARE + "import machine, time\ntime.sleep_ms(300)\nmachine.lightsleep(300)\nf = open('log.txt', 'w')\n"
                        f"f.write('slept ' * 1000)\nf.close()\nprint(molt.pending())\n{end}\ntime.sleep(3)", status=None, timeout=60)
        if SMALL_PROGRAM_SAYS not in run.out:
            run = board.run(status=None)
        true(SMALL_PROGRAM_SAYS in run.out, f"{end}: the program runs: {run.out[-300:]}")
        target_is(board, before, program)
        same(board.files()["log.txt"], b"slept " * 1000, "log.txt")


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--all"]
    sys.exit(main())
