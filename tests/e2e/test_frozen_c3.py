#!/usr/bin/env python3
"""Dynamic frozen modules in a data partition of the virtual ESP32-C3, as TAP.

usage: test_frozen_c3.py [--all] [WORD...]   --all: every operation's cuts, not a sample of them
"""
import gzip
import os
import re
import struct
import subprocess
import sys

os.environ["FIRMWARE"] = "c3-A"
import c3rig  # noqa: E402
from c3rig import APP, FROZEN, TEARS, Board, changed, cut_runs, fresh, frozen_table, sample, seal  # noqa: E402
from frozenrig import HELLO, HELLO_SAYS, board_with, compile_mpy, listed, main_or_skip, say  # noqa: E402
from rig import BUILD, KB, MB, ROOT, SECTOR, firmware, note, same, same_bytes, test, true  # noqa: E402

STORE, STORE_SIZE = FROZEN[3], FROZEN[4]
PAGE = 64 * KB
EVERYTHING = "--all" in sys.argv
ADD = "import esp\nesp.add_frozen('/m/%s.mpy', %r)\n"
LINE = "frozen, data, 0x4d, , 64K"


def store(board):
    return board.flash(STORE, STORE + STORE_SIZE)


def with_firmware(board, image):
    """The same board with another firmware, put in from outside."""
    board = Board(board.flash())
    board.change(APP, image + b"\xff" * (STORE - APP - len(image)))
    return board


def segment(image, window):
    """Offset of the header of the segment that is mapped in a window."""
    off = 24
    for _ in range(image[1]):
        addr, size = struct.unpack_from("<II", image, off)
        if addr >> 24 == window:
            return off
        off += 8 + size
    raise AssertionError(f"no segment in {window:#x}")


def a_page_more(image):
    """The same program, with 64 KB more of constant data behind its own: what is mapped at run time comes to lie elsewhere."""
    off = segment(image, 0x3C)
    size = struct.unpack_from("<I", image, off + 4)[0]
    end = off + 8 + size
    return seal(image[:off + 4] + struct.pack("<I", size + PAGE) + image[off + 8:end] + b"\xa5" * PAGE + image[end:])


def refuses(board, *words, errno=None, options=()):
    """ls, add and free say so in a sentence, an import goes on, and no byte of flash changes."""
    before = board.flash()
    run = board.run("import esp, molt, os\nfor f in (esp.ls_frozen, lambda: esp.add_frozen('/boot.py', 'x'), molt.frozen.free, esp.reset_frozen):\n"
                    " try: f()\n except OSError as e: print(e.errno, e.args[1])\nprint(molt.frozen.extent())\n"
                    "try: import nothing_of_the_kind\nexcept ImportError: print('no such module')", *options)
    lines = run.lines()
    same(len(lines), 6, run.out)
    for line in lines[:4]:
        for word in words:
            true(word in line, f"{word!r} is not in: {line}")
        true(errno is None or line.startswith(f"{errno} "), line)
    same(lines[4:], ["None", "no such module"], "extent(), an import")
    same(run.ops, [], "flash operations")
    same_bytes(board.flash(), before, "flash")


# ---- the store

@test
def a_module_is_imported_at_once_and_linked_after_a_reset():
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
    # Once written, nothing is written again, by a start or by the same file.
    before = board.flash()
    run = board.run("import esp\nprint(esp.add_frozen('/m/hello.mpy', 'hello'))")
    same((say(run), run.ops), ("True", []), "the same file again")
    same_bytes(board.flash(), before, "flash")


@test
def a_soft_reset_links_as_a_hard_one_does():
    board = board_with(hello=HELLO)
    board.put({"boot.py": b"import esp\nif 'hello.mpy' in __import__('os').listdir('/m') and not esp.ls_frozen():\n"
                          b" esp.add_frozen('/m/hello.mpy', 'hello')\nelse:\n import hello\n print('linked', esp.ls_frozen()[0][3], hello.check()[3])\n"})
    typed = board.path.with_suffix(".typed")
    typed.write_bytes(b"\x04")
    words = [ROOT / "vboard/run", board.path, "--timeout", "30"]
    with open(typed, "rb") as file:
        done = subprocess.run([*map(str, words)], stdin=file, capture_output=True, env=c3rig.ENVIRONMENT)
    true(b"linked True 7" in done.stdout, done.stdout[-400:])


@test
def only_the_stores_own_partition_is_written():
    board = board_with(hello=HELLO, other="def g(): return 1")
    before = board.flash()
    board.run((ADD + ADD) % ("hello", "hello", "other", "x") + "esp.del_frozen('x')\nimport molt\nprint(molt.frozen.compact())")
    board.run("import hello")
    after = board.flash()
    true(after[STORE:STORE + STORE_SIZE] != before[STORE:STORE + STORE_SIZE], "the store is written")
    same_bytes(after[:STORE], before[:STORE], "in front of it")
    same_bytes(after[STORE + STORE_SIZE:], before[STORE + STORE_SIZE:], "behind it", STORE + STORE_SIZE)


@test
def what_a_partition_held_before_is_no_store():
    """As where the app partition was made smaller: bytes of a program, and of an older link or record without what makes it count"""
    board = board_with(hello=HELLO)
    old = firmware("c3-B")[:STORE_SIZE]
    board.change(STORE, b"MOLK" + old[4:-128] + b"\0" * 128)
    before = board.flash()
    run = board.run("import esp\nprint(esp.ls_frozen())")
    same(say(run), "[]", "modules")
    run = board.run(ADD % ("hello", "hello") + "import hello\nprint(hello.check())")
    same(say(run), HELLO_SAYS, "unlinked")
    run = board.run("import esp, hello\nprint(hello.check(), esp.ls_frozen()[0][3])")
    same(say(run), HELLO_SAYS + " True", "linked")
    same_bytes(board.flash()[:STORE], before[:STORE], "in front of it")


@test
def a_module_is_replaced_and_deleted_and_its_room_comes_back():
    board = board_with(a="def one_new_name(): return 1", b="def one_new_name(): return 2\ndef b_name(): pass")
    board.run((ADD + ADD) % ("a", "x", "b", "y"))
    run = board.run("import esp\nimport x, y\nprint(x.one_new_name(), y.one_new_name())\nesp.add_frozen('/m/b.mpy', 'x')\n"
                    "import sys\ndel sys.modules['x']\nimport x\nprint(x.one_new_name())")
    same(say(run), "1 2\n2", "replaced in the session")
    run = board.run("import esp, molt\nimport x, y\nprint(x.one_new_name(), y.one_new_name(), [m[3] for m in esp.ls_frozen()])\n"
                    "print(esp.del_frozen('x'), esp.del_frozen('x'), molt.frozen.compact())")
    same(say(run), "2 2 [True, True]\nTrue False True", "replaced after the reset, deleted")
    run = board.run("import molt.frozen, esp\nfree, after = molt.frozen.free()\nprint(free == after)\nimport y\nprint(y.one_new_name())\n"
                    "try:\n import x\nexcept ImportError: print('gone')\nprint([m['name'] for m in molt.frozen.modules()])")
    same(say(run).splitlines(), ["True", "2", "gone", "['y']"], "after compaction")
    same(say(board.run("import esp\nprint(esp.reset_frozen(), esp.ls_frozen())")), "True []", "reset")
    same(listed(board), [], "after reset")


@test
def a_full_store_says_so_and_every_module_that_it_took_is_linked():
    board = board_with(core="\n".join(f"def function_number_{i}(a): return a + {i}" for i in range(40)))
    run = board.run("import esp, molt\nn = 0\ntry:\n while True:\n  esp.add_frozen('/m/core.mpy', 'c%d' % n)\n  n += 1\n"
                    "except OSError as e: print(n, e.errno, e.args[1])\nprint(molt.frozen.free())", timeout=60)
    found = re.search(r"(\d+) 28 no room: \d+ bytes needed, \d+ free, of which links take \d+", say(run))
    true(found and int(found[1]) > 5, run.out[-300:])
    same([m[3] for m in listed(board)], [True] * int(found[1]), "linked")
    note(f"{found[0]}")
    clock = "import time\nprint(time.ticks_us())"
    moved = with_firmware(board, a_page_more(firmware("c3-A")))
    found_links, made_links = board.run(clock), moved.run(clock)
    same([m[3] for m in listed(moved)], [True] * int(found[1]), "linked elsewhere")
    note(f"mapped elsewhere: {len(made_links.ops)} flash operations, {sum(op[0] == 'sector' for op in made_links.ops)} of them erases, "
         f"a start of {made_links.value() / 1e6:.3f} s instead of {found_links.value() / 1e6:.3f} s")


@test
def as_little_heap_as_a_module_frozen_at_build_time():
    """The firmware's own frozen modules, added under other names, keep not one byte of heap more than those do, and need no more to be imported"""
    modules = {"molt_upgrade": "molt_upgrude", "molt_ask": "molt_usk", "molt_file": "molt_fule"}
    board = board_with(**{new: (ROOT / f"micropython/modules/{old}.py").read_text() for old, new in modules.items()})
    board.run("import esp\nfor n in %r: esp.add_frozen('/m/' + n + '.mpy', n)" % list(modules.values()))
    same([m[3] for m in listed(board)], [True] * len(modules), "linked")
    code = "import gc\ngc.collect()\nbefore = gc.mem_alloc()\nimport %s\ngc.collect()\nprint(gc.mem_alloc() - before)"
    peak = "import gc\ngc.collect()\ngc.disable()\nbefore = gc.mem_alloc()\nimport %s\nprint(gc.mem_alloc() - before)"
    for old, new in modules.items():
        built, linked = (board.run(code % name).value() for name in (old, new))
        same(linked, built, f"heap that {old} keeps")
        true(built > 100, f"{built} bytes")
        built_peak, linked_peak = (board.run(peak % name).value() for name in (old, new))
        same(linked_peak, built_peak, f"heap that the import of {old} takes")
        file = board.run("import sys\nsys.path[:] = ['/m', '.frozen']\n" + code % new).value()
        note(f"{old}: keeps {linked} bytes, as built in, import takes {linked_peak}; from the .mpy file it keeps {file}")


@test
def native_code_and_complex_constants_are_loaded_into_ram():
    """As from a file; ls says None, and of native code add_frozen says so. For another processor it is refused"""
    native = compile_mpy("import micropython\n@micropython.native\ndef f(x): return x + 1\n@micropython.viper\ndef g(x: int) -> int: return x * 2\n",
                         "-march=rv32imc")
    foreign = compile_mpy("import micropython\n@micropython.native\ndef f(x): return x + 1\n", "-march=xtensa")
    board = board_with(nat=native, cpx="def f(): return 3j * 2", foreign=foreign)
    run = board.run((ADD + ADD) % ("nat", "nat", "cpx", "cpx") + "print([m[3:5] for m in esp.ls_frozen()])\nimport nat, cpx\nprint(nat.f(3), nat.g(4), cpx.f())\n"
                    "try: esp.add_frozen('/m/foreign.mpy', 'x')\nexcept OSError as e: print(e.args[1])")
    lines = say(run).splitlines()
    same(lines[0], "molt: it has native code, with which it is loaded into RAM, as from a file", "what add_frozen says")
    same(lines[1:3], ["[(None, True), (None, True)]", "4 8 6j"], "unlinked")
    true("another processor" in lines[3] and "rv32imc" in lines[3], lines[3])
    run = board.run("import esp, nat, cpx\nprint([m[3:5] for m in esp.ls_frozen()], nat.f(3), nat.g(4), cpx.f())")
    same(say(run), "[(None, True), (None, True)] 4 8 6j", "after a reset")


@test
def what_import_finds_is_as_on_an_esp8266():
    """A package, a boot.py and a main.py in the store; /frozen.off; names that cannot be"""
    board = board_with(one="def f(): return 1", two="from umq import one\nX = one.f() + 1", boot="print('dynamic', 'boot')", hello=HELLO)
    run = board.run((ADD * 3) % ("one", "umq.one", "two", "umq.two", "boot", "boot") + "for n in ('molt', '_boot', 'sys', 'a b'):\n"
                    " try: esp.add_frozen('/m/one.mpy', n)\n except ValueError as e: print('refused')")
    true("runs at start in place of" in run.out and run.out.count("refused") == 4, run.out)
    same(board.run("import umq.two\nprint(umq.two.X)").lines()[-1], "2", "a package")
    true("dynamic boot" in board.run(None, "--until", ">>> ").out, "boot.py")
    board.put({"frozen.off": b"x"})
    true("modules are off: /frozen.off" in board.run(None, "--until", ">>> ").out, "it says that they are off")
    same(board.run("try:\n import umq.two\nexcept ImportError: print('not found')").lines()[-1], "not found", "a package, switched off")


# ---- partitions

@test
def without_a_partition_a_sentence_has_the_line_that_makes_one():
    refuses(Board(with_started_stock()), "no partition for frozen modules", LINE, errno=2)
    true(LINE in (ROOT / "docs/frozen.md").read_text(), "the line is in docs/frozen.md")


def with_started_stock():
    board = Board((BUILD / "c3-A/flash.bin").read_bytes())
    board.run("pass")
    return board.flash()


@test
def each_unfit_partition_has_its_sentence_and_is_left_alone():
    refuses(fresh(table=frozen_table(("frozen", *FROZEN[1:3], STORE, 2 * SECTOR))), "too small", "12 KB", errno=28)
    refuses(fresh(), "encrypted", errno=95, options=("--efuse", "34=40000"))
    refuses(fresh(table=frozen_table(flags=2)), "read-only", errno=95)
    # Another label, or another subtype, is another's partition.
    refuses(fresh(table=frozen_table(("other", *FROZEN[1:]))), "no partition")
    refuses(fresh(table=frozen_table(("frozen", 1, 0x40, *FROZEN[3:]))), "no partition")
    board = board_with(hello=HELLO)
    nameless = changed(firmware("c3-A"), segment(firmware("c3-A"), 0x3C) + 8 + 144, bytes(32))
    refuses(with_firmware(board, nameless), "no SHA-256 of its ELF file", errno=95)


@test
def the_line_of_the_docs_is_that_of_the_tests():
    label, kind, subtype, _, size = (word.strip() for word in LINE.split(","))
    same((label, {"data": 1}[kind], int(subtype, 0), int(size[:-1]) * KB), (FROZEN[0], FROZEN[1], FROZEN[2], FROZEN[4]), "partitions-frozen.csv")


@test
def of_a_large_partition_the_first_megabyte_is_used():
    table = frozen_table(("frozen", *FROZEN[1:3], 0xC0000, 0x140000))
    board = fresh(files={"m/hello.mpy": compile_mpy(HELLO)}, table=table)
    board.run(ADD % ("hello", "hello"))
    run = board.run("import esp, molt, hello\nprint(esp.ls_frozen()[0][2:4], hello.check()[3])\nesp.del_frozen('hello')\nprint(molt.frozen.compact())")
    addr = eval(run.lines()[0].rpartition(" ")[0])[0]
    true(0xC0000 + MB - SECTOR < addr < 0xC0000 + MB, run.out)
    same(run.lines()[0].rpartition(") ")[2], "7", "it works")
    run = board.run("import molt\nprint(molt.frozen.free())")
    same(run.value(), (MB - 2 * SECTOR,) * 2, "free, after a compaction")


# ---- firmwares

@test
def another_firmware_makes_other_links_and_the_first_its_own_again():
    board = board_with(hello=HELLO, other="def one_more_name(): return 1")
    board.run((ADD + ADD) % ("hello", "hello", "other", "other"))
    use = "import esp, hello, other\nprint(hello.check(), other.one_more_name(), [m[3] for m in esp.ls_frozen()])"
    says = HELLO_SAYS + " 1 [True, True]"
    same(say(board.run(use)), says, "A")
    of_a = store(board)
    board = with_firmware(board, firmware("c3-B"))
    run = board.run(use)
    same(say(run), says, "B")
    of_b = store(board)
    true(of_b != of_a, "B has links of its own")
    top = of_a.rindex(b"MOLK") // SECTOR * SECTOR + SECTOR
    same_bytes(of_b[top:], of_a[top:], "the records", STORE + top)
    same(board.run(use).ops, [], "they are made once")
    board = with_firmware(board, firmware("c3-A"))
    same(say(board.run(use)), says, "A again")
    same_bytes(store(board), of_a, "A's links are as they were", STORE)
    note(f"relinking two modules: {len(run.ops)} flash operations")


@test
def mapped_elsewhere_they_are_linked_again():
    """The same program a page longer, whose build is the same: one module, whose link would be at a wrong address"""
    board = board_with(hello=HELLO)
    board.run(ADD % ("hello", "hello"))
    use = "import esp, hello\nprint(hello.check(), esp.ls_frozen()[0][3])"
    same(say(board.run(use)), HELLO_SAYS + " True", "linked")
    before = store(board)
    moved = with_firmware(board, a_page_more(firmware("c3-A")))
    run = moved.run(use)
    same(say(run), HELLO_SAYS + " True", "elsewhere")
    at = [struct.unpack_from("<I", data, 64)[0] for data in (before, store(moved))]
    same(at[1] - at[0], PAGE, "where its table of names is")
    same(moved.run(use).ops, [], "it is made once")
    same(say(with_firmware(moved, firmware("c3-A")).run(use)), HELLO_SAYS + " True", "and back")
    note(f"{len(run.ops)} flash operations, {sum(op[0] == 'sector' for op in run.ops)} of them erases")


@test
def a_damaged_link_is_made_again():
    board = board_with(hello=HELLO, other="def one_more_name(): return 1")
    board.run((ADD + ADD) % ("hello", "hello", "other", "other"))
    use = "import esp, hello, other\nprint(hello.check()[3], other.one_more_name(), [m[3] for m in esp.ls_frozen()])"
    same(say(board.run(use)), "7 1 [True, True]", "linked")
    good = store(board)
    second = good.index(b"MOLK", 4)
    for what, off in (("build id", 20), ("version", 4), ("addresses", 36), ("data", 100), ("magic", 0), ("second link's data", second + 70)):
        board.change(STORE + off, bytes([good[off] ^ 0x10]))
        same(say(board.run(use)), "7 1 [True, True]", what)
        true(store(board) == good, f"{what}: the links are as they were")


@test
def an_upgrade_from_a_file_leaves_the_store_alone():
    """With molt's loader installed in front of such a table: raw, with erase_all, and the modules are linked by the new firmware"""
    board = board_with(hello=HELLO)
    board.put({"firmware.bin": firmware("c3-B"), "a.bin.gz": gzip.compress(firmware("c3-A"), 9)})
    board.run(ADD % ("hello", "hello") + "import molt\nmolt.install(verbose=False)")
    board.run("import hello")
    before = store(board)
    run = board.run("import molt\nprint(molt.plan('firmware.bin')['refused'], molt.frozen.extent())\nmolt.fwupdate('firmware.bin')")
    true(run.runs("c3-B") and "False None" in run.out, run.out[-300:])
    use = "import esp, hello, firmware_b\nprint(hello.check()[3], esp.ls_frozen()[0][3])"
    same(say(board.run(use)), "7 True", "by B")
    same_bytes(store(board)[2 * SECTOR:], before[2 * SECTOR:], "the records", STORE + 2 * SECTOR)
    run = board.run("import molt\nmolt.fwupdate('a.bin.gz', erase_all=True)", timeout=60)
    true(run.runs("c3-A"), run.out[-300:])
    same(list(board.files()), ["boot.py"], "files, after erase_all")
    same(say(board.run("import hello\nprint(hello.check()[3])")), "7", "the module is there")


# ---- starts that do not come through

def guard_addr():
    symbols = subprocess.run(["nm", BUILD / "c3-A/firmware.elf"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"^(\w+) \w guard$", symbols, re.M)[1], 16)


@test
def three_starts_that_fail_in_linking_switch_the_modules_off():
    board = board_with(hello=HELLO)
    board.run(ADD % ("hello", "hello"))
    magic = 0x4D4C5400
    true(guard_addr() >> 20 == 0x500, "in RTC memory")
    board.put({"boot.py": (
        "import esp, machine\n"
        f"word = machine.mem32[{guard_addr():#x}] & 0xffffffff\n"
        "step = int(open('step').read())\n"
        "with open('step', 'w') as f: f.write(str(step + 1))\n"
        "try: names = [m[0] for m in esp.ls_frozen()]\n"
        "except OSError as e: names = e.errno\n"
        "print('step', step, hex(word), names)\n"
        "if step in (0, 1):\n"
        f" machine.mem32[{guard_addr():#x}] = {magic:#x} | (2 + step)\n"
        "elif step == 2:\n"
        " print(esp.reset_frozen())\n"
        "if step < 3: machine.reset()\n").encode(), "step": b"0"})
    run = board.run(None, "--until", ">>> ", timeout=60)
    steps = [line for line in run.out.splitlines() if line.startswith(("step", "True"))]
    same(steps, [f"step 0 {magic:#x} ['hello']", f"step 1 {magic:#x} ['hello']", f"step 2 {magic | 3:#x} 5", "True", f"step 3 {magic:#x} []"], "steps")
    same(run.out.count("the last three starts failed while they were linked"), 1, "it says so")


# ---- power cuts: boot.py does the work, and looks after each cut whether all is there

WORK = """
import esp, machine, molt
have = {m[0]: m[3] for m in esp.ls_frozen()}
import keep
x = __import__('x').f() if 'x' in have else None
if keep.f() != 'keep' or x not in ('old', 'new') or not all(have.values()) or set(have) - {'keep', 'x', 'gone'}:
    print('it is', 'lost', have, x)
elif x == 'old':
    esp.add_frozen('/m/new.mpy', 'x')
    esp.del_frozen('gone')
    print(molt.frozen.compact())
    machine.reset()
elif 'gone' in have:
    esp.del_frozen('gone')
    print(molt.frozen.compact())
    machine.reset()
else:
    free, later = molt.frozen.free()
    if free != later:
        print(molt.frozen.compact())
        machine.reset()
    print('all is', 'well')
"""


def with_work(boot):
    old, new = "def f(): return 'old'\ndef name_of_old(): pass", "def f(): return 'new'" + "\ndef g(): return 1" * 20
    board = board_with(keep="def f(): return 'keep'\ndef another_name_of_keep(): pass", old=old, new=new, gone="def h(): return 3\nX = b'" + "z" * 6000 + "'")
    board.run((ADD * 3) % ("keep", "keep", "old", "x", "gone", "gone"))
    board.put({"boot.py": boot.encode()})
    return board


def survives(board, step):
    """Cuts in all operations from the reset to 'all is well', a sample of them."""
    count = len(Board(board.flash()).run(None, "--until", "all is well", timeout=60).ops)
    cuts = [f"{op}:{tear}" for op in range(count) for tear in TEARS] if EVERYTHING else sample(count, step, False)
    rows = cut_runs(board, cuts, "all is well", [(0, STORE), (STORE + STORE_SIZE, 4 * MB - STORE - STORE_SIZE)], "--limit", "60")
    untouched = rows[-1][2]
    lost = [row for row in rows if row[1] or row[2] != untouched]
    note(f"{len(cuts)} cuts in {count} operations, {len(lost)} lost")
    same(lost, [], "cuts that are lost")
    same(untouched, [c3rig.digest(board.flash(0, STORE)), c3rig.digest(board.flash(STORE + STORE_SIZE))], "the rest of flash")
    true(count > 10, f"{count} operations")


@test
def no_cut_of_link_replace_delete_and_compaction_loses_a_module():
    survives(with_work(WORK), 29)


LOOK = """
import esp, keep, x, gone
print('all is well' if (keep.f(), x.f(), gone.h(), [m[3] for m in esp.ls_frozen()]) == ('keep', 'old', 3, [True] * 3) else 'it is lost')
"""


def linked_by_a():
    board = with_work(LOOK)
    true("all is well" in board.run(None, "--until", ">>> ").out, "linked by A")
    return board


@test
def nor_one_of_relinking_for_another_firmware():
    survives(with_firmware(linked_by_a(), firmware("c3-B")), 7)


@test
def nor_one_of_relinking_at_another_address():
    survives(with_firmware(linked_by_a(), a_page_more(firmware("c3-A"))), 7)


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--all"]
    sys.exit(main_or_skip())
