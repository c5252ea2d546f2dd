#!/usr/bin/env python3
"""What import finds: the names of dynamic frozen modules, packages, and what comes before them, on the virtual ESP8266, as TAP.

    tests/e2e/test_frozen_names.py [WORD...]     only the tests with a WORD in their names

FIRMWARE=mpy2-A in the environment takes another firmware. All runs are watched by the board's plugin.
"""
import sys

from frozenrig import HELLO, NAME, TOP, board_with, compile_mpy, listed, main_or_skip, say, stores
from rig import SMALL_PROGRAM_SAYS, fresh, same, same_bytes, scratch, small_program, test, tool, true


@test
def packages_and_relative_imports():
    """Packages, __init__, relative and nested imports"""
    board = board_with(i="VALUE = 7", m="from . import VALUE\nfrom .sub.leaf import LEAF\nR = (VALUE, LEAF)", l="LEAF = 'leaf'")
    add = ("import esp\nesp.add_frozen('/m/i.mpy', 'pkg.__init__')\nesp.add_frozen('/m/m.mpy', 'pkg.mod')\n"
           "esp.add_frozen('/m/l.mpy', 'pkg.sub.leaf')\n")
    use = "import pkg.mod\nprint(pkg.mod.R, pkg.sub.leaf.__name__)"
    same(say(board.run(add + use)), "(7, 'leaf') pkg.sub.leaf", "unlinked")
    same(say(board.run(use)), "(7, 'leaf') pkg.sub.leaf", "linked")


@test
def bad_files_and_names():
    """Malformed and foreign files, bad and reserved names: a sentence, and nothing changes"""
    good = compile_mpy(HELLO)
    files = {
        "empty": b"", "text": b"print(1)\n", "version": good[:1] + b"\x05" + good[2:], "cut": good[:-7], "long": good + b"x",
        "small": good[:3] + b"\x3f" + good[4:], "arch": good[:2] + bytes([10 << 2 | 3]) + good[3:],
        "later": good[:2] + b"\x40" + good[3:], "complex": compile_mpy("X = 2j"), "good": good,
    }
    board = board_with(**files)
    before = board.flash()
    code = "import esp\n"
    for name in sorted(set(files) - {"good"}):
        code += f"try:\n esp.add_frozen('/m/{name}.mpy')\n print('{name} TAKEN')\nexcept (ValueError, OSError) as e:\n print('{name}', e)\n"
    names = ("_boot", "flashbdev", "inisetup", "molt", "molt_ask", "molt_chip", "molt_file", "molt_map", "molt_upgrade",
             "a..b", ".a", "a.", "a/b", "x" * 64, "a b", "flashbdev.sub",
             "molt.x", "__init__", "a.__init__.b", "mod.py", "mod.mpy")
    for name in names:
        code += f"try:\n esp.add_frozen('/m/good.mpy', '{name}')\n print('TAKEN')\nexcept ValueError as e:\n print('{name}', e)\n"
    for path in ("/m/none.mpy", "/m", "/none/x.mpy"):
        code += f"try:\n esp.add_frozen('{path}', 'x')\n print('TAKEN')\nexcept OSError as e:\n print('{path}', e.args[1])\n"
    run = board.run(code)
    true("TAKEN" not in run.out, run.out)
    same(len(say(run).splitlines()), len(files) - 1 + len(names) + 3, "sentences")
    true("add_frozen(file_name, 'package.__init__')" in run.out, "the call that names a package")
    true(board.flash(0, 0x100000) == before[:0x100000], "flash is unchanged")


@test
def shadowed_by_a_file():
    """A file of that name comes first, and add_frozen() and ls_frozen() say so"""
    board = fresh(NAME, files={"x.py": b"W = 'file'\n", "m/x.mpy": compile_mpy("W = 'frozen'")})
    run = board.run("import esp\nesp.add_frozen('/m/x.mpy', 'x')\nprint(esp.ls_frozen()[0][5])\nimport x\nprint(x.W)")
    same(say(run).splitlines(), ["molt: x.py will be imported in its place; remove it", "True", "file"], "shadowed")
    run = board.run("import os\nos.remove('x.py')\nimport x\nprint(x.W)")
    same(say(run), "frozen", "without the file")


@test
def the_firmwares_own_modules_come_first():
    """What was frozen at build time is imported first; a dynamic package of its name does not hide it, and this is told"""
    own = "firmware_a"
    board = board_with(x="W = 'dynamic'")
    run = board.run(f"import esp\nesp.add_frozen('/m/x.mpy', '{own}')\nesp.add_frozen('/m/x.mpy', '{own}.sub')\n"
                    "print([m[5] for m in esp.ls_frozen()])")
    lines = say(run).splitlines()
    true(len(lines) == 3 and all("the firmware has a module of this name" in line for line in lines[:2]), run.out)
    same(lines[2], "[True, True]", "shadowed")
    for _ in range(2):
        run = board.run(f"import {own}\nprint(hasattr({own}, 'W'))\ntry:\n import {own}.sub\n"
                        "except ImportError as e: print(e)")
        true(say(run).startswith("False\n") and len(say(run).splitlines()) == 2, run.out)


# Of the modules in C these are taken whatever sys.path says, the others like any module behind sys.path.
NOT_EXTENSIBLE = ("sys", "gc", "esp", "builtins", "micropython", "vfs", "math", "uctypes", "framebuf", "_molt", "usys", "uos", "utime")
EXTENSIBLE = ("os", "time", "json", "machine", "binascii", "struct", "io")


@test
def names_that_import_never_takes_are_refused():
    """A name of a C module that every import takes is refused, alone and as a package, and flash stays as it is"""
    board = board_with(x="W = 'dynamic'")
    before = board.flash()
    run = board.run(f"import esp\nfor n in {NOT_EXTENSIBLE}:\n for m in (n, n + '.sub'):\n  try: print(esp.add_frozen('/m/x.mpy', m), m)\n"
                    "  except ValueError as e: print(e)")
    lines = say(run).splitlines()
    same(len(lines), 2 * len(NOT_EXTENSIBLE), "lines")
    for name, line in zip([n for n in NOT_EXTENSIBLE for _ in (0, 1)], lines):
        true(line.startswith(name) and "built-in module" in line, f"{name}: {line}")
    same_bytes(board.flash(), before, "flash")


@test
def nothing_takes_the_built_ins_from_molt():
    """Modules called os, time, json, machine and the like, dynamic or as files, take the built-ins' place and do not stop molt"""
    use = ("import molt\nfor n in %r: print(__import__(n).W)\nprint(molt.status(), molt.check('hello.bin')['size'], molt.plan('hello.bin')['refused'],\n"
           " molt.pending(), len(molt.regions()) > 3)\nmolt.map()\nmolt.fwupdate('hello.bin')" % (EXTENSIBLE,))
    program = small_program(9000)
    files = {"m/x.mpy": compile_mpy("W = 'not the built-in'"), "hello.bin": program}
    dynamic = fresh(NAME, files=files)
    run = dynamic.run(f"import esp\nfor n in {EXTENSIBLE}: esp.add_frozen('/m/x.mpy', n)\nprint([m[5] for m in esp.ls_frozen()])")
    lines = say(run).splitlines()
    true(all("in place of the firmware's built-in" in line for line in lines[:-1]) and len(lines) == len(EXTENSIBLE) + 1, run.out)
    same(lines[-1], str([False] * len(EXTENSIBLE)), "shadowed: import does take them")
    as_files = fresh(NAME, files={**files, **{f"{n}.py": b"W = 'not the built-in'\n" for n in EXTENSIBLE}})
    for what, board in (("dynamic", dynamic), ("files", as_files)):
        run = board.run(use)
        lines = say(run).splitlines()
        same(lines[:len(EXTENSIBLE) + 1], ["not the built-in"] * len(EXTENSIBLE) + [f"None {len(program)} False None True"], what)
        true(SMALL_PROGRAM_SAYS in run.out, f"{what}: the upgrade is made")


# What import finds under each of these names, with the files below in the way, and the call that is made before.
SHADOWS = (("plain", ""), ("x", ""), ("y", ""), ("p.mod", ""), ("p.__init__", ""), ("z.mod", ""), ("q", ""), ("q.sub", ""), ("w.sub", ""),
           ("w.sub.leaf", ""), ("math", ""), ("math.sub", ""), ("uos", ""), ("os", ""), ("plain", "sys.path.remove('.frozen')"),
           ("x", "sys.path[:] = ['.frozen', '']"), ("plain", "sys.path[:] = []"), ("lib_one", ""))


@test
def shadowed_is_what_import_does():
    """ls_frozen() says shadowed where import takes something else, and nowhere else: files, folders, packages, built-ins, sys.path"""
    module = compile_mpy("W = 'dynamic'")
    board = fresh(NAME, files={"x.py": b"W = 0\n", "y/note.txt": b"a folder", "p.py": b"W = 0\n", "z/__init__.py": b"W = 0\n", "m/x.mpy": module,
                               "lib/lib_one.py": b"W = 0\n"})
    file = scratch("x.mpy")
    file.write_bytes(module)
    for name in dict(SHADOWS):
        # By the tool, which takes any name.
        tool("frozen", "add", board.path, f"{file}:{name}")
    for name, before in SHADOWS:
        dotted = name.removesuffix(".__init__")
        run = board.run(f"import esp, sys\n{before}\nprint([m[5] for m in esp.ls_frozen() if m[0] == '{name}'][0])\ntry:\n m = __import__('{dotted}')\n"
                        f" for n in '{dotted}'.split('.')[1:]: m = getattr(m, n)\n print(getattr(m, 'W', 0) != 'dynamic')\n"
                        "except (ImportError, AttributeError): print(True)")
        says = say(run).splitlines()
        same(says[0], says[1], f"{name} {before}")
    shadowed = {m[0] for m in listed(board) if m[5]}
    same(shadowed, {"x", "y", "p.mod", "p.__init__", "z.mod", "q", "w.sub", "math", "math.sub", "uos"}, "shadowed")


@test
def the_name_is_that_by_which_import_finds_the_file():
    """Below a folder of sys.path, /lib or the current directory the path is the dotted name; a folder that is no package leaves the file's"""
    module = compile_mpy("W = 1")
    paths = {"/lib/umqtt/simple.mpy": "umqtt.simple", "lib/umqtt/__init__.mpy": "umqtt.__init__", "/lib/one.mpy": "one", "two.mpy": "two",
             "/pkg/sub/leaf.mpy": "pkg.sub.leaf", "./pkg/../pkg/mod.mpy": "pkg.mod", "/my-mods/hello.mpy": "hello"}
    board = fresh(NAME, files={path.replace("./pkg/../", "").lstrip("/"): module for path in paths})
    run = board.run(f"import esp\nfor p in {tuple(paths)}: esp.add_frozen(p)\n")
    same([m[0] for m in listed(board)], list(paths.values()), "names")
    true("molt: /lib/umqtt/simple.mpy is umqtt.simple" in run.out, f"a dotted name is told: {run.out}")
    board.run("import esp, os, sys\nesp.reset_frozen()\nos.chdir('/pkg')\nesp.add_frozen('sub/leaf.mpy')\nesp.add_frozen('/lib/umqtt/simple.mpy')\n"
              "sys.path.append('/my-mods')\nesp.add_frozen('../my-mods/hello.mpy')\nos.chdir('/')")
    same([m[0] for m in listed(board)], ["sub.leaf", "umqtt.simple", "hello"], "names, from another directory")


@test
def a_directory_is_a_package_tree():
    """add_frozen() of a directory takes all .mpy files below it; what is not one is told; one bad file and nothing changes"""
    files = {"lib/pkg/__init__.mpy": compile_mpy("V = 7"), "lib/pkg/mod.mpy": compile_mpy("from . import V\nfrom .sub.leaf import L\nR = (V, L)"),
             "lib/pkg/sub/leaf.mpy": compile_mpy("L = 'leaf'"), "lib/pkg/data.txt": b"text", "empty/note": b"1"}
    board = fresh(NAME, files={**files, "lib/bad/a.mpy": files["lib/pkg/__init__.mpy"], "lib/bad/b.mpy": b"no mpy"})
    before = board.flash(0, TOP)
    run = board.run("import esp\nfor p in ('/lib/bad', '/lib', '/empty', '/none'):\n try: print(esp.add_frozen(p))\n except OSError as e: print(e.errno, e)")
    same([line.split()[0] for line in say(run).splitlines() if not line.startswith("molt:")], ["84", "84", "2", "2"], f"refused: {run.out}")
    same_bytes(board.flash(0, TOP), before, "flash below the filesystem")
    run = board.run("import esp\nprint(esp.add_frozen('/lib/pkg'))\nesp.add_frozen('lib/pkg', 'other.name')")
    true("molt: /lib/pkg/data.txt is no .mpy and is left out" in run.out, run.out)
    same(sorted(m[0] for m in listed(board)), sorted(f"{p}{n}" for p in ("pkg", "other.name") for n in (".__init__", ".mod", ".sub.leaf")), "names")
    board.run("import os\nfor f in ('sub/leaf', 'mod', '__init__'): os.remove('/lib/pkg/%s.mpy' % f)\nos.remove('/lib/pkg/data.txt')\nos.rmdir('/lib/pkg/sub')\n"
              "os.rmdir('/lib/pkg')")
    run = board.run("import pkg.mod, other.name.mod\nprint(pkg.mod.R, other.name.mod.R)")
    same(say(run), "(7, 'leaf') (7, 'leaf')", "imports without the files")


@test
def boot_and_main_and_the_way_out():
    """A dynamic main.py and boot.py run at start; /frozen.off switches them off"""
    board = board_with(main="print('dynamic main runs')", boot="print('dynamic boot runs')")
    board.run("import esp\nesp.add_frozen('/m/main.mpy', 'main')\nesp.add_frozen('/m/boot.mpy', 'boot')")
    run = board.run(None, "--until", ">>> ")
    true("dynamic boot runs" in run.out and "dynamic main runs" in run.out, run.out)
    true(run.out.index("dynamic boot") < run.out.index("dynamic main"), "boot.py before main.py")
    board.run("open('/frozen.off', 'w').close()")
    run = board.run(None, "--until", ">>> ")
    true("dynamic main runs" not in run.out and "are off" in run.out, run.out)
    board.run("import os\nos.remove('/frozen.off')")
    true("dynamic main runs" in board.run(None, "--until", ">>> ").out, "on again")


@test
def main_comes_before_a_file():
    """A dynamic main.py runs at start in place of a file, as a frozen one does; a damaged one says so and the prompt comes"""
    board = fresh(NAME, files={"main.py": b"print('the file runs')\n", "m/main.mpy": compile_mpy("print('the dynamic one runs')")})
    run = board.run("import esp\nesp.add_frozen('/m/main.mpy', 'main')\nprint(esp.ls_frozen()[0][3:])")
    same(say(run).splitlines()[-2:], ["molt: it runs at start in place of main.py", "(False, True, False)"], "told")
    for what in ("unlinked", "linked"):
        run = board.run(None, "--until", ">>> ")
        true("the dynamic one runs" in run.out and "the file runs" not in run.out, f"{what}: {run.out}")
    region = stores.Region()
    region.put("main", compile_mpy("print('the damaged one runs')"), crc=5)
    board.change(TOP - len(region.bytes), bytes(region.bytes))
    run = board.run(None, "--until", ">>> ")
    true("is damaged; delete it" in run.out and "runs" not in run.out, run.out)


@test
def names_with_a_zero():
    """Names and short strings with a zero byte in them: the pool is searched all the same"""
    source = ("class K: pass\nS = 'nul\\0a'\nL = 'a longer\\0string'\nsetattr(K, S, 5)\nD = {S: 6, L: 7}\n"
              "def f(s, l): return (S is s or S == s, getattr(K, s), D[s], D[l], len(S), len(L))")
    board = board_with(zero=compile_mpy(source))
    true(b"nul\0a\0" in compile_mpy(source), "the name is in the file")
    use = "import zero\nprint(zero.f('nul' + chr(0) + 'a', 'a longer' + chr(0) + 'string'))"
    same(say(board.run("import esp\nesp.add_frozen('/m/zero.mpy', 'zero')\n" + use)), "(True, 5, 6, 7, 5, 15)", "unlinked")
    same(say(board.run("import esp\nprint(esp.ls_frozen()[0][3])\n" + use)), "True\n(True, 5, 6, 7, 5, 15)", "linked")


if __name__ == "__main__":
    sys.exit(main_or_skip())
