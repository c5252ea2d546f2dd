#!/usr/bin/env python3
"""The Python face of molt on the virtual ESP8266, as TAP: what help() shows, what is raised, told and handed back, and the
recipes of docs/getting-started.md.

    tests/e2e/test_python.py [WORD...]      only the tests with a WORD in their names
"""
import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import zlib

from checks import attempt, files_are, landed, refused, target_is
from rig import (BUILD, ROOT, SECTOR, SMALL_PROGRAM_SAYS, Board, firmware, fresh, main, note, of_c_engine, on_board, same, same_bytes,
                 scratch, small_program, test, tool, true, user_files, version)

UPGRADE = "molt.fwupdate('firmware.bin')"
PUBLIC = {"__name__", "fwupdate", "check", "plan", "status", "pending", "cancel", "install", "uninstall", "confirm", "map", "regions", "user",
          "user_bdev", "migrate", "frozen"}


def board_with(image, **files):
    return fresh("mpy-A", files={**user_files(), "firmware.bin": image, **files})


# ---- what is there

@test
def help_shows_what_is_for_users():
    """help(molt), dir() and tab completion show the functions for users, and nothing else"""
    of_c_engine("molt.frozen")
    board = board_with(small_program(9000))
    run = board.run("import molt\nhelp(molt)\nprint(dir(molt))")
    shown = set(re.findall(r"^  (\w+) -- ", run.out, re.M))
    same(shown, PUBLIC, "help(molt)")
    same(set(run.value()) - {"__class__", "__dict__"}, PUBLIC, "dir(molt)")
    done = subprocess.run([ROOT / "vboard/run", board.path, "--plugin"], input=b"import molt\r\nmolt.\t\r\n", capture_output=True, timeout=60,
                          env={"VBOARD_BUILD": str(BUILD / "vboard"), "PATH": "/usr/bin:/bin"})
    completed = set(re.findall(rb"\b([a-z_]+)\b", done.stdout.rpartition(b"molt.")[0].rpartition(b">>> molt.")[2]))
    same(completed & {b"gc", b"os", b"const", b"sys"}, set(), "completion")
    true({b"fwupdate", b"regions", b"frozen"} <= completed, f"completion: {sorted(completed)}")


@test
def the_map_as_data():
    """molt.regions() has for programs what molt.map() prints, without a gap"""
    of_c_engine("the flash map")
    board = board_with(small_program(9000))
    run = board.run("import molt\nprint(molt.regions())\nmolt.map()")
    regions = eval(run.lines()[0])
    addr = 0
    for region in regions:
        same(region["addr"], addr, f"{region['name']} begins where the one before ends")
        addr += region["size"]
        true(f"{region['name']:<10}  0x{region['addr']:06x}  0x{addr:06x}" in run.out and 0 <= region["used"] <= region["size"], str(region))
    same(addr, len(board.flash()), "flash size")


@test
def check_says_which_version():
    """molt.check() has the version of a MicroPython image, raw or packed, as os.uname() gives it; None for another program"""
    packed = scratch("packed.gz")
    plain = scratch("plain.bin")
    plain.write_bytes(firmware("mpy-B"))
    tool("compress", plain, packed)
    board = board_with(firmware("mpy-B"), **{"b.gz": packed.read_bytes(), "hello.bin": small_program(9000)})
    run = board.run("import molt\nfor n in ('firmware.bin', 'b.gz', 'hello.bin'): print(molt.check(n)['version'])\nmolt.fwupdate('firmware.bin', verbose=False)",
                    timeout=180)
    told = [line for line in run.lines()[:3]]
    same(told[2], "None", "another program")
    same(told[0], told[1], "raw and packed")
    true(told[0].startswith(version("mpy-B") + " on "), told[0])
    same(board.run("import os; print(os.uname().version)").lines()[-1], told[0], "os.uname().version, once it runs")


@test
def a_refusal_is_told_by_plan():
    """molt.plan() has refused and reason, with every other key, whether fwupdate() would refuse or not"""
    board = fresh("mpy-A", files={**user_files(), "firmware.bin": firmware("mpy-B"), "1M.bin": other_map(firmware("mpy-B"))})
    good, bad = (eval(line) for line in board.run("import molt\nprint(molt.plan('firmware.bin'))\nprint(molt.plan('1M.bin'))").lines()[-2:])
    same((good["refused"], good["reason"]), (False, None), "an image that fits")
    same(set(good), set(bad), "the same keys")
    true(bad["refused"] is True and "for another flash map" in bad["reason"] and bad["sectors"] is None, str(bad))


def other_map(image):
    """The image with a mark of a filesystem in another place."""
    words = [0x2C91E7B4, 0xD30A684F, 0x5BF2139D, 0x8E65C0A1]
    mark = b"".join((~w & 0xFFFFFFFF).to_bytes(4, "little") for w in words)
    at = image.index(mark) + len(mark)
    image = bytearray(image)
    changed = int.from_bytes(image[at:at + 4], "little") ^ 0x98000
    image[at:at + 4] = (0x98000).to_bytes(4, "little")
    end = 8
    for _ in range(image[1]):
        end += 8 + int.from_bytes(image[end + 4:end + 8], "little")
    if at < end:
        for byte in changed.to_bytes(4, "little"):
            image[end | 15] ^= byte
    return bytes(image[:-16] + hashlib.md5(image[4:-16]).digest())


# ---- what is raised

@test
def exceptions_are_of_one_kind():
    """What is wrong with file, image or device is OSError(errno, sentence), wrong arguments are ValueError or TypeError"""
    whole = firmware("mpy-B")
    board = board_with(whole[:-1], text=b"no image " * 90)
    for code, errno in ((UPGRADE, 84), ("molt.fwupdate('text')", 84), ("molt.fwupdate('none')", 2), ("molt.fwupdate('lib')", 21),
                        ("molt.fwupdate('main.txt')", 95)):
        _, kind, args, sentence = attempt(board, code)
        same((kind, args[0], len(args)), ("OSError", errno, 2), f"{code}: {args}")
    refused(board, "molt.fwupdate('firmware.bin', sha256='12')", "ValueError", "")
    refused(board, "molt.fwupdate('firmware.bin', sha256=b'12')", "ValueError", "64 hexadecimal digits, or 32 bytes")


@test
def the_expected_digest():
    """fwupdate(sha256=) takes the file's digest, as text or bytes, and refuses a file that has another one"""
    program = small_program(20000)
    plain, file = scratch("plain.bin"), scratch("plain.gz")
    plain.write_bytes(program)
    tool("compress", plain, file)
    packed = file.read_bytes()
    board = board_with(program, **{"p.gz": packed})
    before = board.flash()
    for file, data in (("firmware.bin", program), ("p.gz", packed)):
        digest = hashlib.sha256(data)
        wrong = hashlib.sha256(data + b"x").hexdigest()
        refused(board, f"molt.fwupdate({file!r}, sha256={wrong!r})", "OSError", f"the file's SHA-256 is {digest.hexdigest()}")
        for expected in (digest.hexdigest(), digest.hexdigest().upper() + "\n", digest.digest()):
            board.run(f"import molt\nprint(molt.fwupdate({file!r}, sha256={expected!r}, reset=False, verbose=False, safe_check={file == 'firmware.bin'}))\n"
                      "molt.cancel(verbose=False)")
    run = board.run(f"import molt\nmolt.fwupdate('firmware.bin', sha256={hashlib.sha256(program).hexdigest()!r})")
    true(SMALL_PROGRAM_SAYS in run.out, "the program runs")
    target_is(board, before, program)


@test
def progress_is_called_back():
    """progress(phase, done, total) rises through image, file, compare and write to the end of each; what it raises stops the upgrade"""
    board = board_with(firmware("mpy-B"))
    run = board.run("import molt\ncalls = []\nmolt.fwupdate('firmware.bin', reset=False, verbose=False, progress=lambda *a: calls.append(a))\n"
                    "print(calls)\nmolt.cancel(verbose=False)")
    calls = run.value()
    same(list(dict.fromkeys(c[0] for c in calls)), ["image", "file", "compare", "write"], "phases")
    for phase in ("image", "file", "compare", "write"):
        done = [c[1] for c in calls if c[0] == phase]
        same(done, sorted(done), f"{phase}: it rises")
        total = {c[2] for c in calls if c[0] == phase}
        same(total, {2 if phase == "write" else len(firmware("mpy-B"))}, f"{phase}: total")
        same(done[-1], max(total), f"{phase}: it ends")
    same(len(run.lines()), 1, "nothing is printed with verbose=False")
    stop = "def stop(phase, done, total):\n    if phase == '%s' and done: raise RuntimeError('stopped')\nmolt.fwupdate('firmware.bin', verbose=False, progress=stop)"
    for phase in ("image", "file", "compare"):
        refused(board, stop % phase, "RuntimeError", "stopped")


@test
def a_call_within_a_call():
    """What a progress function prepares itself stands, in whichever phase; the call that it was called by is refused, and cancel() undoes it"""
    of_c_engine("a call within a call")
    code = ("import molt, gc\ndone = []\ndef again(phase, now, total):\n if phase == '%s' and now and not done:\n  done.append(1)\n  gc.collect()\n"
            "  print(molt.fwupdate('firmware.bin', reset=False, verbose=False))\n"
            "try: molt.fwupdate('firmware.bin', reset=False, verbose=False, progress=again)\nexcept OSError as e: print(e.args[0])\n"
            "print(molt.cancel(verbose=False))")
    for phase in ("image", "compare", "write"):
        board = board_with(firmware("mpy-B"))
        before = board.flash()
        same(board.run(code % phase).lines(), ["True", "16", "True"], f"in phase {phase}")
        same_bytes(board.flash()[:SECTOR], before[:SECTOR], "sector 0")


# ---- gzip

@test
def gzip_that_needs_more_memory_than_there_is():
    """A gzip file with a window of 32 KB says how much memory it needs, with ENOMEM and the remedy"""
    board = board_with(gzip.compress(firmware("mpy-B"), 9, mtime=0))
    refused(board, UPGRADE, "OSError", "4 where `molt compress` made it")
    _, _, args, sentence = attempt(board, UPGRADE)
    same(args[0], 12, "errno")
    true("32 KB of memory in one piece" in sentence, sentence)


@test
def gzip_of_something_else():
    """A gzip file of something else than an image says so, whatever window it needs: a tar archive, a web page, a gzip file"""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=9) as tar:
        info = tarfile.TarInfo("firmware.bin")
        info.size = len(firmware("mpy-B"))
        tar.addfile(info, io.BytesIO(firmware("mpy-B")))
    noise = zlib.compress(firmware("mpy-B")[:100000], 9)
    page = b"<html><body>404" + noise[:40000] + noise[:40000]
    for what, data in (("tar.gz", archive.getvalue()), ("html", gzip.compress(page, 9, mtime=0)),
                       ("gz in gz", gzip.compress(gzip.compress(firmware("mpy-B")[:60000] * 2, 1), 9))):
        board = board_with(data)
        _, kind, args, sentence = attempt(board, UPGRADE)
        same((kind, args[0]), ("OSError", 84), f"{what}: {args}")
        true("0xE9" in sentence or "compressed" in sentence, f"{what}: {sentence}")


# ---- what is told

@test
def the_risk_is_told_before_it_is_taken():
    """fwupdate(), cancel(), install() and uninstall() say before they rewrite sector 0 that the power must not fail; cancel() of nothing is silent"""
    board = board_with(small_program(9000))
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', reset=False)\nprint('---')\nprint(molt.cancel())\nprint('---')\nprint(molt.cancel())")
    prepared, cancelled, nothing = run.out.split("---")
    for what, text in (("fwupdate", prepared), ("cancel", cancelled)):
        true("the power must not fail for some 60 ms" in text, f"{what}: {text}")
    same(nothing.split(), ["False"], "cancel() of nothing")
    # Cut in the first operation on sector 0: it was told before.
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', reset=False, verbose=False)\nprint('---')\nmolt.cancel()")
    first = [n for n, op in enumerate(run.ops) if op[1] == 0 and op[0] == "sector"]
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', reset=False, verbose=False)\nprint('---')\nmolt.cancel()", cut=f"{first[1]}:before",
                    status=None)
    true("the power must not fail" in run.out.rpartition("---")[2], f"told before the erase: {run.out[-300:]}")


@test
def open_files_are_flushed():
    """What a program has written to a file and not closed is on the filesystem after the upgrade; in another filesystem too, and for esp.DFU()"""
    of_c_engine("a list of open files")
    program = small_program(9000)
    text = "a line of the log\n" * 200
    for code in ("molt.fwupdate('firmware.bin')", "molt.fwupdate('firmware.bin', reset=False)\nf.write('the end')\nesp.DFU()"):
        board = board_with(program)
        run = board.run(f"import molt, esp\nf = open('log.txt', 'w')\nf.write({text!r})\ng = open('data/new', 'wb')\ng.write(b'12345')\n" + code)
        true(SMALL_PROGRAM_SAYS in run.out, "the program runs")
        found = board.files()
        same(found["log.txt"].decode(), text + ("the end" if "DFU" in code else ""), "log.txt")
        same(found["data/new"], b"12345", "data/new")


@test
def a_file_on_the_boards_own_fat():
    """Where the device's own filesystem is FAT the sentence says that it has to be made again as littlefs"""
    of_c_engine("a face that is not on the filesystem")
    board = fresh("mpy-A", files={})
    board.run("import vfs, flashbdev\nvfs.umount('/')\nvfs.VfsFat.mkfs(flashbdev.bdev)\nvfs.mount(flashbdev.bdev, '/')\n"
              "f = open('firmware.bin', 'wb')\nf.write(bytes(9000))\nf.close()")
    refused(board, UPGRADE, "OSError", "vfs.VfsLfs2.mkfs(flashbdev.bdev), which erases it")


@test
def a_header_that_says_another_size():
    """Where the header says a smaller flash than the firmware's filesystem needs, the start says so in one line, and so does fwupdate()"""
    of_c_engine("a line of its own at the start")
    for code, size in ((2, "1024 KB"), (0, "512 KB")):
        board = board_with(small_program(9000))
        board.change(3, bytes([board.flash(3, 4)[0] & 15 | code << 4]))
        run = board.run(None, "--until", ">>> ")
        true("Traceback" not in run.out, run.out)
        if code == 2:
            true("the image header says that the flash has 1024 KB" in run.out and "--flash_size detect" in run.out, run.out)
        refused(board, UPGRADE, "OSError", f"the image header says that the flash has {size}, and this firmware's filesystem begins at")


@test
def an_image_that_is_in_place():
    """An image that is in flash already is left alone: nothing is written, there is no reset, False is returned; erase_all goes on"""
    files = {**user_files(), "firmware.bin": firmware(on_board("mpy-A"))}
    board = fresh("mpy-A", files=files)
    before = board.flash()
    run = board.run("import molt\nprint(molt.plan('firmware.bin')['in_place'], molt.fwupdate('firmware.bin'), molt.pending(), molt.status())")
    same(run.lines()[-1], "True False None None", "in_place, fwupdate(), pending(), status()")
    true("in place already" in run.out, run.out)
    same(len(run.ops), 0, "flash operations")
    same_bytes(board.flash(), before, "flash")
    run = board.run("import molt\nmolt.fwupdate('firmware.bin', erase_all=True)")
    true(run.runs("mpy-A"), "A comes up")
    same(sorted(board.files()), ["boot.py"], "the filesystem is erased")


@test
def without_frozen_modules():
    """A firmware that is built with MOLT_FROZEN=0 is smaller, has no molt.frozen and no esp.add_frozen, and upgrades"""
    of_c_engine("a build without frozen modules")
    board = fresh("mpy-A-nofrozen", files={**user_files(), "firmware.bin": firmware("mpy-B")})
    run = board.run("import molt, esp\nprint(hasattr(molt, 'frozen'), hasattr(esp, 'add_frozen'), hasattr(esp, 'DFU'))\n"
                    "try:\n import molt.frozen\nexcept ImportError as e: print(e)\nprint(molt.plan('firmware.bin')['refused'])\nmolt.fwupdate('firmware.bin')", timeout=180)
    same(run.lines()[0], "False False True", "names")
    true("no module named 'molt.frozen'" in run.out, run.out)
    true(run.runs("mpy-B"), "B comes up")
    saved = len(firmware("mpy-A")) - len(firmware("mpy-A-nofrozen"))
    true(saved > 20000, f"{saved} bytes")
    note(f"{saved} bytes smaller")


@test
def without_delta_files():
    """A firmware that is built with MOLT_DELTA=0 is smaller, says so where it is given a delta file, and upgrades from an image"""
    of_c_engine("a build without delta files")
    firmware("mpy-A-nodelta")
    patch = scratch("nodelta.delta")
    tool("delta", BUILD / "mpy-A-nodelta/firmware.bin", BUILD / "mpy-B/firmware.bin", patch)
    board = fresh("mpy-A-nodelta", files={**user_files(), "fw.delta": patch.read_bytes(), "firmware.bin": firmware("mpy-B")})
    for call in ("fwupdate", "check", "plan"):
        refused(board, f"import molt; molt.{call}('fw.delta')", "OSError", "this firmware is built without delta files (MOLT_DELTA=0); take the image itself")
    true(board.run("import molt; molt.fwupdate('firmware.bin')", timeout=180).runs("mpy-B"), "B comes up")
    saved = len(firmware("mpy-A")) - len(firmware("mpy-A-nodelta"))
    true(saved > 10000, f"{saved} bytes")
    note(f"{saved} bytes smaller")


# ---- a block device that raises

@test
def a_block_device_that_raises():
    """A block device in Python that raises while the file is looked for leaves nothing behind: the filesystem goes on working"""
    of_c_engine("a list of open files")
    program = small_program(9000)
    code = ("import molt, vfs, flashbdev, gc\n"
            "class Disk(flashbdev.FlashBdev):\n left = -1\n"
            " def readblocks(self, n, buf, off=0):\n  if self.left == 0: raise KeyboardInterrupt\n  self.left -= 1\n  super().readblocks(n, buf, off)\n"
            "b = flashbdev.bdev\ndisk = Disk(b.start_sec, b.blocks)\nvfs.umount('/')\nvfs.mount(disk, '/')\n"
            "def deep(n): return deep(n - 1) + 1 if n else 0\n"
            "seen = 0\n"
            "for n in range(14):\n disk.left = n\n try:\n  molt.check('/firmware.bin')\n  break\n except KeyboardInterrupt: seen += 1\n"
            " finally: disk.left = -1\n"
            " deep(20)\n gc.collect()\n"
            " f = open('note%d' % n, 'w')\n f.write('x' * 300)\n f.close()\n"
            " import os\n os.rename('note%d' % n, 'renamed%d' % n)\n"
            "print(seen, sum(len(open('renamed%d' % i).read()) for i in range(seen)))")
    board = board_with(program)
    seen, size = map(int, board.run(code, timeout=60).lines()[-1].split())
    true(seen > 3, f"{seen} calls raised")
    same(size, 300 * seen, "the files that were written in between")
    files_are(board, {**user_files(), "firmware.bin": program, **{f"renamed{n}": b"x" * 300 for n in range(seen)}})


# ---- boot.py and getting started

GETTING_STARTED = ROOT / "docs/getting-started.md"


def code_of(page, words):
    """The one block of Python code on a page that has these words in it."""
    blocks = [block for block in re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S) if words in block]
    same(len(blocks), 1, f"blocks of {page.name} with {words!r}")
    return blocks[0]


@test
def a_chip_that_rewrites_pages():
    """fwupdate() warns on a flash chip of PUYA, which its JEDEC id tells, and on no other"""
    board = fresh("mpy-A", files={"new.bin": firmware("mpy-B")})
    prepare = "import machine, molt\n%smolt.fwupdate('new.bin', reset=False)\nmolt.cancel()"
    true("PUYA" not in board.run(prepare % "").out, "a Winbond chip")
    # Where the mask ROM keeps the chip's id.
    run = board.run(prepare % "machine.mem32[0x3fffc718] = 0x146085\n")
    true("PUYA" in run.out, f"a chip of PUYA: {run.out!r}")


@test
def the_recipe_for_boot_py():
    """The recipe for boot.py, with a power cut between the preparation and the renaming: the firmware is put in once"""
    of_c_engine("esp.DFU()")
    recipe = code_of(ROOT / "micropython/README.md", "new.bin").encode()
    files = {**user_files(), "boot.later": recipe, "new.bin": firmware("mpy-B")}
    board = fresh("mpy-A", files=files)
    before = board.flash()
    board.run("import os; os.rename('boot.later', 'boot.py')")
    start = board.flash()
    run = board.run()
    true(run.runs("mpy-B"), "B comes up")
    first = next(i for i, op in enumerate(run.ops) if op[1] == 0 and op[0] == "sector")
    installed = next(i for i, op in enumerate(run.ops) if i > first and op[1] >= SECTOR)
    for op in range(installed, installed + 6):
        again = Board(start)
        again.run(cut=f"{op}:before", status=None)
        run = again.run()
        true(run.runs("mpy-B"), f"{op}: B comes up")
        rewritten = len([o for o in run.ops if o[1] == 0 and o[0] == "sector"])
        true(rewritten <= 1, f"{op}: sector 0 is erased {rewritten} times: the new firmware prepares the upgrade once more")
        same(len(again.run().ops), 0, f"{op}: operations at the next start")
        landed(again, before, "mpy-B", {**user_files(), "boot.py": recipe, "firmware.bin": firmware("mpy-B")})
        again.remove()


# A network that has one server, with one file, which sends as much at a time as it likes and may hang up.
SOCKET = """
import socket, io
class Socket:
    def connect(self, address): assert address == ('the address', 80)
    def settimeout(self, seconds): pass
    def write(self, data):
        assert data.startswith(b'GET /firmware.bin HTTP/1.0\\r\\nHost: 192.168.1.2\\r\\n') and data.endswith(b'\\r\\n\\r\\n'), data
        self.file = open('served', 'rb')
        self.head = io.BytesIO(b'HTTP/1.0 %(status)s\\r\\nContent-Length: %(length)d\\r\\n\\r\\n')
        self.left = %(sent)d
    send = write
    def readline(self): return self.head.readline()
    def readinto(self, buf):
        n = self.file.readinto(memoryview(buf)[:min(len(buf), self.left, 700)])
        self.left -= n
        return n
    def close(self): pass
socket.socket = Socket
socket.getaddrinfo = lambda host, port: [(0, 0, 0, '', ('the address', port))]
"""


@test
def the_download():
    """The download of docs/getting-started.md, with a stand-in for the network: whole, cut short, refused by the server"""
    code = code_of(GETTING_STARTED, "def download")
    program = small_program(9000)
    call = "\nimport os\ntry: print(download('192.168.1.2', '/firmware.bin', 'new.bin'))\nexcept OSError as e: print('raised', e)\nprint(sorted(os.listdir()))"
    for what, facts, names in (("whole", (b"200 OK", len(program), len(program)), ["new.bin"]),
                               ("cut short", (b"200 OK", len(program), len(program) - 100), []),
                               ("not found", (b"404 Not Found", 100, 100), [])):
        board = fresh("mpy-A", files={"served": program})
        status, length, sent = facts
        # socket of the virtual board has no network; its class is replaced.
        network = "class socket: pass\nimport sys\nsys.modules['socket'] = socket\n" + SOCKET % {
            "status": status.decode(), "length": length, "sent": sent}
        run = board.run(network + code + call)
        found = board.files()
        same([n for n in found if n == "new.bin"], names, f"{what}: new.bin: {run.out}")
        true(what == "whole" or "raised" in run.out, f"{what}: {run.out}")
        if names:
            same_bytes(found["new.bin"], program, "new.bin")


if __name__ == "__main__":
    sys.exit(main())
