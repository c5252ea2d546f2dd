#!/usr/bin/env python3
"""The standby loaders of the Xtensa chips of the ESP32 family, as the ESP8266's compiler and windowed.inc make them: instruction by
instruction. Prints TAP.

usage: test_xtensa.py BUILD LX106

Each instruction has to be one of those that such a chip has and that belong to the windowed ABI. Source of the encodings: Xtensa
Instruction Set Architecture Reference Manual. The files are those of `make loader`, in BUILD/boot.
"""

import re
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import tap  # noqa: E402
from tap import Skip, same, test  # noqa: E402

BUILD, LX106 = (Path(sys.argv[1]).resolve(), sys.argv[2]) if len(sys.argv) == 3 else sys.exit(__doc__)
CHIPS = ("esp32", "esp32s2", "esp32s3")
PARTS = ("loader", "inflate", "delta_whole")
PORT = ROOT / "ports/esp32"

# Instructions of op0 0 by (op1, op2); of op0 2 by r.
ARITHMETIC = {(0, 1): "and", (0, 2): "or", (0, 3): "xor", (0, 6): "neg abs", (0, 8): "add", (0, 9): "addx2", (0, 10): "addx4",
              (0, 11): "addx8", (0, 12): "sub", (0, 13): "subx2", (0, 14): "subx4", (0, 15): "subx8", (1, 0): "slli", (1, 1): "slli",
              (1, 2): "srai", (1, 3): "srai", (1, 4): "srli", (1, 8): "src", (1, 9): "srl", (1, 10): "sll", (1, 11): "sra",
              (1, 12): "mul16u", (1, 13): "mul16s", (2, 8): "mull", (3, 8): "moveqz", (3, 9): "movnez", (3, 10): "movltz",
              (3, 11): "movgez"}
MEMORY = {0: "l8ui", 1: "l16ui", 2: "l32i", 4: "s8i", 5: "s16i", 6: "s32i", 9: "l16si", 10: "movi", 12: "addi", 13: "addmi"}
NARROW = {8: "l32i.n", 9: "s32i.n", 10: "add.n", 11: "addi.n", 12: "movi.n beqz.n bnez.n"}
# What nothing comes behind.
ENDS = ("retw", "retw.n", "j", "jx")


def decode(code, at):
    """(name, size, what it refers to by its offset from `at`); name "" is none that there may be."""
    word = int.from_bytes(code[at:at + 3].ljust(3, b"\0"), "little")
    op0, t, s, r, op1, op2 = (word >> i & 15 for i in (0, 4, 8, 12, 16, 20))
    if op0 in NARROW:
        return NARROW[op0], 2, None
    if op0 == 13:
        return {(0, t): "mov.n", (15, 1): "retw.n", (15, 3): "nop.n"}.get((r, t), ""), 2, None
    name, to = "", None
    if op0 == 0 and (op1, op2) == (0, 0):
        name = {(0, 9): "retw", (0, 10): "jx", (0, 14): "callx8", (2, 0): "isync", (2, 12): "memw"}.get((r, t), "")
    elif op0 == 0 and (op1, op2) == (0, 4):
        name = {0: "ssr", 1: "ssl", 2: "ssa8l", 4: "ssai", 14: "nsa", 15: "nsau"}.get(r, "")
    elif op0 == 0:
        name = "extui" if op1 in (4, 5) else ARITHMETIC.get((op1, op2), "")
    elif op0 == 1:
        name, to = "l32r", ((at + 3) & ~3) - at + ((word >> 8) - 0x10000) * 4
    elif op0 == 2:
        name = MEMORY.get(r, "")
    elif op0 == 5 and t & 3 == 2:
        name, to = "call8", (at & ~3) - at + 4 + ((word >> 6 ^ 0x20000) - 0x20000) * 4
    elif op0 == 6 and t & 3 == 0:
        name, to = "j", 4 + ((word >> 6 ^ 0x20000) - 0x20000)
    elif op0 == 6 and t & 3 == 1:
        name, to = "bz", 4 + ((word >> 12 ^ 0x800) - 0x800)
    elif op0 == 6 and t == 3:
        name = "entry"
    elif op0 == 6 and (t & 3 == 2 or t in (11, 15)):
        name, to = "bi", 4 + ((word >> 16 ^ 0x80) - 0x80)
    elif op0 == 7:
        name, to = "b", 4 + ((word >> 16 ^ 0x80) - 0x80)
    return name, 3, to


class Loader:
    """A linked loader or extension, with the code that is made of it."""

    def __init__(self, chip, part):
        self.name = "%s %s" % (chip, part)
        elf = (BUILD / "boot" / chip / (part + ".elf")).read_bytes()
        self.code = (BUILD / "boot" / chip / (part + ".bin")).read_bytes()
        at, = struct.unpack_from("<I", elf, 32)
        size, count, names = struct.unpack_from("<HHH", elf, 46)
        headers = [struct.unpack_from("<10I", elf, at + i * size) for i in range(count)]
        text = {self.text(elf, headers[names], h[0]): h for h in headers}
        self.base, self.text_size = text[".text"][3], text[".text"][5]
        self.constants, self.constants_size = text[".rodata"][3], text[".rodata"][5]
        table = text[".symtab"]
        symbols = [struct.unpack_from("<3I2BH", elf, table[4] + i) for i in range(0, table[5], 16)]
        strings = headers[table[6]]
        self.symbols = {self.text(elf, strings, s[0]): s[1] for s in symbols}
        # Name -> (address, size): what the compiler says is a function.
        self.functions = {self.text(elf, strings, s[0]): (s[1], s[2]) for s in symbols if s[3] & 15 == 2 and s[2]}

    @staticmethod
    def text(elf, strings, off):
        start = strings[4] + off
        return elf[start:elf.index(b"\0", start)].decode()

    def instructions(self, function):
        addr, size = self.functions[function]
        at = addr - self.base
        end = at + size
        while at < end:
            name, width, to = decode(self.code, at)
            yield self.base + at, name, None if to is None else self.base + at + to
            at += width
        same(at, end, "%s: the end of %s" % (self.name, function))


def loaders():
    if not (BUILD / "boot" / CHIPS[0] / "loader.elf").exists():
        raise Skip("make loader has not been run")
    return [Loader(chip, part) for chip in CHIPS for part in PARTS]


def rom(chip):
    """{address: name} of the mask ROM's functions."""
    text = (PORT / chip / "chip.ld").read_text()
    return {int(addr, 16): name for name, addr in re.findall(r"^(\w+) = (0x4\w+);", text, re.MULTILINE)}


def macro(chip, name):
    return int(re.search(r"#define %s (\w+?)u?$" % name, (PORT / chip / "chip.h").read_text(), re.MULTILINE)[1], 0)


@test
def each_instruction_is_one_that_these_chips_have():
    count = 0
    for loader in loaders():
        for function in loader.functions:
            names = [name for _, name, _ in loader.instructions(function)]
            assert "" not in names, "%s, %s: instruction %d is none of them" % (loader.name, function, names.index(""))
            count += len(names)
    assert count > 5000, count


@test
def each_function_is_one_of_the_windowed_abi():
    for loader in loaders():
        for function in loader.functions:
            found = list(loader.instructions(function))
            same(found[0][1], "entry", "%s, the first instruction of %s" % (loader.name, function))
            same([a for a, name, _ in found[1:] if name == "entry"], [], "%s, entries in %s" % (loader.name, function))
            same(found[0][0] % 4, 0, "%s, the place of %s" % (loader.name, function))
            # The entry is left by a reset; all others come to an end.
            if found[-1][1] not in ENDS:
                same(found[-1][1].startswith("call"), True, "%s, the end of %s" % (loader.name, function))


@test
def each_call_lands_on_a_function_and_each_jump_on_an_instruction_of_its_own():
    for loader in loaders():
        chip = loader.name.split()[0]
        known = {addr for addr, _ in loader.functions.values()} | set(rom(chip)) | {macro(chip, "EXTENSION_VADDR")}
        calls = 0
        for function in loader.functions:
            found = list(loader.instructions(function))
            own = {addr for addr, _, _ in found}
            for addr, name, to in found:
                if name == "call8":
                    calls += 1
                    assert to in known, "%s, %s: the call at %#x goes to %#x" % (loader.name, function, addr, to)
                elif name == "l32r":
                    assert loader.base <= to < addr and to % 4 == 0, "%s, %s: the literal of %#x" % (loader.name, function, addr)
                elif to is not None:
                    assert to in own, "%s, %s: the jump at %#x goes to %#x" % (loader.name, function, addr, to)
        assert calls > 8, "%s: %d calls" % (loader.name, calls)


@test
def what_the_files_of_a_chip_say_twice_is_the_same():
    targets = (PORT / "molt_esp32.c").read_text()
    for chip in CHIPS:
        loader, *extensions = (Loader(chip, part) for part in PARTS)
        target = targets[targets.index("molt_standby_chip_t %s =" % chip):]
        same(int(re.search(r"\.code_vaddr = (\w+)", target)[1], 0), loader.base, "%s: where the code goes" % chip)
        same(loader.symbols["molt_start"], loader.base, "%s: where it begins" % chip)
        off = loader.symbols["molt_plan_addr"] - loader.base
        same(off, int(re.search(r"#define XTENSA_PLAN_ADDR_OFF (\d+)", targets)[1]), "%s: the plan's address" % chip)
        same(loader.code[off:off + 4], b"\xff" * 4, "%s: before it is installed" % chip)
        for extension in extensions:
            same(extension.base, macro(chip, "EXTENSION_VADDR"), "%s: where it goes" % extension.name)
        for part in (loader, *extensions):
            same(len(part.code), part.text_size + part.constants_size, "%s: its bytes" % part.name)
            if part.constants_size:
                off = part.constants - part.base - part.text_size
                same(off & 0xffffffff, macro(chip, "CONSTANTS_OFF"), "%s: where the constants are" % part.name)


@test
def what_runs_before_the_rest_of_an_extension_is_there_is_in_its_first_part():
    # All but the call that is made when it is there.
    first_size = int(re.search(r"#define EXTENSION_SIZE_MAX (\d+)u", (PORT / "extension.h").read_text())[1])
    for chip in CHIPS:
        loader = Loader(chip, "delta_whole")
        assert len(loader.code) > first_size, "%s has no rest" % loader.name
        first = [name for name in loader.functions if name in ("read_nothing", "load_rest", "molt_extension")]
        same(len(first), 3, "%s: the functions that there have to be" % loader.name)
        end = loader.base + first_size
        known = set(rom(chip)) | {loader.functions[name][0] for name in first}
        for name in first:
            same(sum(loader.functions[name]) <= end, True, "%s: %s lies in the first part" % (loader.name, name))
            outside = [to for _, what, to in loader.instructions(name) if what == "call8" and to not in known]
            carry_out = [loader.functions["carry_out"][0]] if name == "molt_extension" else []
            same(outside, carry_out, "%s: what %s calls beside that" % (loader.name, name))
            constants = [to for _, what, to in loader.instructions(name) if what == "l32r" and to >= end]
            same(constants, [], "%s: literals of %s" % (loader.name, name))


@test
def a_call_that_was_left_as_it_was_assembled_is_found_here():
    """What window_calls is for: before it the calls are of another ABI."""
    if not LX106:
        raise Skip("no compiler")
    elf = BUILD / "boot/esp32/loader.elf"
    raw = BUILD / "boot/esp32/raw.bin"
    subprocess.run([LX106 + "objcopy", "-O", "binary", "-j", ".text", "-j", ".rodata", elf, raw], check=True)
    loader = Loader("esp32", "loader")
    loader.code = raw.read_bytes()
    raw.unlink()
    names = [name for function in loader.functions for _, name, _ in loader.instructions(function)]
    assert "" in names and "call8" not in names, "calls before window_calls"


if __name__ == "__main__":
    sys.exit(tap.main())
