"""The functions of the mask ROM."""
import hashlib
import re
import struct
import subprocess

from rig import BOARD, BUILD, CACHE_ON, CC, CROSS, ENTRIES, ERASE, HERE, ROOT, Run, same, scratch, test, true


@test
def runs_under_icount_repeat_to_the_instruction():
    commands = [ERASE, CACHE_ON, "flash", "call 4000dd38", "reset", "call 4000dd38"]
    first, second = Run(commands, "--icount"), Run(commands, "--icount")
    same(first.answers, second.answers)
    true(first.answers[3] != first.answers[5], "the counter does not move")


@test
def entry_points_stand_where_the_chips_are():
    table = ROOT / "build/micropython/ports/esp8266/boards/eagle.rom.addr.v6.ld"
    if not table.exists():
        return "no MicroPython source to compare with"
    true_addresses = {n: int(a, 16) for n, a in re.findall(r"(\w+) = (0x[0-9a-f]+)", table.read_text())}
    for name, address in ENTRIES.items():
        if not name.startswith("vboard_"):
            same(address, true_addresses.get(name), name)
    listing = subprocess.run([CROSS + "nm", BUILD / "rom.elf"], check=True, capture_output=True, text=True).stdout
    for name, address in ENTRIES.items():
        true(f"{address:08x} T rom_at_{name}\n" in listing, name)


@test
def the_roms_arithmetic_is_the_hosts():
    binary = scratch() / "float_host"
    subprocess.run([CC, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-I", BOARD / "esp8266/rom",
                    "-include", HERE / "names.h", HERE / "float_host.c", BOARD / "esp8266/rom/float.c", BOARD / "esp8266/rom/integer.c",
                    "-lm", "-o", binary], check=True)
    done = subprocess.run([binary], capture_output=True, text=True)
    same((done.returncode, done.stdout), (0, ""))


@test
def the_roms_arithmetic_is_reached_at_its_addresses():
    def call(name, a, b):
        return int(Run([f"call {ENTRIES[name]:x} {a:x} {b:x}"]).last(), 16)
    same(call("__addsf3", 0x3FC00000, 0x40100000), 0x40700000, "1.5 + 2.25")
    same(call("__mulsf3", 0x3FC00000, 0x40100000), 0x40580000, "1.5 * 2.25")
    same(call("__divsi3", 100, 0xFFFFFFF9), 0xFFFFFFF2, "100 / -7")
    same(call("__umodsi3", 100, 7), 2, "100 % 7")


@test
def md5_is_md5():
    numbers = list(range(1, 41))
    run = Run(["md5 " + " ".join(f"{n:x}" for n in numbers)])
    words = [int(w, 16) for w in run.last().split()]
    same(struct.pack("<4I", *words), hashlib.md5(struct.pack("<40I", *numbers)).digest())


@test
def sha1_is_sha1_and_leaves_nothing_in_its_context():
    for count in (1, 13, 14, 15, 16, 40):
        numbers = list(range(1, count + 1))
        run = Run(["sha1 " + " ".join(f"{n:x}" for n in numbers)])
        words = [int(w, 16) for w in run.last().split()]
        same(struct.pack("<5I", *words[:5]), hashlib.sha1(struct.pack(f"<{count}I", *numbers)).digest(), count)
        same(words[5], 0, "what is left in the context")


@test
def ets_printf_prints_as_the_roms():
    same(Run(["print 2a"]).last(), "[  -42|42   |0002a|2A|text|c|%] 0")
