#!/usr/bin/env python3
"""Dynamic frozen modules on the virtual ESP8266, as TAP.

    tests/e2e/test_frozen.py [WORD...]     only the tests with a WORD in their names

FIRMWARE=mpy2-A in the environment takes another firmware. All runs are watched by the board's plugin.
"""
import hashlib
import os
import re
import struct
import subprocess
import sys

from frozenrig import HELLO, HELLO_SAYS, NAME, TOP, board_with, compile_mpy, listed, main_or_skip, natmod, say, stores, with_data
from rig import BUILD, FS_START_1M, ROOT, firmware, fresh, hazard, note, same, same_bytes, scratch, test, tool, true


def lengthened(image, size):
    """The same firmware, padded by bytes that its size word and MD5 count."""
    image = bytearray(image[:-16])
    image += b"\xa5" * (size - len(image))
    struct.pack_into("<I", image, 0x8FFC, len(image))
    return bytes(image + hashlib.md5(image[4:]).digest())


@test
def add_import_reset_import():
    """A module is added, imports at once and unlinked, and linked after a reset, with the same result"""
    board = board_with(hello=HELLO)
    run = board.run("import esp\nprint(esp.add_frozen(file_name='/m/hello.mpy', module_name='hello'), esp.ls_frozen()[0][3:])\n"
                    "import hello\nprint(hello.check())")
    same(say(run).splitlines(), ["True (False, True, False)", HELLO_SAYS], "unlinked")
    run = board.run("import esp\nprint(esp.ls_frozen()[0][3:])\nimport hello\nprint(hello.check(), hello.__name__)\n"
                    "import micropython\nmicropython.qstr_info(1)\nprint('gen' in dir(hello))")
    lines = say(run).splitlines()
    same(lines[:2], ["(True, True, False)", HELLO_SAYS + " hello"], "linked")
    same(lines[-1], "True", "dir()")
    true("Q(method_of_thing)" in lines, "the pool in flash is in the chain")


@test
def nothing_is_written_twice():
    """The same file again writes nothing; the flash stays as it is, byte for byte"""
    board = board_with(hello=HELLO)
    board.run("import esp\nesp.add_frozen('/m/hello.mpy', 'hello')")
    board.run("pass")
    before = board.flash()
    run = board.run("import esp\nprint(esp.add_frozen('/m/hello.mpy', 'hello'))")
    same(say(run), "True", "result")
    true(board.flash() == before, "flash is unchanged")


@test
@hazard("the store: deleted sectors are used again without an erase")
def replace_and_delete():
    """A module is replaced and deleted; ids of the others stay; compaction at boot wins the room back"""
    board = board_with(a="def one_new_name(): return 1", b="def one_new_name(): return 2\ndef b_name(): pass")
    board.run("import esp\nesp.add_frozen('/m/a.mpy', 'x')\nesp.add_frozen('/m/b.mpy', 'y')")
    run = board.run("import esp\nimport x, y\nprint(x.one_new_name(), y.one_new_name())\nesp.add_frozen('/m/b.mpy', 'x')\n"
                    "import sys\ndel sys.modules['x']\nimport x\nprint(x.one_new_name())")
    same(say(run), "1 2\n2", "replaced in the session")
    run = board.run("import esp, molt\nimport x, y\nprint(x.one_new_name(), y.one_new_name(), [m[3] for m in esp.ls_frozen()])\n"
                    "print(esp.del_frozen('x'), esp.del_frozen('x'), molt.frozen.compact())")
    same(say(run), "2 2 [True, True]\nTrue False True", "replaced after the reset, deleted")
    run = board.run("import molt, esp\nfree, after = molt.frozen.free()\nprint(free == after, esp.ls_frozen())\n"
                    "import y\nprint(y.one_new_name())\ntry:\n import x\nexcept ImportError: print('gone')")
    lines = say(run).splitlines()
    true(re.match(r"True \[\('y', \d+, \d+, True, True, False\)\]", lines[0]), f"after compaction: {lines[0]}")
    same(lines[1:], ["2", "gone"], "after compaction")
    run = board.run("import esp\nprint(esp.reset_frozen(), esp.ls_frozen())")
    same(say(run), "True []", "reset")
    same(listed(board), [], "after reset")


@test
def as_little_ram_as_frozen():
    """The firmware's own frozen modules, added under other names, keep not one byte of heap more than those do"""
    modules = {"molt_upgrade": "molt_upgrude", "molt_map": "molt_mup"}
    board = board_with(**{new: (ROOT / f"micropython/modules/{old}.py").read_text() for old, new in modules.items()})
    board.run("import esp\nfor n in %r: esp.add_frozen('/m/' + n + '.mpy', n)" % list(modules.values()))
    code = "import gc\ngc.collect()\nbefore = gc.mem_alloc()\nimport %s\ngc.collect()\nprint(gc.mem_alloc() - before)"
    for old, new in modules.items():
        built, linked = (board.run(code % name).value() for name in (old, new))
        same(linked, built, f"heap that {old} keeps")
        true(built > 100, f"{built} bytes")
        note(f"{old}: {built} bytes")


@test
def on_a_board_of_1_mb():
    """With 1 MB of flash the store ends below the sector for native code and the filesystem, and a full one has no room"""
    name = "mpy-A-1M-lean"
    board = fresh(name, "1M", files={"m/hello.mpy": compile_mpy(HELLO)})
    above = board.flash(FS_START_1M - 0x1000, FS_START_1M)
    run = board.run("import esp, molt\nprint(esp.add_frozen('/m/hello.mpy', 'hello'))\nprint(esp.ls_frozen()[0], molt.frozen.extent())")
    found = eval(say(run).splitlines()[-1].replace(") (", "), ("))
    true(found[0][2] + found[0][1] <= FS_START_1M - 0x1000 - 128 and sum(found[1]) == FS_START_1M - 0x1000, str(found))
    run = board.run("import esp, hello\nprint(esp.ls_frozen()[0][3:], hello.check()[3])")
    same(say(run), "(True, True, False) 7", "linked")
    true(board.flash(FS_START_1M - 0x1000, FS_START_1M) == above, "the sector for native code is untouched")
    board = fresh("mpy-A-1M", "1M", files={"m/hello.mpy": compile_mpy("X = b'" + "z" * 80000 + "'")})
    run = board.run("import esp\ntry:\n esp.add_frozen('/m/hello.mpy', 'hello')\nexcept OSError as e: print(e.errno, e)")
    true(re.search(r"^28 .*(no room: \d+ bytes needed, \d+ free|there is no room)", say(run)), run.out)


@test
def every_module_that_is_taken_is_linked():
    """Many modules in one session, until the store says that it is full: at the next start every one of them is linked"""
    board = board_with(core="\n".join(f"def function_number_{i}(a): return a + {i}" for i in range(40)))
    code = ("import esp, molt\nn = 0\ntry:\n while True:\n  esp.add_frozen('/m/core.mpy', 'c%d' % n)\n  n += 1\n"
            "except OSError as e: print(n, e.errno, e)\nprint(molt.frozen.free())")
    run = board.run(code, timeout=120)
    found = re.search(r"(\d+) 28 .*no room: \d+ bytes needed, \d+ free, of which links take \d+", say(run))
    true(found and int(found[1]) > 30, run.out[-300:])
    free = eval(say(run).splitlines()[-1])[0]
    true(free < 5000, f"{free} bytes free: what the links will take is not")
    linked = [m[3] for m in listed(board)]
    same(linked, [True] * int(found[1]), "linked")
    note(f"{len(linked)} modules, then: {found[0]}")


@test
@hazard("the store of an older firmware does not fit the new one's region")
def an_upgrade_over_a_deleted_module_leaves_a_store_that_works():
    """A firmware that is allowed to grow over a deleted module leaves a damaged store, which the next start repairs"""
    big = "X = b'" + "z" * 30000 + "'"
    board = fresh(NAME, files={"m/big.mpy": compile_mpy(big), "m/hello.mpy": compile_mpy(HELLO), "new.bin": firmware("mpy-B")})
    run = board.run("import esp, molt\nesp.add_frozen('/m/hello.mpy', 'hello')\nfor i in range(6): esp.add_frozen('/m/big.mpy', 'big%d' % i)\n"
                    "for i in range(6): esp.del_frozen('big%d' % i)\nprint(molt.frozen.extent())", timeout=60)
    limit = eval(say(run).splitlines()[-1])[0]
    path = scratch("long.bin")
    path.write_bytes(lengthened(firmware("mpy-B"), limit - 16))
    subprocess.run([BUILD / "molt", "put", board.path, f"{path}:/new.bin"], check=True, capture_output=True)
    run = board.run("import molt\nmolt.fwupdate('new.bin')", timeout=120)
    true(run.runs("mpy-B"), run.out[-300:])
    run = board.run("import esp, hello\nprint(hello.check()[3], [m[0] for m in esp.ls_frozen()])\nprint(esp.add_frozen('/m/hello.mpy', 'again'))")
    same(say(run).splitlines(), ["7 ['hello']", "True"], "the module is there, and another can be added")
    same([m[:1] + m[3:] for m in listed(board)], [("hello", True, True, False), ("again", True, True, False)], "after a reset")


# The last word of RTC memory, where starts are counted; see micropython/molt_extmod/frozen_boot.c.
GUARD = 0x60001100 + 191 * 4
GUARD_MAGIC = 0x4D4C5400


@test
def a_crash_while_linking_is_survived():
    """A firmware that hangs in linking is stopped by the watchdog three times; then it starts without modules, and says so"""
    board = board_with(hello=HELLO)
    board.run("import esp\nesp.add_frozen('/m/hello.mpy', 'hello')")
    symbols = subprocess.run(["nm", BUILD / NAME / "firmware.elf"], capture_output=True, text=True, check=True).stdout
    vaddr = int(re.search(r"^(\w+) \w molt_relink$", symbols, re.M)[1], 16)
    good = board.flash(vaddr - 0x40200000, vaddr - 0x40200000 + 3)
    board.change(vaddr - 0x40200000, b"\x06\xff\xff")  # j .
    run = board.run(None, "--until", ">>> ", timeout=240, bites=True)
    same(run.stats["watchdog_bites"], 3, "bites")
    true("the last three starts failed while they were linked" in run.out, run.out[-400:])
    board.change(vaddr - 0x40200000, good)
    same([m[3] for m in listed(board)], [True], "with the right firmware it is there again")


@test
def the_count_of_starts():
    """Three starts that did not come through switch modules off; reset_frozen() works then; a full RTC memory is left alone"""
    board = board_with(hello=HELLO)
    board.run("import esp\nesp.add_frozen('/m/hello.mpy', 'hello')")
    board.run("f = open('boot.py', 'w')\nf.write(" + repr(
        "import esp, machine, os\n"
        f"word = machine.mem32[{GUARD:#x}] & 0xffffffff\n"
        "step = int(open('step').read())\n"
        "with open('step', 'w') as f: f.write(str(step + 1))\n"
        "try: names = [m[0] for m in esp.ls_frozen()]\n"
        "except OSError as e: names = e.errno\n"
        "print('step', step, hex(word), names)\n"
        "if step == 0:\n"
        f" machine.mem32[{GUARD:#x}] = {GUARD_MAGIC | 2:#x}\n"
        "elif step == 1:\n"
        f" machine.mem32[{GUARD:#x}] = {GUARD_MAGIC | 3:#x}\n"
        "elif step == 2:\n"
        " print(esp.reset_frozen())\n"
        "elif step == 3:\n"
        " esp.add_frozen('/m/hello.mpy', 'hello')\n"
        " machine.RTC().memory(bytes(range(256)) + bytes(236))\n"
        f" machine.mem32[{GUARD:#x}] = {GUARD_MAGIC | 3:#x}\n"
        "elif step == 4:\n"
        f" print(hex(machine.mem32[{GUARD:#x}] & 0xffffffff))\n"
        "if step < 4: machine.reset()\n") + ")\nf.close()\nf = open('step', 'w')\nf.write('0')\nf.close()")
    run = board.run(None, "--until", ">>> ", timeout=60)
    steps = [line for line in run.out.splitlines() if line.startswith(("step", "0x", "True", "molt:"))]
    clear = hex(GUARD_MAGIC)
    same([s for s in steps if not s.startswith("molt:")],
         [f"step 0 {clear} ['hello']", f"step 1 {clear} ['hello']", f"step 2 {hex(GUARD_MAGIC | 3)} 5", "True", f"step 3 {clear} []",
          f"step 4 {hex(GUARD_MAGIC | 3)} ['hello']", hex(GUARD_MAGIC | 3)], "steps")
    same(len([s for s in steps if "dynamic frozen modules are off" in s]), 1, "it says so")


@test
def the_store_is_read_from_the_chip():
    """What add_frozen() has written is read back from the chip, not from what the flash cache may still hold of it"""
    board = board_with(big="X = b'" + "z" * 20000 + "'")
    before = board.run("import esp").stats["bytes_read"]
    read = board.run("import esp\nesp.add_frozen('/m/big.mpy', 'big')").stats["bytes_read"] - before
    # Twice from the filesystem (its CRC, its bytes), and once from the store.
    true(read > 3 * 20000, f"{read} bytes are read")


@test
def the_other_ways_to_ask():
    """import molt.frozen works, from molt import frozen too; modules() has ls() as dicts"""
    board = board_with(hello=HELLO)
    run = board.run("import molt.frozen\nfrom molt import frozen\nimport molt.frozen as f\nfrom molt.frozen import add\nprint(f is frozen is molt.frozen)\n"
                    "print(add('/m/hello.mpy', 'hello'))\nprint(sorted(frozen.modules()[0].items()))\nprint(frozen.ls()[0][:3])")
    lines = say(run).splitlines()
    same(lines[:2], ["True", "True"], "imports, add")
    row = eval(lines[3])
    same(dict(eval(lines[2])), {"name": "hello", "size": row[1], "addr": row[2], "linked": False, "compatible": True, "shadowed": False}, "modules()")


@test
def the_first_of_a_name_is_deleted():
    """Of modules that share new names the first is deleted: its pool stays until a compaction, and the others work"""
    board = board_with(a="def one_shared_name(): return 'a'\ndef name_of_a(): pass", b="def one_shared_name(): return 'b'",
                       c="def one_shared_name(): return 'c'\ndef name_of_a(): return 'ca'")
    use = "import esp, y\nprint(y.one_shared_name(), [(m[0], m[3]) for m in esp.ls_frozen()])\n"
    board.run("import esp\nesp.add_frozen('/m/a.mpy', 'x')\nesp.add_frozen('/m/b.mpy', 'y')")
    same(say(board.run(use)), "b [('x', True), ('y', True)]", "both")
    board.run("import esp\nesp.del_frozen('x')")
    before = board.flash()
    same(say(board.run(use)), "b [('y', True)]", "the second alone")
    true(board.flash() == before, "nothing is moved or linked again")
    board.run("import esp\nesp.add_frozen('/m/c.mpy', 'z')")
    use += "import z\nprint(z.one_shared_name(), z.name_of_a(), 'name_of_a' in dir(z))\n"
    same(say(board.run(use)).splitlines(), ["b [('y', True), ('z', True)]", "c ca True"], "a third, with names of the first")
    board.run("import molt\nprint(molt.frozen.compact())")
    same(say(board.run(use)).splitlines(), ["b [('y', True), ('z', True)]", "c ca True"], "after a compaction")


@test
def links_of_another_firmware_are_made_again():
    """A link that was changed, or made for another build, is not used: all are made again, and come out the same"""
    board = board_with(hello=HELLO, other="def one_more_name(): return 1")
    board.run("import esp\nesp.add_frozen('/m/hello.mpy', 'hello')\nesp.add_frozen('/m/other.mpy', 'other')")
    use = "import esp, hello, other\nprint(hello.check()[3], other.one_more_name(), [m[3] for m in esp.ls_frozen()])"
    same(say(board.run(use)), "7 1 [True, True]", "linked")
    good = board.flash()
    bottom = -(-(struct.unpack_from("<I", good, 0x8FFC)[0] + 16) // 4096) * 4096
    same(good[bottom:bottom + 4], b"MOLK", "the first link")
    second = good.index(b"MOLK", bottom + 4)
    for what, addr in (("build id", bottom + 20), ("version", bottom + 4), ("addresses", bottom + 36), ("data", bottom + 100),
                       ("magic", bottom), ("second link's data", second + 70), ("second link's qstr base", second + 40)):
        board.change(addr, bytes([good[addr] ^ 0x10]))
        same(say(board.run(use)), "7 1 [True, True]", what)
        true(board.flash(bottom, TOP) == good[bottom:TOP], f"{what}: the links are as they were")


@test
def many_qstr_counts():
    """0 to 9 new names, a name with 255 bytes, 200 names: all link, import, and find their own"""
    sources = {f"n{i}": "\n".join(f"zq{i}_{k} = {k}" for k in range(i)) + f"\ndef f(): return {i}" for i in range(10)}
    sources["many"] = "\n".join(f"def name_of_many_{k}(): return {k}" for k in range(200)) + "\ndef f(): return name_of_many_199()"
    sources["huge"] = f"def {'h' * 255}(): return 5\ndef f(): return {'h' * 255}()"
    board = board_with(**sources)
    board.run("import esp, os\nfor n in os.listdir('/m'): esp.add_frozen('/m/' + n, n[:-4])")
    run = board.run("import esp, gc\nprint([m[3] for m in esp.ls_frozen()] == [True] * %d)\n" % len(sources) +
                    "".join(f"import {n}\nprint({n}.f())\ngc.collect()\n" for n in sources))
    same(say(run).split(), ["True"] + [str(i) for i in range(10)] + ["199", "5"], "values")


@test
def soft_resets():
    """Soft resets: the pools are put in again each time, and nothing is written"""
    board = board_with(hello=HELLO)
    board.run("import esp\nesp.add_frozen('/m/hello.mpy', 'hello')")
    board.run("pass")
    before = board.flash()
    feed = b"import hello\r\nprint(hello.check()[3])\r\n\x04import hello\r\nprint(hello.check()[4])\r\n\x04import hello\r\nprint('third', hello.check()[3])\r\n"
    environment = {**os.environ, "VBOARD_BUILD": str(BUILD / "vboard")}
    done = subprocess.run([ROOT / "vboard/run", board.path, "--plugin"], input=feed, capture_output=True, timeout=60, env=environment)
    true(done.returncode == 0 and b"third 7" in done.stdout and b"\n30" in done.stdout.replace(b"\r", b""), done.stdout[-500:])
    true(board.flash() == before, "flash is unchanged")


@test
def native_viper_and_asm_code():
    """@native, @viper and inline assembler run in place from mapped flash"""
    source = ("import micropython\n@micropython.native\ndef n(a, b):\n    return [a, b, a + b]\n@micropython.viper\n"
              "def v(a: int, b: int) -> int:\n    return a * b + 1\n@micropython.asm_xtensa\ndef s(a2, a3):\n    add(a2, a2, a3)\n"
              "@micropython.native\ndef outer(x):\n    def inner(y):\n        return x + y\n    return inner\n")
    source += ("TABLE = b'bytes that viper code reads one by one'\n@micropython.viper\ndef p(i: int) -> int:\n"
               "    t = ptr8(TABLE)\n    return t[i]\n@micropython.native\ndef g(x):\n    return x.count('e'), TABLE[1]\n")
    board = board_with(nat=compile_mpy(source, "-march=xtensa"))
    use = "import nat\nprint(nat.n(1, 2), nat.v(6, 7), nat.s(20, 3), nat.outer(3)(4), nat.p(1), nat.g('eve'))\n"
    run = board.run("import esp\nesp.add_frozen('/m/nat.mpy', 'nat')\n" + use)
    same(say(run), "[1, 2, 3] 43 23 7 121 (2, 121)", "loaded")
    run = board.run("import esp\nprint(esp.ls_frozen()[0][3])\n" + use)
    same(say(run), "True\n[1, 2, 3] 43 23 7 121 (2, 121)", "in place")


def check_natmod(mpy, use, says):
    """Never linked, and works: at once, after a reset, after a soft reset."""
    board = board_with(nat=mpy)
    run = board.run("import esp\nprint(esp.add_frozen('/m/nat.mpy', 'nat'), esp.ls_frozen()[0][3:])\n" + use)
    same(say(run).splitlines(), ["True (None, True, False)", *says], "added")
    for _ in range(2):
        run = board.run("import esp\nprint(esp.ls_frozen()[0][3:])\n" + use)
        same(say(run).splitlines(), ["(None, True, False)", *says], "after a reset")
    flash = board.flash()
    same(flash.count(mpy), 2, "copies of the file: on the filesystem and in the store")


@test
def native_code_with_relocations():
    """Native code of mpy_ld.py, with relocations, is loaded into RAM, and ls_frozen() says so"""
    check_natmod(natmod("features0"), "import nat\nprint(nat.factorial(5))", ["120"])


@test
def native_code_with_data():
    """Native code with relocated tables and zeroed data is loaded into RAM; the data is fresh after each start"""
    use = ("import nat\nprint(nat.add(40, 2), nat.fibonacci(12), nat.VAL, nat.MSG)\nprint(nat.access())\n"
           "nat.access(2, 5)\nprint(nat.access(), bytes(nat.make_array()))")
    board = board_with(nat=natmod("features1"))
    board.run("import esp\nesp.add_frozen('/m/nat.mpy', 'nat')")
    for what in ("first", "second"):
        run = board.run("import esp\nprint(esp.ls_frozen()[0][3])\n" + use)
        lines = say(run).splitlines()
        true(lines[1].startswith("initialising module self="), lines[1])
        same(lines[:1] + lines[2:], ["None", "42 144 42 HELLO_MICROPYTHON", "[0, 0, 0, 0]", "[0, 0, 5, 0] b'\\x00\\x10\\x00 '"], what)


@test
def native_code_with_constant_data():
    """The same with the flags for constant and zeroed data, which mpy_ld.py sets for other processors"""
    check_natmod(with_data(natmod("features0"), b"constant", 24), "import nat\nprint(nat.factorial(6))", ["720"])


@test
def native_beside_linked():
    """A module that cannot be linked does not keep those before and behind it from being linked"""
    board = board_with(a="def name_one(): return 1", nat=natmod("features0"), b="def name_two(): return 2")
    board.run("import esp\nfor n in ('a', 'nat', 'b'): esp.add_frozen('/m/' + n + '.mpy', n)")
    run = board.run("import esp, a, nat, b\nprint([m[3] for m in esp.ls_frozen()], a.name_one(), nat.factorial(4), b.name_two())")
    same(say(run), "[True, None, True] 1 24 2", "after the reset")


@test
def what_the_firmware_cannot_run_is_listed():
    """A stored module that this firmware cannot run, and a damaged one, are listed; their import raises, the rest works"""
    region = stores.Region()
    old = compile_mpy("X = 1")
    region.put("foreign", old[:1] + b"\x05" + old[2:])
    region.put("damaged", old, crc=5)
    board = board_with(hello=HELLO)
    board.change(TOP - len(region.bytes), bytes(region.bytes))
    run = board.run("import esp\nprint(esp.add_frozen('/m/hello.mpy', 'hello'))\nfor n in ('foreign', 'damaged'):\n"
                    " try: __import__(n)\n except ImportError as e: print(e)\nimport hello\nprint(hello.check()[3])")
    same(len(say(run).splitlines()), 4, run.out)
    same(say(run).splitlines()[-1], "7", "the others work")
    left = {m[0]: m[3:5] for m in listed(board)}
    same(left["hello"], (True, True), "hello")
    same(left["foreign"], (None, False), "foreign")
    true(left["damaged"][0] is not True, "damaged")


@test
def collector_and_completion():
    """Under a collector that runs at each allocation; with tab completion and dir() over the pools in flash"""
    board = board_with(hello=HELLO)
    board.run("import esp\nesp.add_frozen('/m/hello.mpy', 'hello')")
    run = board.run("import gc\ngc.threshold(1)\nimport hello\nfor i in range(20):\n x = hello.check()\n d = {k: hello.gen for k in dir(hello)}\n"
                    " gc.collect()\nprint(x[3], len(d), hello.Thing.method_of_thing.__name__ if hasattr(hello.Thing.method_of_thing, '__name__') else '')")
    true(say(run).startswith("7 "), run.out)
    environment = {**os.environ, "VBOARD_BUILD": str(BUILD / "vboard")}
    done = subprocess.run([ROOT / "vboard/run", board.path, "--plugin"], input=b"import hello\r\nhello.outer\t(3)(4)\r\nhello.Thing.meth\t(hello.Thing(), 5)\r\n",
                          capture_output=True, timeout=60, env=environment)
    true(done.returncode == 0 and b"\n12" in done.stdout.replace(b"\r", b"") and b"\n8" in done.stdout.replace(b"\r", b""), done.stdout[-400:])


@test
def full_store():
    """A full store refuses with numbers; what was deleted comes back with a reset"""
    big = "X = b'" + "z" * 30000 + "'\ndef f(): return len(X)"
    board = board_with(big=big)
    code = ("import esp, molt\nn = 0\ntry:\n while True:\n  esp.add_frozen('/m/big.mpy', 'big%d' % n)\n  n += 1\n"
            "except OSError as e: print(n, e.errno, e)\n")
    run = board.run(code, timeout=60)
    found = re.match(r"(\d+) 28 .*no room: (\d+) bytes needed, (\d+) free", say(run))
    true(found and int(found[1]) > 5, run.out)
    run = board.run(f"import esp\nfor i in range(0, {found[1]}, 2): esp.del_frozen('big%d' % i)\n"
                    "try: esp.add_frozen('/m/big.mpy', 'again')\nexcept OSError as e: print(e)", timeout=60)
    true("a reset frees" in run.out, run.out)
    run = board.run("import esp\nprint(esp.add_frozen('/m/big.mpy', 'again'))\nimport big1\nprint(big1.f(), len(esp.ls_frozen()))", timeout=60)
    same(say(run), f"True\n30000 {int(found[1]) // 2 + 1}", "after the reset")


@test
def upgrade_keeps_the_modules():
    """After a firmware upgrade the modules are linked again for the new firmware and import"""
    other = "mpy-B"
    board = fresh(NAME, files={"m/hello.mpy": compile_mpy(HELLO), "new.bin": firmware(other)})
    board.run("import esp\nesp.add_frozen('/m/hello.mpy', 'hello')")
    board.run("import hello")
    run = board.run("import molt\nmolt.fwupdate('new.bin')", timeout=120)
    true(run.runs(other), run.out[-300:])
    run = board.run("import esp\nprint(esp.ls_frozen()[0][3:])\nimport hello\nprint(hello.check())")
    same(say(run).splitlines(), ["(True, True, False)", HELLO_SAYS], "linked for the new firmware")


@test
def between_two_micropythons():
    """From one version of MicroPython to another and back: the modules are linked for each, native code too, and import"""
    other = "mpy-A" if NAME.startswith("mpy2") else "mpy2-A"
    native = "import micropython\n@micropython.native\ndef upper(s):\n    return s.upper()\n"
    board = fresh(NAME, files={"m/hello.mpy": compile_mpy(HELLO), "m/nat.mpy": compile_mpy(native, "-march=xtensa"),
                               "m/leaf.mpy": compile_mpy("from . import VALUE\n"), "m/init.mpy": compile_mpy("VALUE = 'of the package'"),
                               f"{other}.bin": firmware(other), f"{NAME}.bin": firmware(NAME)})
    board.run("import esp\nfor f, n in (('init', 'pkg.__init__'), ('hello', 'hello'), ('nat', 'nat'), ('leaf', 'pkg.leaf')):\n"
              " esp.add_frozen('/m/' + f + '.mpy', n)")
    use = ("import esp, hello, nat, pkg.leaf\nprint([m[3:] for m in esp.ls_frozen()] == [(True, True, False)] * 4)\n"
           "print(hello.check())\nprint(nat.upper('native'), pkg.leaf.VALUE)")
    says = ["True", HELLO_SAYS, "NATIVE of the package"]
    same(say(board.run(use)).splitlines(), says, NAME)
    records = board.flash(TOP - 0x4000, TOP)
    for name in (other, NAME):
        run = board.run(f"import molt\nmolt.fwupdate('{name}.bin', verbose=False)", timeout=120)
        true(run.runs(name), f"{name} runs: {run.out[-300:]}")
        same(say(board.run(use)).splitlines(), says, name)
        true(board.flash(TOP - 0x4000, TOP) == records, f"{name}: the records are untouched")


@test
def the_tool_and_the_device():
    """What `molt frozen` adds to a dump, the device links and imports; what the device adds and deletes, it lists"""
    board = board_with(other="def f(): return 'device'")
    file = scratch("hello.mpy")
    file.write_bytes(compile_mpy(HELLO))
    tool("frozen", "add", board.path, f"{file}:pkg.hello")
    run = board.run("import esp\nprint(esp.ls_frozen()[0][3:])\nimport pkg.hello\nprint(pkg.hello.check()[3])\nesp.add_frozen('/m/other.mpy', 'other')")
    same(say(run).splitlines(), ["(True, True, False)", "7"], "linked at the next start")
    out = tool("frozen", "ls", board.path)
    true(re.search(r"ok +pkg\.hello\n.*ok +other\n.*2 modules, 1 links;", out), out)
    board.run("import esp\nesp.del_frozen('pkg.hello')")
    out = tool("frozen", "check", board.path)
    true(re.search(r"deleted +pkg\.hello\n.*ok +other\n.*1 modules, 2 links;", out), out)
    tool("frozen", "rm", board.path, "other")
    same(listed(board), [], "deleted by the tool")


@test
@hazard("the store overlaps the MD5, the filesystem or ROMFS, and an upgrade overwrites it")
def an_upgrade_into_the_modules_is_refused():
    """An image that would run over modules is refused with their names; drop_frozen lets go of those in the way"""
    big = "X = b'" + "z" * 30000 + "'\ndef f(): return len(X)"
    board = fresh(NAME, files={"m/big.mpy": compile_mpy(big), "m/hello.mpy": compile_mpy(HELLO), "new.bin": firmware("mpy-B")})
    run = board.run("import esp\nesp.add_frozen('/m/hello.mpy', 'hello')\nn = 0\ntry:\n while True:\n  esp.add_frozen('/m/big.mpy', 'big%d' % n)\n"
                    "  n += 1\nexcept OSError: print(n)", timeout=60)
    count = int(say(run))
    path = scratch("long.bin")
    path.write_bytes(lengthened(firmware("mpy-B"), 0xE0000))
    subprocess.run([BUILD / "molt", "put", board.path, f"{path}:/new.bin"], check=True, capture_output=True)
    run = board.run("import molt\nprint(molt.plan('new.bin')['reason'])\ntry:\n molt.fwupdate('new.bin', verbose=False)\n"
                    "except OSError as e: print(e)")
    true(f"big{count - 1}" in run.out and "drop_frozen=True" in run.out and "hello" not in run.out, run.out)
    run = board.run("import molt\nmolt.fwupdate('new.bin', drop_frozen=True)", timeout=120)
    true(run.runs("mpy-B"), run.out[-300:])
    left = listed(board)
    same(left[0][0], "hello", "the module at the top is kept")
    true(1 <= len(left) < count, f"{len(left)} of {count + 1} are left")
    true(all(m[3] in (True, False) and m[4] for m in left), "compatible")
    same(say(board.run("import hello\nprint(hello.check()[3])")), "7", "it imports")
    note(f"{count + 1} modules, {len(left)} of them left")


@test
@hazard("a blank size word makes reset_frozen erase the firmware")
def a_wrong_size_word_costs_nothing():
    """Where the firmware's size word says nothing that can be, modules are refused, and reset_frozen() erases nothing"""
    for word in (b"\xff" * 4, b"\x00" * 4, b"\x10\x00\x00\x00", b"\x00\x00\x20\x00"):
        board = fresh(NAME, files={})
        board.change(0x8ffc, word)
        before = board.flash()
        run = board.run("import esp\nfor f in (esp.ls_frozen, esp.reset_frozen):\n try: f()\n except OSError as e: print(e.errno, e)")
        same([line.split()[0] for line in say(run).splitlines()], ["28", "28"], f"{word.hex()}: errors")
        same(len(run.ops), 0, f"{word.hex()}: flash operations")
        same_bytes(board.flash(), before, "flash")


@test
@hazard("torn headers of the store look valid; the old module is deleted before the new one is known to fit")
def power_cuts_on_the_board():
    """Power cuts in add, link and compaction on the board itself: a sample of operations and tears"""
    board = board_with(hello=HELLO, old="def f(): return 'old'", new="def f(): return 'new'" + "\ndef g(): pass" * 40)
    board.run("import esp\nesp.add_frozen('/m/hello.mpy', 'hello')\nesp.add_frozen('/m/old.mpy', 'x')")
    board.run("pass")
    start = board.flash()
    replace = "import esp\nesp.add_frozen('/m/new.mpy', 'x')\nesp.del_frozen('hello')\nimport molt\nmolt.frozen.compact()\nimport machine\nmachine.reset()"
    total = board.run(replace, "--timeout", "60").stats["operations"]
    true(total > 20, f"{total} operations")
    count = 0
    for op in range(0, total, 3):
        for tear in ("before", "random", "stray", "after")[op % 2::2]:
            board.path.write_bytes(start)
            board.run(replace, cut=f"{op}:{tear}", status=None)
            run = board.run("import esp, x\nprint(x.f(), [m[0] for m in esp.ls_frozen() if m[3] is not True])")
            true(say(run).splitlines()[-1] in ("old []", "new []"), f"after a cut at {op}:{tear}: {run.out}")
            count += 1
    note(f"{count} cuts in {total} operations")


if __name__ == "__main__":
    sys.exit(main_or_skip())
