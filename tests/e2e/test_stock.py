#!/usr/bin/env python3
"""A firmware without molt upgrades itself by the package of `make mip`, on the virtual ESP8266, as TAP.

    tests/e2e/test_stock.py [--all] [WORD...]   only the tests with a WORD in their names; --all: more devices, more cuts

The firmware is the unchanged esp8266 port; the engine is micropython/stock. What it writes is held to what the C job writes.
"""
import json
import os
import random
import subprocess
import sys
import threading

import rig
from checks import files_are, refused, target_is
from rig import (BRICK, CUT, FS_START, MB, SECTOR, SMALL_PROGRAM_SAYS, firmware, fresh, hazard, main, note, same,
                 same_bytes, small_program, test, true, user_files)
from badimages import esp32_image, with_md5
from stockrig import ALL, PREPARE, STOCK, gzip_of, in_full, package, same_as_c_job, source_package, stock, with_image

UPGRADE = "import molt; molt.fwupdate('firmware.bin')"


# ---- from a stock firmware to others

@test
def stock_to_molt_and_back():
    """A stock firmware upgrades itself to one with molt in it, and that one back to the stock one; files and flash are right"""
    files = {**with_image(firmware("mpy-B")), "stock.bin": firmware(STOCK)}
    board = stock(files)
    before = board.flash()
    run = board.run(UPGRADE)
    true(run.runs("mpy-B"), f"B comes up by itself: {run.lines()[-3:]}")
    target_is(board, before, firmware("mpy-B"))
    files_are(board, {**package(), **files})
    run = board.run("import molt, _molt; print(molt.status()['result'], hasattr(_molt, 'FOLDER'))")
    same(run.lines()[-1], "ok False", "status, by B's own molt")
    true("the package for firmwares without, in /lib/, is not needed any more" in run.out, f"it says so: {run.out[-400:]}")
    before = board.flash()
    true(board.run("import molt; molt.fwupdate('stock.bin')").runs(STOCK), "the stock firmware comes up again")
    target_is(board, before, firmware(STOCK))
    files_are(board, {**package(), **files})
    same(board.run("import molt; print(molt.status())").value()["result"], "ok", "status, by the package")


@in_full
def to_another_stock_firmware():
    """A stock firmware upgrades itself to a stock firmware of a newer MicroPython, and that one itself back"""
    files = {**user_files(), "new.bin": firmware("stock2-A"), "old.bin": firmware(STOCK)}
    board = stock(files)
    for name, path in (("stock2-A", "new.bin"), (STOCK, "old.bin")):
        before = board.flash()
        true(board.run(f"import molt; molt.fwupdate('{path}')").runs(name), f"{name} comes up")
        target_is(board, before, firmware(name))
        files_are(board, {**package(), **files})


@test
def what_is_asked():
    """check, plan, pending, cancel and status say what the C engine says, and cancel puts back the first sector"""
    answers = {}
    code = ("import molt\nc = molt.check('firmware.bin')\np = molt.plan('firmware.bin')\n"
            "molt.fwupdate('firmware.bin', reset=False, verbose=False)\na = molt.pending()\ns = molt.status()\n"
            "b = molt.cancel(verbose=False)\nprint([c, p, a, s, b, molt.pending(), molt.status(), molt.cancel()])")
    files = with_image(firmware("mpy-B") if ALL else small_program(20000))
    for name, board in (("stock", stock(files)), ("molt", fresh("mpy-A", files=files))):
        before = board.flash()
        answers[name] = board.run(code).value()
        same_bytes(board.flash(0, FS_START), before[:FS_START], "the firmware")
    # Not all sectors of the two firmwares differ from B's.
    for name in answers:
        plan = answers[name][1]
        true(plan["sectors"] == plan["equal"] + plan["programmed"], f"plan: {plan}")
        del plan["equal"], plan["programmed"], plan["seconds"], plan["erased"], plan["sector_erases"], plan["block_erases"]
    same(answers["stock"], answers["molt"], "the answers")


# ---- refusals

def bad_images():
    """(what, image, words of the sentence, whether only safe_check finds it) of test_refusals.py's images."""
    whole = firmware("mpy-B")
    for size in (len(whole) - 1, len(whole) - 16, len(whole) // 2, 0x9000, 20000, 200):
        yield f"cut to {size}", whole[:size], "copy it again"
    for seed, at in enumerate((0, 1, 5, 20, 0x4000, 0x9000 + 77, len(whole) // 2, len(whole) - 17, len(whole) - 3)):
        bad = bytearray(whole)
        bad[at] ^= 1 << random.Random(seed).randrange(8) if at > 5 else 0x40
        yield f"a wrong bit at {at}", bytes(bad), ""
    yield "random", random.Random(1).randbytes(300000), "no firmware image"
    yield "empty", b"", "so small that littlefs keeps it inside its directory"
    yield "inline", whole[:60], "so small that littlefs keeps it inside its directory"
    yield "ESP32", esp32_image(), "for another chip"
    second = b"\xea\4\2\x40\0\0\x10\x40" + bytes(4) + (4000).to_bytes(4, "little") + bytes(4000) + small_program(3000)
    yield "0xEA", second, "the mask ROM cannot start it"
    yield "gzip", b"\x1f\x8b\x08" + bytes(2000), "the gzip file is damaged"
    body = whole[:-16] + random.Random(4).randbytes(MB + 4096 - len(whole))
    body = body[:0x8FFC] + len(body).to_bytes(4, "little") + body[0x9000:]
    yield "delta", b"MDL1" + bytes(5000), "takes no delta files"
    yield "larger than 1 MB", with_md5(body + bytes(16)), "the part of flash that code can run from"


@test
@hazard("no validation of the image")
def bad_images_are_refused():
    """Each bad image of the C engine's list is refused with its words, and flash sees no operation"""
    cases = list(bad_images())
    for what, image, words in cases if ALL else cases[3:7] + cases[-7:]:
        refused(stock(with_image(image)), "molt.fwupdate('firmware.bin', verbose=False)", "OSError", words)
        note(what)


@test
def other_refusals():
    """Missing files, directories, wrong arguments, a name that is taken, another map: the sentences of the C engine"""
    board = stock(with_image(small_program(9000)))
    for name, kind, words in (("'other.bin'", "OSError", "no such file"), ("'nowhere/x'", "OSError", "no such file"),
                              ("'data'", "OSError", "this is a directory"), ("'..'", "OSError", "this is a directory"),
                              ("7", "TypeError", "named by a str"), ("'firmware.bin', sha256=b'x'", "ValueError", "64 hexadecimal digits"),
                              ("'firmware.bin', sha256='zz'", "ValueError", "64 hexadecimal digits"),
                              ("'firmware.bin', sha256=5", "ValueError", "64 hexadecimal digits"),
                              ("'firmware.bin', sha256=bytes(32)", "OSError", "not the one expected"),
                              ("'firmware.bin', fallback='x'", "ValueError", "needs resident mode")):
        refused(board, f"molt.fwupdate({name})", kind, words)
    taken = stock({**user_files(), "molt.head": small_program(9000)})
    refused(taken, "molt.fwupdate('molt.head')", "ValueError", "rename the image")
    for name in ("map", "regions", "user", "migrate"):
        refused(board, f"molt.{name}()", "OSError", "firmwares with molt in them")
    board = stock(with_image(firmware("mpy-B-1M")))
    refused(board, "molt.fwupdate('firmware.bin', verbose=False)", "OSError", "made for another flash map")


# ---- the package

@test
def it_works_in_the_root_of_the_filesystem():
    """The package in the root, and not in /lib"""
    files = {path[4:]: data for path, data in package().items()}
    board = fresh(STOCK, files={**files, **with_image(small_program(9000))})
    lines = board.run("import molt; print(molt.plan('firmware.bin')['refused'], molt.status(), molt.pending())").lines()
    same(lines[-1], "False None None", str(lines[-3:]))


@test
def a_half_arrived_package_says_so():
    """A package of which a file is missing, cut short or another one is refused with its name; nothing is written"""
    whole = package()
    for name, data in (("lib/_molt/loader.bin", None), ("lib/_molt/files.txt", None),
                       ("lib/_molt/parts.bin", whole["lib/_molt/parts.bin"][:-1]), ("lib/_molt/parts.bin", None),
                       ("lib/_molt/sentences.txt", whole["lib/_molt/sentences.txt"][:-1]),
                       ("lib/_molt/files.txt", whole["lib/_molt/files.txt"][:-5])):
        files = {**whole, **with_image(small_program(9000)), name: data}
        board = fresh(STOCK, files={path: data for path, data in files.items() if data is not None})
        refused(board, "molt.fwupdate('firmware.bin')", "OSError", f"{name[4:]} is missing or damaged; install it again")


@in_full
def each_damaged_file_of_the_package_is_named():
    """A wrong byte in any file of the package is noticed, with the file's name; the two that look for it prepare nothing when they are cut short"""
    whole = package()
    for name, data in sorted(whole.items()):
        bad = bytearray(data)
        bad[len(bad) // 2] ^= 4
        first = name in ("lib/molt.mpy", "lib/_molt/__init__.mpy")
        board = fresh(STOCK, files={**whole, **with_image(small_program(9000)), name: data[:len(data) // 2] if first else bytes(bad)})
        if first:
            before = board.flash()
            # MicroPython's loader goes on behind the end of a .mpy file: anything may happen, but no upgrade.
            board.run(PREPARE, status=None, bites=True)
            same_bytes(board.flash(0, FS_START), before[:FS_START], f"the firmware, {name} cut short")
        elif name != "lib/_molt/files.txt":
            refused(board, "molt.fwupdate('firmware.bin')", "OSError", f"{name[4:]} is missing or damaged; install it again")
    note(f"{len(whole)} files")


@test
def the_package_can_go():
    """On a firmware with molt in it the package is removed with one call, and nothing else; on one without it stays"""
    files = {**package(), **user_files()}
    board = fresh("mpy-B", files=files)
    same(board.run("import molt_ask; print(molt_ask.remove_package(), molt_ask.remove_package())").lines()[-1], "True False", "removed")
    same(sorted(board.files()), sorted(user_files()), "what is left")
    board = stock(user_files())
    same(board.run("import molt_ask; print(molt_ask.remove_package())").lines()[-1], "False", "on a firmware without molt")
    board = fresh("mpy-B", files={**{path[4:]: data for path, data in package().items()}, **user_files()})
    refused(board, "molt.status()", "OSError", "molt_ask.remove_package(), and restart")
    board.run("import molt_ask; assert molt_ask.remove_package()")
    same(board.run("import molt; print(molt.status())").lines()[-1], "None", "the firmware's own, when that in the root is gone")


@test
def the_package_is_reproducible():
    """make mip writes the same bytes again, and package.json names each file once"""
    folder = rig.BUILD / "mip"
    package()
    again = rig.scratch("mip")
    subprocess.run([rig.ROOT / "tools/mip", rig.BUILD / "mpy-cross/mpy-cross", again], check=True)
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    same(sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file()), names, "files")
    for name in names:
        same_bytes((again / name).read_bytes(), (folder / name).read_bytes(), str(name))
    urls = json.loads((folder / "package.json").read_text())["urls"]
    true(len(urls) == len({to for to, _ in urls}) and all((folder / at).exists() for _, at in urls), f"urls: {urls}")


# ---- power cuts, Ctrl-C, memory

@test
def cuts_while_preparing():
    """A power cut in an operation of preparing leaves the old firmware or the new one, except while sector 0 is rewritten"""
    program = small_program(9000)
    board = stock(with_image(program))
    before = board.flash()
    ops = board.run(PREPARE).ops
    first = next(i for i, op in enumerate(ops) if op[1] < SECTOR)
    prepared = board.flash()
    sample = range(len(ops)) if ALL else sorted({0, first - 1, first, first + 3, len(ops) - 9, len(ops) - 1,
                                                 *random.Random(1).sample(range(len(ops)), 3)})
    bricks = 0
    for op in sample:
        # The tears in turn.
        tear = ("before", "after", "prefix", "random")[op % 4] if ALL else "random"
        board.path.write_bytes(before)
        board.run(PREPARE, cut=f"{op}:{tear}", status=CUT)
        run = board.run(status=None)
        if run.status == BRICK:
            true(op >= first, f"it boots after a cut in operation {op}, before sector 0 is touched")
            bricks += 1
        elif SMALL_PROGRAM_SAYS in run.out:
            target_is(board, before, program)
        else:
            true(run.runs(STOCK), f"the old firmware runs after a cut in operation {op}: {run.out[-300:]!r}")
            same_bytes(board.flash(0, FS_START), before[:FS_START], "the old firmware")
            files_are(board, {**package(), **with_image(program)})
    note(f"{len(ops)} operations, the window from {first} on; {bricks} of the cuts were in it and fatal")
    board.path.write_bytes(prepared)
    true(SMALL_PROGRAM_SAYS in board.run(status=None).out, "without a cut the program runs")


@test
def cuts_in_the_boot_loader():
    """Power cuts in the boot loader's work on what the package prepared, with tears: each time the new firmware comes up"""
    program = small_program(60000)
    board = stock(with_image(program))
    before = board.flash()
    board.run(PREPARE)
    prepared = board.flash()
    count = len(board.run(status=None).ops)
    # Not in the last page programs, which are the new first sector.
    ops = random.Random(2).sample(range(count - 40), 24 if ALL else 3)
    for number, op in enumerate(ops):
        board.path.write_bytes(prepared)
        board.run(cut=f"{op}:{('random', 'prefix', 'stray')[number % 3]}", status=CUT)
        true(SMALL_PROGRAM_SAYS in board.run(status=None).out, f"the program runs after a cut in operation {op}")
        target_is(board, before, program)
    note(f"{len(ops)} of {count} operations")


@test
def the_header_goes_in_last():
    """Sector 0 is erased, programmed from its end to its begin, and its first 16 bytes by themselves at the end"""
    board = stock(with_image(small_program(9000)))
    ops = [op for op in board.run(PREPARE).ops if op[1] < SECTOR]
    same(ops[0], ("sector", 0, SECTOR), "the first operation")
    pages = [addr // 256 for _, addr, _ in ops[1:]]
    same(pages, sorted(pages, reverse=True), "pages")
    same(ops[-1], ("page", 0, 16), "the last operation")
    same(sum(addr == 0 for kind, addr, _ in ops if kind == "page"), 1, "programs of the header")


@test
def a_loader_that_reads_otherwise_the_second_time():
    """A bit of the boot loader's file that is read wrong once does not get into sector 0"""
    code = ("import _molt, esp\nreads = 0\nclass Esp:\n    def __getattr__(self, name): return getattr(esp, name)\n"
            "    def flash_read(self, addr, buf):\n        global reads\n        esp.flash_read(addr, buf)\n        reads += 1\n"
            "        if reads == wrong: buf[len(buf) // 2] ^= 16\n"
            "for wrong in (1, 2, 9, 0):\n    reads = 0\n    blob = _molt.part('blob')\n    blob.esp = Esp()\n"
            "    try: print(blob.find('/loader.bin', bytearray(512))[1])\n    except OSError as e: print(e.errno)\n")
    lines = fresh(STOCK, files={**source_package(), **user_files()}).run(code).lines()
    same(lines[-4:], ["5", "5", "5", str(len(package()["lib/_molt/loader.bin"]))], "what comes of a wrong read, and of none")


@test
def what_progress_raises_leaves_nothing_behind():
    """What the progress function raises, KeyboardInterrupt too, stops the upgrade and nothing is written"""
    board = stock(with_image(firmware("mpy-B")))
    for phase in ("image", "file", "compare") if ALL else ("file",):
        code = f"def stop(phase, done, total):\n    if phase == '{phase}' and done > total // 2: raise KeyboardInterrupt\n" \
            "try: molt.fwupdate('firmware.bin', progress=stop, verbose=False)\nexcept KeyboardInterrupt: raise ValueError('stopped')"
        refused(board, code, "ValueError", "stopped")


@in_full
def ctrl_c_leaves_nothing_behind():
    """Ctrl-C at the serial line, while the image is checked: KeyboardInterrupt, flash is as it was, and the next call prepares"""
    board = stock(with_image(firmware("mpy-B")))
    before = board.flash()
    run = subprocess.Popen([rig.ROOT / "vboard/run", board.path, "--timeout", "300"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           env=rig.ENVIRONMENT, bufsize=0)
    out = bytearray()

    def wait_for(text):
        while text not in out:
            data = os.read(run.stdout.fileno(), 256)
            true(data, f"the board says {text}: {bytes(out[-300:])}")
            out.extend(data)

    patience = threading.Timer(240 * rig.PATIENCE, run.kill)
    patience.start()
    try:
        wait_for(b">>> ")
        run.stdin.write(b"import molt; molt.fwupdate('firmware.bin', reset=False)\r")
        wait_for(b"checking image 30%")
        run.stdin.write(b"\x03")
        wait_for(b"KeyboardInterrupt")
        wait_for(b">>> ")
        same_bytes(board.flash(0, FS_START), before[:FS_START], "the firmware")
        del out[:]
        run.stdin.write(b"molt.pending(), molt.fwupdate('firmware.bin', reset=False)\r")
        wait_for(b"(None, True)")
    finally:
        patience.cancel()
        run.kill()
        run.wait()


# Takes memory until so much is left, in pieces that cannot be given back.
LEAVE = "import gc\nkept = []\ngc.collect()\nwhile gc.mem_free() > {0}: kept.append(bytes(64)); gc.collect()\n"
HEAP = 14 * 1024
GZIP_HEAP = 20 * 1024
GZIP_HEAP_512 = 16 * 1024 + 256
AS_USERS_DO = "import molt\nmolt.fwupdate('firmware.bin', reset=False)\n"


@test
def the_heap_that_it_needs():
    """It works with 14 KB of free heap, import and progress included, and where it does not there is a MemoryError and nothing is written"""
    board = stock(with_image(firmware("mpy-B")))
    before = board.flash()
    for left in (HEAP, 12 * 1024, HEAP // 2) if ALL else (HEAP,):
        board.path.write_bytes(before)
        run = board.run(LEAVE.format(left) + "try:\n    " + AS_USERS_DO.replace("\n", "\n    ") + "\nexcept MemoryError: print('no memory')\n",
                        timeout=200)
        if left == HEAP:
            true(board.flash(0xF7C, 0xF80) == b"MOLT", f"it is prepared with {left} bytes: {run.lines()[-2:]} {run.err[-300:]}")
        elif board.flash(0xF7C, 0xF80) != b"MOLT":
            true(run.lines()[-1].endswith("no memory"), f"with {left} bytes: {run.lines()[-1]}")
            same_bytes(board.flash(0, FS_START), before[:FS_START], "the firmware")


@in_full
def the_heap_that_it_needs_in_resident_mode():
    """Installing resident mode, an upgrade in it, and taking it out work with 14 KB of free heap each; so does an upgrade from MicroPython 1.26"""
    board = stock(with_image(firmware("mpy-B")))
    before = board.flash()
    for words in ("install()", "uninstall()", "install()"):
        run = board.run(LEAVE.format(HEAP) + f"import molt\nmolt.{words}\n", timeout=200)
        true(f"resident mode is {'not ' * words.startswith('un')}installed" in run.out, f"{words}: {run.lines()[-2:]}")
    prepared = board.flash()
    for left in (HEAP, HEAP + 512, HEAP + 1024):
        board.path.write_bytes(prepared)
        board.run(LEAVE.format(left) + AS_USERS_DO, timeout=200)
        true(board.run(timeout=100).runs("mpy-B"), f"with {left} bytes B comes up")
    true(before[:SECTOR] != board.flash(0, SECTOR), "sector 0 is the boot loader's")
    board = stock(with_image(firmware("mpy-B")), "stock2-A")
    board.run(LEAVE.format(HEAP) + AS_USERS_DO, timeout=200)
    true(board.flash(0xF7C, 0xF80) == b"MOLT", "it is prepared")


@in_full
def the_heap_that_a_gzip_file_needs():
    """It works with 20 KB of free heap from a gzip file, and with 16.25 KB from one with a window of 512 bytes; with 14 KB it says what to do, and nothing is written"""
    for window, left in (("4K", GZIP_HEAP), ("512", GZIP_HEAP_512)):
        board = stock(with_image(gzip_of("mpy-B", window)))
        run = board.run(LEAVE.format(left) + AS_USERS_DO, timeout=200)
        true(board.flash(0xF7C, 0xF80) == b"MOLT", f"it is prepared: {run.lines()[-2:]} {run.err[-300:]}")
    board = stock(with_image(gzip_of("mpy-B", "512")))
    before = board.flash()
    run = board.run(LEAVE.format(HEAP) + "try:\n    " + AS_USERS_DO.replace("\n", "\n    ") + "\nexcept MemoryError as e: print(e)\n", timeout=200)
    true("the heap has no room for this" in run.out and "molt compress --window 512" in run.out, f"it says so: {run.lines()[-2:]}")
    same_bytes(board.flash(0, FS_START), before[:FS_START], "the firmware")


@in_full
def without_native_code():
    """Where no IRAM is left for native code it works all the same, slowly"""
    board = stock(with_image(small_program(9000)))
    before = board.flash(0, SECTOR)
    # The code of the package is a few hundred bytes; what is committed here takes the rest of IRAM.
    run = board.run("import sys\ncode = '@micropython.native\\ndef f(x):\\n' + '    x = x + 1\\n' * 4\nimport micropython\n"
                    "try:\n    while True: exec(code)\nexcept MemoryError: pass\nimport time\nt = time.ticks_us()\n" + PREPARE +
                    "print(time.ticks_diff(time.ticks_us(), t) // 32000)\n", timeout=300)
    true(run.value() > 500, f"the sums are slow.py's: {run.value()} million instructions")
    same_as_c_job(board, before)


@test
def it_is_quick():
    """Preparing an upgrade to MicroPython takes less than 6 s of an 80 MHz chip's instructions, for each 640 KB of the image"""
    board = stock(with_image(firmware("mpy-B")))
    run = board.run("import time\nt = time.ticks_us()\n" + PREPARE + "print(time.ticks_diff(time.ticks_us(), t))\n")
    instructions = run.value() / 0.032
    size = len(firmware("mpy-B"))
    seconds = instructions / 80e6 * 640 * 1024 / size
    note(f"{instructions / 1e6:.0f} million instructions for {size} bytes; {seconds:.1f} s for 640 KB, at 80 million a second")
    true(seconds < 6, f"{seconds} s")


@test
def sentences_are_those_of_the_c_engine():
    """Each sentence of the package stands in the C sources too, but for those of what only the package has to say"""
    sources = [rig.ROOT / path for path in ("src/image/image_text.c", "src/upgrade/plan_build.c", "src/job/job_text.c",
                                            "src/lfs/lfs_source.c", "micropython/molt_extmod/modmolt.c", "micropython/molt_extmod/pending.c", "micropython/molt_extmod/resident_api.c",
                                            "micropython/molt_extmod/upgrade_obj.c")]
    text = " ".join("".join(part for part in line.split('"')[1::2]) for path in sources
                    for line in path.read_text().replace('"\n', '"').split("\n"))
    squeezed = "".join(text.split())
    lines = (rig.ROOT / "micropython/stock/_molt/sentences.txt").read_text().splitlines()
    own = [line for line in lines if "".join(line.split(" ", 1)[1].split()) not in squeezed]
    same([line.split()[0] for line in own], ["no_delta", "no_deflate", "yaota", "no_heap", "no_heap_gzip"], "sentences of its own")
    true(len(lines) > 40, "there are many")


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--all"]
    sys.exit(main())
