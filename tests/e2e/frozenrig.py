"""What the tests of dynamic frozen modules share: .mpy files, boards with them, and the firmware that is tested.

FIRMWARE=mpy2-A in the environment takes the firmware of the second MicroPython, with its own mpy-cross and sources, c3-A that of the
virtual ESP32-C3; MICROPY_DIR and MICROPY_DIR_2 say where these are, if not in BUILD.
"""
import functools
import os
import pathlib
import shutil
import subprocess
import sys

from rig import BUILD, CROSS as GCC, ROOT, Failure, Skip, firmware, fresh, main, scratch

sys.path.insert(0, str(ROOT / "tests" / "vectors"))
sys.dont_write_bytecode = True
import make_stores as stores  # noqa: E402

NAME = os.environ.get("FIRMWARE", "mpy-A")
IS_SECOND = NAME.startswith("mpy2")
IS_C3 = NAME.startswith("c3")
ARCH = "rv32imc" if IS_C3 else "xtensa"
CROSS = BUILD / ("mpy2-cross" if IS_SECOND else "mpy-cross") / "mpy-cross"
MICROPY = pathlib.Path(os.environ.get("MICROPY_DIR_2" if IS_SECOND else "MICROPY_DIR")
                       or BUILD / ("micropython2" if IS_SECOND else "micropython")).resolve()
# Where the store ends.
TOP = 0xF8000

if IS_C3:
    from c3rig import fresh  # noqa: F811

# A module of everything, and what its check() gives.
HELLO = """
GREETING = "a greeting that is longer than twenty-five characters"
BIG = -123456789012345678901234567890
T = (1, (2, "threeeee", b"four"), None, True, ..., 3.25, 1 << 40)
class Thing:
    def method_of_thing(self, argument_one, keyword_two=3):
        return argument_one + keyword_two
def outer_function(x):
    def inner_function(y):
        return x * y
    return inner_function
def gen():
    yield from range(3)
def check():
    return (GREETING[2:10], BIG, T, Thing().method_of_thing(4), outer_function(5)(6), list(gen()))
"""
HELLO_SAYS = "('greeting', -123456789012345678901234567890, (1, (2, 'threeeee', b'four'), None, True, Ellipsis, 3.25, " \
             "1099511627776), 7, 30, [0, 1, 2])"


def compile_mpy(source, *options):
    path = scratch("compiled.py")
    path = path.with_name(f"{path.stem}{os.urandom(4).hex()}.py")
    path.write_text(source)
    out = path.with_suffix(".mpy")
    try:
        subprocess.run([CROSS, "-s", "module.py", *options, "-o", out, path], check=True, capture_output=True)
        return out.read_bytes()
    finally:
        path.unlink()
        out.unlink(missing_ok=True)


@functools.cache
def python_with_elftools():
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import elftools"], capture_output=True).returncode == 0:
            return python
    raise Skip("mpy_ld.py needs elftools: tools/deps packages installs python3-pyelftools")


# gcc 12 puts the index into the address of the table, an entry of the global offset table that mpy_ld.py cannot make.
HIDE_TABLE = """
static const uint16_t *qstr_table(void) {
    const uint16_t *table = mp_native_qstr_table;
    __asm__ ("" : "+r" (table));
    return table;
}
#define mp_native_qstr_table qstr_table()
"""


def natmod(name):
    """The .mpy of an example of MicroPython's examples/natmod: C, linked by mpy_ld.py."""
    folder = scratch(f"natmod-{name}")
    shutil.copytree(MICROPY / "examples" / "natmod" / name, folder, dirs_exist_ok=True)
    source = folder / f"{name}.c"
    include = '#include "py/dynruntime.h"\n'
    source.write_text(source.read_text().replace(include, include + HIDE_TABLE))
    # Nothing of the make that runs the tests: neither its settings nor its BUILD.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-s", "-C", folder, "BUILD=build", f"MPY_DIR={MICROPY}", "ARCH=xtensa", f"CROSS={GCC}",
                           f"PYTHON={python_with_elftools()} -B"], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise Failure(f"{name}: {done.stderr[-600:]}")
    return (folder / f"{name}.mpy").read_bytes()


def with_data(mpy, rodata, bss_size):
    """A natmod without constants or functions in it that has, beside its relocations, constant data and zeroed data."""
    at = 4

    def take():
        nonlocal at
        value = 0
        while True:
            value = value << 7 | mpy[at] & 0x7f
            at += 1
            if mpy[at - 1] < 0x80:
                return value

    qstrs, objects = take(), take()
    for _ in range(qstrs):
        size = take()
        at += 0 if size & 1 else (size >> 1) + 1
    kind = take()
    at += kind >> 3
    begin = at
    flags = take()
    if objects or kind & 7 != 2 or flags & 0x70 != 0x10:
        raise Failure(f"{objects} constants, kind {kind & 7}, flags {flags:#x}: not such a natmod")
    return mpy[:begin] + stores.number(flags | 0x60) + stores.number(len(rodata)) + stores.number(bss_size) + rodata + mpy[at:]


def board_with(**modules):
    """A board with .mpy files in /m, out of the way of imports."""
    return fresh(NAME, files={f"m/{name.replace('__', '.')}.mpy": compile_mpy(source) if isinstance(source, str) else source
                              for name, source in modules.items()})


def say(run):
    return run.out.replace("\r", "").strip()


def listed(board):
    """What ls_frozen() returns, after a cold start."""
    return board.run("import esp\nprint(esp.ls_frozen())").value()


def main_or_skip():
    """rig.main(), or one line that says why there is nothing to run."""
    try:
        firmware(NAME)
    except Skip as skip:
        why = "; no second MicroPython was to be had, MICROPY_DIR_2=<checkout> names one" if IS_SECOND else ""
        print(f"1..1\nok 1 - dynamic frozen modules with {NAME} # SKIP {skip}{why}")
        return 0
    return main()
