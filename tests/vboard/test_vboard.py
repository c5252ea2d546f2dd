#!/usr/bin/env python3
"""The tests of the virtual ESP8266, as TAP. They need `make vboard`, the lx106 compiler and cc.

A small program, monitor.c, runs on the board and obeys commands that come over the UART; each test is a flash file,
a list of commands, and what must have come of them. VBOARD_BUILD says where the board was built (build/vboard).
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BOARD = ROOT / "vboard"
BUILD = pathlib.Path(os.environ.get("VBOARD_BUILD", ROOT / "build" / "vboard"))
CROSS = os.environ.get("VBOARD_CROSS", "xtensa-lx106-elf-")
CC = os.environ.get("VBOARD_CC", "cc")
SCRATCH = tempfile.TemporaryDirectory(prefix="vboard-")
WORK = pathlib.Path(SCRATCH.name)
THREAD = threading.local()

MEGABYTE = 1 << 20
SECTOR, BLOCK, PAGE = 4096, 65536, 256
IRAM, DRAM, WINDOW = 0x40100000, 0x3FFE8000, 0x40200000
FLASHCHIP = 0x3FFFC714     # a pointer, then the struct it points to
FLASH_CODE = 0x10000       # where monitor.ld has the code in mapped flash
FREE = 0x40000             # flash that no test program occupies
SIZE_NIBBLE = {MEGABYTE // 2: 0, MEGABYTE: 2, 4 * MEGABYTE: 4, 16 * MEGABYTE: 9}
BRICK, CRASH, CUT, REPORT, TIMEOUT, BROKEN = 70, 71, 72, 73, 74, 75
TEARS = ("before", "none", "after", "half", "prefix", "partial", "suffix", "random", "zero", "stray")
ENTRY_PATTERN = re.compile(r"^ROM_ENTRY\((0x[0-9a-f]+), (\w+)\)", re.M)
ENTRIES = {name: int(address, 16) for address, name in ENTRY_PATTERN.findall((BOARD / "rom/entries.h").read_text())}

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Failure(Exception):
    pass


def same(got, expected, what=""):
    if got != expected:
        raise Failure(f"{what}: got {got!r}, expected {expected!r}")


def true(condition, what):
    if not condition:
        raise Failure(what)


def scratch():
    """This test's own directory: tests run side by side."""
    return THREAD.directory


# ---- images and flash files

def image(segments, entry, size_nibble=4, magic=0xE9, checksum=None):
    data = bytes([magic, len(segments), 0, size_nibble << 4]) + struct.pack("<I", entry)
    xor = 0xEF
    for address, content in segments:
        data += struct.pack("<II", address, len(content)) + content
        xor = functools.reduce(lambda a, b: a ^ b, content, xor)
    data += b"\0" * (15 - len(data) % 16)
    return data + bytes([xor if checksum is None else checksum])


@functools.cache
def program(name):
    """A test program's segments, entry, and code in mapped flash."""
    elf = WORK / f"{name}.elf"
    symbols = [f"-Wl,--defsym={name}={address:#x}" for name, address in ENTRIES.items()]
    subprocess.run([CROSS + "gcc", "-std=c11", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib",
                    "-mlongcalls", "-mtext-section-literals", "-T", HERE / "monitor.ld", *symbols, "-o", elf,
                    HERE / f"{name}.c"], check=True)

    def section(section_name):
        subprocess.run([CROSS + "objcopy", "-O", "binary", "-j", section_name, elf, WORK / "section"], check=True)
        return (WORK / "section").read_bytes()

    header = elf.read_bytes()[:28]
    entry = struct.unpack("<I", header[24:28])[0]
    return [(IRAM, section(".text")), (DRAM, section(".data"))], entry, section(".irom0.text")


def monitor():
    return program("monitor")


def flash_file(size=4 * MEGABYTE, boot=None, **header):
    """A new flash file with the monitor, or with the image given."""
    segments, entry, flash_code = monitor()
    data = boot if boot is not None else image(segments, entry, SIZE_NIBBLE.get(size, 4), **header)
    content = bytearray(b"\xff" * size)
    content[:len(data)] = data
    content[FLASH_CODE:FLASH_CODE + len(flash_code)] = flash_code
    path = scratch() / "flash.bin"
    path.write_bytes(content)
    return path


ENVIRONMENT = {**os.environ, "VBOARD_BUILD": str(BUILD)}


class Run:
    """One run of the board: exit status, what it printed, the monitor's answers, counts, the log of operations."""

    def __init__(self, commands, *options, flash=None):
        self.flash = flash or flash_file()
        stats, log = scratch() / "stats.json", scratch() / "log"
        for path in (stats, log):
            path.unlink(missing_ok=True)
        done = subprocess.run(
            [BOARD / "run", self.flash, "--stats", stats, "--log", log, "--timeout", "30", *map(str, options)],
            input="".join(c + "\n" for c in commands).encode(), capture_output=True, timeout=60, env=ENVIRONMENT)
        self.status = done.returncode
        self.output = done.stdout.decode(errors="replace")
        self.errors = done.stderr.decode(errors="replace")
        self.answers = re.findall(r"^> [^:]*: (.*)$", self.output, re.M)
        self.stats = json.loads(stats.read_text()) if stats.exists() else {}
        self.log = log.read_text().splitlines() if log.exists() else []

    def at(self, address, size):
        return self.flash.read_bytes()[address:address + size]

    def last(self):
        return self.answers[-1] if self.answers else None


# ---- booting

@test
def an_image_is_loaded_and_entered():
    run = Run(["call 4000ff30"])
    same(run.status, 0)
    true("rst cause:1, boot mode:(3,6)" in run.output, run.output)
    true("load 0x40100000, len" in run.output and "load 0x3ffe8000, len" in run.output, run.output)
    true("csum 0x" in run.output, run.output)


@test
def flash_without_the_magic_is_a_brick():
    run = Run([], flash=flash_file(magic=0xEA))
    same(run.status, BRICK)
    true("magic" in run.errors, run.errors)


@test
def blank_flash_is_a_brick():
    same(Run([], flash=flash_file(boot=b"")).status, BRICK)


@test
def a_wrong_checksum_is_a_brick():
    segments, entry, _ = monitor()
    right = image(segments, entry)[-1]
    same(Run([], flash=flash_file(checksum=right)).status, 0, "the right one")
    run = Run([], flash=flash_file(checksum=right ^ 1))
    same(run.status, BRICK)
    true("checksum" in run.errors, run.errors)


@test
def one_flipped_bit_in_a_segment_is_a_brick():
    path = flash_file()
    content = bytearray(path.read_bytes())
    content[100] ^= 4
    path.write_bytes(content)
    same(Run([], flash=path).status, BRICK)


@test
def no_segments_and_too_many_are_a_brick():
    segments, entry, _ = monitor()
    same(Run([], flash=flash_file(boot=image([], entry))).status, BRICK, "none")
    sixteen = segments + [(DRAM + 0x8000, b"1234")] * 14
    same(Run([], flash=flash_file(boot=image(sixteen, entry))).status, 0, "16")
    same(Run([], flash=flash_file(boot=image(sixteen + sixteen[-1:], entry))).status, BRICK, "17")


@test
def a_segment_outside_of_ram_is_a_brick():
    segments, entry, _ = monitor()
    for address, expected in ((0x40110000 - 4, 0), (0x40110000, BRICK), (0x3FFFC000 - 4, 0), (0x3FFFC000, BRICK),
                              (0x3FFE7FFC, BRICK), (0x40200000, BRICK), (0xFFFFFFFC, BRICK)):
        same(Run([], flash=flash_file(boot=image(segments + [(address, b"1234")], entry))).status, expected, hex(address))


@test
def the_chip_size_comes_from_the_header():
    for nibble, kilobytes in ((0, 512), (1, 256), (2, 1024), (3, 2048), (4, 4096), (8, 8192), (9, 16384)):
        segments, entry, _ = monitor()
        run = Run([f"peek {FLASHCHIP + i:x}" for i in (0, 8, 12, 16, 20)],
                  flash=flash_file(boot=image(segments, entry, nibble)))
        same([int(a, 16) for a in run.answers], [FLASHCHIP + 4, kilobytes * 1024, BLOCK, SECTOR, PAGE], f"nibble {nibble}")


@test
def an_entry_that_returns_is_a_crash():
    ret = bytes([0x0D, 0xF0, 0, 0])  # ret.n
    same(Run([], flash=flash_file(boot=image([(IRAM, ret)], IRAM))).status, CRASH)


# ---- ending

@test
def the_program_chooses_its_exit_status():
    for status in (0, 1, 5, 63):
        same(Run([f"exit {status:x}"]).status, status)


@test
def the_end_of_the_input_switches_off():
    run = Run(["peek 40100000"])
    same((run.status, len(run.answers)), (0, 1))


@test
def an_exception_is_a_crash_with_cause_and_place():
    run = Run(["peek 20000000"])
    same(run.status, CRASH)
    true(re.search(r"exception \d+ .* at pc 0x4010", run.errors), run.errors)
    true("excvaddr 0x20000000" in run.errors, run.errors)


@test
def an_unaligned_load_is_a_crash():
    run = Run([f"peek {DRAM + 2:x}"])
    same(run.status, CRASH)
    true("LoadStoreAlignment" in run.errors, run.errors)


@test
def a_rom_function_that_is_not_there_is_a_crash_that_names_it():
    run = Run(["call 40005c50"])
    same(run.status, CRASH)
    true("0x40005c50" in run.errors and "no function here" in run.errors, run.errors)


@test
def a_program_that_hangs_runs_into_the_timeout():
    same(Run(["spin ffffff"], "--timeout", 1).status, TIMEOUT)


@test
def a_flash_file_of_no_chip_size_is_refused():
    for size in (MEGABYTE + SECTOR, 256 * 1024, 32 * MEGABYTE):
        same(Run([], flash=flash_file(size)).status, BROKEN, size)
    same(Run([], flash=scratch() / "absent").status, BROKEN, "no file")


@test
def an_unknown_tear_is_refused():
    for cut in ("1:torn", "x", "1x", ""):
        same(Run([], f"--cut={cut}").status, BROKEN, cut)


# ---- NOR flash

@test
def programming_only_clears_bits():
    run = Run(["unlock", f"write {FREE:x} f0f0f0f0", f"write {FREE:x} ff00ff0f", f"read {FREE:x} 4"])
    same(run.last(), "f000f000 0")
    same(run.at(FREE, 8), bytes.fromhex("00f000f0ffffffff"))


@test
def a_sector_erase_sets_its_4096_bytes_and_no_others():
    commands = ["unlock"] + [f"write {a:x} 0" for a in (FREE - 4, FREE, FREE + SECTOR - 4, FREE + SECTOR)]
    run = Run(commands + [f"erase {FREE // SECTOR:x}"])
    same(run.at(FREE - 4, SECTOR + 8), b"\0" * 4 + b"\xff" * SECTOR + b"\0" * 4)


@test
def a_block_erase_sets_its_65536_bytes_and_no_others():
    commands = ["unlock"] + [f"write {a:x} 0" for a in (FREE - 4, FREE, FREE + BLOCK - 4, FREE + BLOCK)]
    run = Run(commands + [f"erase_block {FREE // BLOCK:x}"])
    same(run.at(FREE - 4, BLOCK + 8), b"\0" * 4 + b"\xff" * BLOCK + b"\0" * 4)


@test
def an_area_is_erased_by_blocks_where_whole_ones_are():
    run = Run(["unlock", f"erase_area {FREE - SECTOR:x} {BLOCK + 2 * SECTOR:x}"])
    same(run.log, [f"0 sector 0x{FREE - SECTOR:06x} 4096", f"1 block 0x{FREE:06x} 65536",
                   f"2 sector 0x{FREE + BLOCK:06x} 4096"])


@test
def a_write_is_one_operation_for_each_page_it_meets():
    run = Run(["unlock", f"fill {FREE + 0xF8:x} 110 5a5a5a5a"])
    same(run.log, [f"0 page 0x{FREE + 0xF8:06x} 8", f"1 page 0x{FREE + 0x100:06x} 256", f"2 page 0x{FREE + 0x200:06x} 8"])
    same(run.at(FREE + 0xF4, 0x118), b"\xff" * 4 + b"\x5a" * 0x110 + b"\xff" * 4)


@test
def operations_bytes_and_time_are_counted():
    run = Run(["unlock", f"erase {FREE // SECTOR:x}", f"erase_block {FREE // BLOCK:x}", f"fill {FREE:x} 100 0",
               f"write {FREE + 0x100:x} 0", f"read {FREE:x} 40", "reset"])
    boot = Run(["reset"]).stats["bytes_read"]
    counts = {k: run.stats[k] for k in ("operations", "sector_erases", "block_erases", "page_programs", "resets")}
    same(counts, {"operations": 4, "sector_erases": 1, "block_erases": 1, "page_programs": 2, "resets": 1})
    same(run.stats["bytes_read"], boot + 0x40)
    microseconds = 45000 + 150000 + 400 + (30 + 3 * 2.5) + run.stats["bytes_read"] * 0.4
    true(abs(run.stats["flash_seconds"] * 1e6 - microseconds) <= 1, (run.stats, microseconds))


@test
def unaligned_flash_calls_are_errors_and_change_nothing():
    commands = ["raw_read 40002 0 8", "raw_read 40000 2 8", "raw_read 40000 0 6",
                "raw_write 40001 0 8", "raw_write 40000 1 8", "raw_write 40000 0 7"]
    run = Run(["unlock", "raw_read 40000 0 8", "raw_write 40000 0 8"] + commands)
    same(run.answers, ["0", "0", "0"] + ["1"] * 6)
    same(run.stats["operations"], 1)


@test
def flash_calls_beyond_the_chip_are_errors():
    commands = ["read 3ffffc 8", "read ffffffc0 40", "fill 400000 4 0", "erase 400", "erase_block 40", "erase_area 3ff000 2000"]
    run = Run(["unlock", "read 3ffff8 8", "erase 3ff"] + commands)
    same(run.answers, ["0", "ffffffff ffffffff 0", "0"] + ["1"] * 6)
    same(run.stats["operations"], 1)


@test
def the_limit_is_the_headers_and_addresses_wrap_at_the_chips():
    segments, entry, _ = monitor()
    small_chip = flash_file(MEGABYTE, boot=image(segments, entry, 4))
    run = Run(["unlock", f"write {MEGABYTE + FREE:x} 12345678", f"read {FREE:x} 4"], flash=small_chip)
    same(run.last(), "12345678 0", "wraps")
    large_chip = flash_file(4 * MEGABYTE, boot=image(segments, entry, 2))
    same(Run([f"read {MEGABYTE:x} 4"], flash=large_chip).last(), "1", "refuses")


@test
def a_protected_chip_ignores_commands_and_says_so():
    for commands in ([], ["unlock", "lock"]):
        run = Run(commands + [f"write {FREE:x} 0", f"erase {FREE // SECTOR:x}"])
        same((run.last(), run.stats["operations"]), ("0", 0))
        true("write-protected" in run.errors, run.errors)


# ---- power cuts

ERASE = f"erase {FREE // SECTOR:x}"


def cut_erase(tear, number=1, size=SECTOR):
    """The area afterwards, when its erase (operation `number`) was cut."""
    path = flash_file()
    content = bytearray(path.read_bytes())
    content[FREE:FREE + size] = b"\x55" * size
    path.write_bytes(content)
    command = ERASE if size == SECTOR else f"erase_block {FREE // BLOCK:x}"
    run = Run(["unlock"] + [f"write {FREE + 0x20000:x} 0"] * number + [command, "exit 7"], f"--cut={number}:{tear}", flash=path)
    same(run.status, CUT, tear)
    same(run.log[-1].endswith(" cut"), True, run.log)
    same(run.stats["operations"], number)
    rest = run.at(FREE + size, 16)
    same(rest, b"\xff" * 16, "beyond the area")
    return run.at(FREE, size)


def cut_program(tear, number=1, data=0x0F0F0F0F):
    path = flash_file()
    run = Run(["unlock"] + [f"write {FREE + 0x20000:x} 0"] * number + [f"fill {FREE:x} 100 {data:x}", "exit 7"],
              f"--cut={number}:{tear}", flash=path)
    same(run.status, CUT, tear)
    same(run.stats["operations"], number)
    same(run.at(FREE + PAGE, 16), b"\xff" * 16, "beyond the page")
    return run.at(FREE, PAGE)


def is_split(data, first, second):
    """Whether data is some of `first`, then some of `second`, both present."""
    size = len(data) - len(data.lstrip(first))
    return 0 < size < len(data) and data[size:] == second * (len(data) - size)


@test
def a_cut_erase_is_torn_as_asked():
    for size in (SECTOR, BLOCK):
        same(cut_erase("before", size=size), b"\x55" * size, "before")
        same(cut_erase("none", size=size), b"\x55" * size, "none")
        same(cut_erase("after", size=size), b"\xff" * size, "after")
        same(cut_erase("half", size=size), b"\xff" * (size // 2) + b"\x55" * (size // 2), "half")
        same(cut_erase("zero", size=size), b"\0" * size, "zero")
        for tear in ("prefix", "partial"):
            true(is_split(cut_erase(tear, size=size), b"\xff", b"\x55"), tear)
        true(is_split(cut_erase("suffix", size=size), b"\x55", b"\xff"), "suffix")
        stray = cut_erase("stray", size=size)
        same(sum(8 - b.bit_count() for b in stray), 1, "stray: zero bits")
        noise = cut_erase("random", size=size)
        true(0.45 < sum(b.bit_count() for b in noise) / size / 8 < 0.55 and len(set(noise)) > 200, "random")


@test
def a_cut_program_is_torn_as_asked():
    same(cut_program("before"), b"\xff" * PAGE, "before")
    same(cut_program("none"), b"\xff" * PAGE, "none")
    same(cut_program("after"), b"\x0f" * PAGE, "after")
    same(cut_program("half"), b"\x0f" * 128 + b"\xff" * 128, "half")
    same(cut_program("zero"), b"\x0f" * PAGE, "zero")
    for tear in ("prefix", "partial"):
        true(is_split(cut_program(tear), b"\x0f", b"\xff"), tear)
    true(is_split(cut_program("suffix"), b"\xff", b"\x0f"), "suffix")
    stray = cut_program("stray")
    same(sum((b ^ 0x0F).bit_count() for b in stray), 1, "stray: bits not cleared")
    noise = cut_program("random")
    true(all(b & 0x0F == 0x0F for b in noise), "random: only what was to be cleared is")
    true(0.4 < sum(b.bit_count() - 4 for b in noise) / PAGE / 4 < 0.6, "random: half of it")


@test
def a_tear_depends_on_the_operations_number_and_on_nothing_else():
    for tear in ("prefix", "random", "stray"):
        same(cut_erase(tear, 3), cut_erase(tear, 3), tear)
        true(cut_erase(tear, 3) != cut_erase(tear, 4), f"{tear}: 3 and 4 are alike")


@test
def every_operation_can_be_cut_with_every_tear():
    script = ["unlock", ERASE, f"fill {FREE + 0x80:x} 100 0", f"erase_block {FREE // BLOCK:x}"]
    for tear in TEARS:
        for number in range(5):
            run = Run(script + ["exit 7"], f"--cut={number}:{tear}")
            same(run.status, CUT if number < 4 else 7, f"{number}:{tear}")
            same(len(run.log), min(number + 1, 4), f"{number}:{tear}")


@test
def operations_are_numbered_on_through_a_reset():
    run = Run(["unlock", ERASE, "reset", ERASE, ERASE], "--cut", 2)
    same((run.status, run.stats["operations"], run.stats["resets"]), (CUT, 2, 1))


@test
def flash_is_written_through_at_each_operation():
    run = Run(["unlock", f"write {FREE:x} 11111111", f"write {FREE + 4:x} 22222222", "peek 20000000"])
    same((run.status, run.at(FREE, 8)), (CRASH, bytes.fromhex("1111111122222222")))


# ---- reset, RTC memory, watchdog

@test
def rtc_memory_survives_a_reset_and_not_the_power():
    path = flash_file()
    run = Run(["poke 60001200 c0ffee", "reset", "peek 60001200", "cause"], flash=path)
    same(run.answers[-2:], ["c0ffee", "2"])
    again = Run(["peek 60001200", "cause"], flash=path)
    true(again.answers[0] != "c0ffee", again.answers)
    same(again.answers[1], "1")


@test
def dram_survives_a_reset_but_for_what_the_image_loads():
    run = Run(["poke 3fff8000 c0ffee", f"poke {IRAM + 0x7000:x} 12345678", "reset", "peek 3fff8000", f"peek {IRAM + 0x7000:x}"])
    same(run.answers[-2:], ["c0ffee", "12345678"])


@test
def memory_is_not_zero_at_power_on():
    run = Run(["peek 3fff8000", "peek 3fff8004", f"peek {IRAM + 0x7000:x}", "peek 60001300"])
    true(all(a != "0" for a in run.answers) and len(set(run.answers)) == 4, run.answers)


@test
def a_jump_to_the_reset_vector_is_a_reset():
    for address in ("40000080", "50000000"):
        run = Run([f"call {address}", "cause"])
        same((run.last(), run.stats["resets"]), ("2", 1), address)


@test
def the_watchdog_is_off_at_power_on_and_on_after_a_reset():
    run = Run(["spin 1388"], "--icount")
    same((run.status, run.stats["watchdog_bites"]), (0, 0), "power-on")
    run = Run(["reset", "spin bb8", "cause"], "--icount")
    same((run.last(), run.stats["watchdog_bites"]), ("2", 0), "3.0 s")
    run = Run(["reset", "spin 1388", "cause"], "--icount")
    same((run.last(), run.stats["watchdog_bites"], run.stats["resets"]), ("4", 1, 2), "5.0 s")


@test
def the_watchdog_does_not_bite_when_fed_or_disabled():
    same(Run(["reset", "spin_fed 1388"], "--icount").stats["watchdog_bites"], 0, "fed")
    same(Run(["reset", "nowdt", "spin 1388"], "--icount").stats["watchdog_bites"], 0, "disabled")


@test
def the_watchdog_bites_after_the_time_it_was_given():
    for stage, ms in ((8, 838), (10, 3355)):
        for spin, bites in ((ms * 9 // 10, 0), (ms * 13 // 10 + 100, 1)):
            run = Run([f"wdt 4 {stage:x} {stage:x}", f"spin {spin:x}"], "--icount")
            same(run.stats["watchdog_bites"], bites, f"stage {stage}, {spin} ms")


@test
def the_time_of_flash_operations_counts_for_the_watchdog():
    eighty = ["unlock", "wdt 4 a a"] + [ERASE] * 80  # 80 * 45 ms
    same(Run(eighty, "--icount").stats["watchdog_bites"], 1, "80 erases")
    same(Run(eighty[:60], "--icount").stats["watchdog_bites"], 0, "58 erases")


@test
def with_interrupts_shut_the_watchdog_bites_in_the_next_rom_call():
    run = Run(["wdt 4 8 8", "spin_locked 7d0", "cause"], "--icount")
    same((run.last(), run.stats["watchdog_bites"]), ("4", 1))


# ---- the flash window

ON = "cache 0 0 1"

@test
def the_window_shows_flash_while_the_cache_is_on():
    run = Run(["unlock", f"write {FREE:x} 12345678", "cache 0 0 1", f"peek {WINDOW + FREE:x}", "flash"])
    same(run.answers[-2:], ["12345678", "2a"])


@test
def the_window_is_poison_while_the_cache_is_off():
    commands = [f"peek {WINDOW + FREE:x}", "cache 0 0 1", f"peek {WINDOW + FREE:x}", "nocache", f"peek {WINDOW + FREE:x}"]
    same(Run(commands).answers[::2], ["f06df06d", "ffffffff", "f06df06d"])
    same(Run(["cache 0 0 1", "reset", f"peek {WINDOW + FREE:x}"]).last(), "f06df06d", "after a reset")
    run = Run(["flash"])
    same(run.status, CRASH)
    true("in the flash window" in run.errors, run.errors)


@test
def how_often_the_window_is_poisoned_can_be_chosen():
    again = [ON, "nocache"] * 6 + [f"peek {WINDOW + FREE:x}"]
    same(Run(again, "--poison=always").last(), "f06df06d", "always")
    same(Run(again).last(), "ffffffff", "by default no more the sixth time")
    same(Run(again[-5:]).last(), "f06df06d", "by default the second time")
    same(Run(again[-3:], "--poison=boot").last(), "ffffffff", "at a reset only")
    same(Run(again[-1:], "--poison=boot").last(), "f06df06d", "at a reset")


@test
def code_in_flash_that_switches_the_cache_off_crashes():
    run = Run(["cache 0 0 1", "flash", "saw", "flash"])
    same((run.status, run.answers[1]), (CRASH, "2a"))


@test
def the_window_follows_operations():
    for options in ([], ["--poison=boot"]):
        run = Run(["unlock", "cache 0 0 1", "nocache", f"write {FREE:x} 12345678", "cache 0 0 1", f"peek {WINDOW + FREE:x}",
                   "nocache", ERASE, "cache 0 0 1", f"peek {WINDOW + FREE:x}"], *options)
        same((run.answers[5], run.answers[9]), ("12345678", "ffffffff"), options)


@test
def the_window_shows_the_megabyte_that_was_asked_for():
    path = flash_file()
    content = bytearray(path.read_bytes())
    for i in range(4):
        content[i * MEGABYTE + FREE] = i
    path.write_bytes(content)
    for odd, pair in ((0, 0), (1, 0), (0, 1), (1, 1)):
        same(Run([f"cache {odd} {pair} 1", f"peek {WINDOW + FREE:x}"], flash=path).last(), f"ffffff0{odd + 2 * pair}")


@test
def a_small_chip_repeats_in_the_window():
    run = Run(["unlock", f"write {FREE:x} 12345678", "cache 0 0 1", f"peek {WINDOW + FREE + MEGABYTE // 2:x}"],
              flash=flash_file(MEGABYTE // 2))
    same(run.last(), "12345678")


@test
def the_cache_takes_its_iram():
    for is_32k, kept, lost in ((0, 0x4010BFF0, 0x4010C000), (1, 0x40107FF0, 0x40108000)):
        run = Run([f"poke {kept:x} 1", f"poke {lost:x} 1", f"cache 0 0 {is_32k}", f"peek {kept:x}", f"peek {lost:x}"])
        same(run.answers[-2:], ["1", "f06df06d"])


# ---- the plugin

def reports(commands, *, expect):
    run = Run(commands, "--plugin")
    same(len(re.findall("^vboard: report: ", run.errors, re.M)), expect, (commands, run.errors))
    same(run.status, REPORT if expect else 0, commands)
    return run.errors



@test
def the_plugin_says_nothing_about_a_clean_program():
    reports(["unlock", ERASE, f"fill {FREE:x} 200 5a5a5a5a", f"read {FREE:x} 80", "md5 1 2 3", ON, "flash",
             f"peek {WINDOW + FREE:x}", f"copy {WINDOW + FREE:x} 8", f"poke {IRAM + 0x7000:x} 1", "peek8 3fff8000",
             "poke8 3fff8001 1", "nocache", ERASE, f"poke {IRAM + 0x8000:x} 1", "reset", ON, "flash", "spin 1"], expect=0)


@test
def the_plugin_reports_narrow_loads_from_mapped_flash():
    for width in (8, 16):
        errors = reports([ON, f"peek{width} {WINDOW + FREE + 2:x}"], expect=1)
        true(re.search(rf"{width}-bit load from 0x{WINDOW + FREE + 2:x} at pc 0x4010", errors), errors)


@test
def the_plugin_reports_narrow_loads_and_stores_in_iram():
    true("8-bit load from 0x40107001" in reports([f"peek8 {IRAM + 0x7001:x}"], expect=1), "load")
    true("8-bit store to 0x40107001" in reports([f"poke8 {IRAM + 0x7001:x} 1"], expect=1), "store")


@test
def the_plugin_reports_each_instruction_once():
    reports([ON, f"peek8 {WINDOW:x}", f"peek8 {WINDOW + 1:x}", f"peek16 {WINDOW:x}"], expect=2)


@test
def the_plugin_reports_a_rom_function_that_is_given_odd_flash():
    errors = reports([ON, f"copy {WINDOW + FREE:x} 7"], expect=1)
    true("ROM, called near 0x4010" in errors, errors)


@test
def the_plugin_reports_stores_to_flash_and_rom():
    true("cannot be written" in reports([ON, f"poke {WINDOW + FREE:x} 1"], expect=1), "flash")
    true("cannot be written" in reports(["poke 40000a00 1"], expect=1), "ROM")


@test
def the_plugin_reports_loads_and_fetches_while_the_cache_is_off():
    errors = reports([f"peek {WINDOW + FREE:x}"], expect=1)
    true("cache is off" in errors, errors)
    run = Run([ON, "saw"], "--plugin", "--poison=boot")
    true(re.search(r"fetch from 0x402100[0-9a-f]+ .*cache is off", run.errors), run.errors)
    same(run.status, REPORT)


@test
def the_plugin_reports_flash_commands_while_the_cache_is_on():
    true("cache is on" in reports([ON, f"read {FREE:x} 4"], expect=1), "read")


@test
def the_plugin_reports_use_of_the_iram_that_the_cache_has():
    true("taken this IRAM" in reports([ON, "peek 40108000"], expect=1), "32 KB")
    reports(["cache 0 0 0", "peek 40108000"], expect=0)
    reports(["cache 0 0 0", "poke 4010c000 1"], expect=1)


@test
def the_plugin_reports_memory_that_the_chip_does_not_have():
    reports(["peek 40110000"], expect=1)
    reports(["peek 3ffe7ffc"], expect=1)


@test
def the_plugin_reports_a_fetch_from_data_ram():
    run = Run(["poke 3fff8000 f00d", "call 3fff8000"], "--plugin")  # ret.n
    same(run.status, REPORT)
    true("fetch from 0x3fff8000" in run.errors, run.errors)


# ---- repeatability, and the ROM's arithmetic and text

@test
def runs_under_icount_repeat_to_the_instruction():
    commands = ["unlock", ERASE, ON, "flash", "call 4000dd38", "reset", "call 4000dd38"]
    first, second = Run(commands, "--icount"), Run(commands, "--icount")
    same(first.answers, second.answers)
    true(first.answers[4] != first.answers[6], "the counter does not move")


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
    subprocess.run([CC, "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-I", BOARD / "rom", "-include", HERE / "names.h",
                    HERE / "float_host.c", BOARD / "rom/float.c", BOARD / "rom/integer.c", "-lm", "-o", binary], check=True)
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
def ets_printf_prints_as_the_roms():
    same(Run(["print 2a"]).last(), "[  -42|42   |0002a|2A|text|c|%] 0")


# ---- vboard/run: code for MicroPython's REPL, text to wait for, a terminal

def repl_flash():
    segments, entry, _ = program("repl")
    return flash_file(boot=image(segments, entry))


@test
def exec_prints_what_the_code_prints_and_switches_off():
    run = Run([], "--exec", "x = 1", flash=repl_flash())
    same((run.status, run.output, run.errors), (0, "x = 1\r\n", ""))
    true(run.stats["status"] == 0, run.stats)


@test
def script_is_exec_from_a_file():
    path = scratch() / "script.py"
    path.write_text("line 1\nline 2\n")
    same(Run([], "--script", path, flash=repl_flash()).output, "line 1\nline 2\n\r\n")


@test
def exec_of_code_that_raises_has_status_1_and_shows_the_error():
    run = Run([], "--exec", "raise", flash=repl_flash())
    same((run.status, run.output, run.errors), (1, "before\r\n", "Traceback: it raised\r\n"))


@test
def exec_of_code_that_resets_goes_on_to_the_next_prompt():
    run = Run([], "--exec", "reset", flash=repl_flash())
    same((run.status, run.stats["resets"]), (0, 1))
    true(re.fullmatch(r"resetting.*rst cause:2.*banner\r\n>>> ", run.output, re.S), run.output)


@test
def exec_of_code_that_hangs_runs_into_the_timeout():
    same(Run([], "--exec", "hang", "--timeout", 1, flash=repl_flash()).status, TIMEOUT)


@test
def exec_on_a_brick_has_the_bricks_status():
    same(Run([], "--exec", "x", flash=flash_file(boot=b"")).status, BRICK)


@test
def until_switches_off_when_the_text_has_come():
    run = Run([], "--until", "banner", flash=repl_flash())
    same(run.status, 0)
    true("banner" in run.output and run.stats["status"] == 0, run.output)


@test
def a_terminal_is_connected_to_the_uart_and_restored():
    board_side, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    process = subprocess.Popen([BOARD / "run", flash_file()], stdin=terminal, stdout=terminal, stderr=subprocess.PIPE,
                               env=ENVIRONMENT)
    text = b""
    while b"csum" not in text:
        text += os.read(board_side, 4096)
    true(not termios.tcgetattr(terminal)[3] & termios.ICANON, "the terminal is not raw")
    os.write(board_side, b"cause\n")
    while b"> cause: 1" not in text:
        text += os.read(board_side, 4096)
    os.write(board_side, b"\x1d")
    same(process.wait(timeout=10), 0)
    same(termios.tcgetattr(terminal), before, "the terminal's settings")
    process.stderr.close()
    os.close(board_side)
    os.close(terminal)


def outcome(function):
    """None if the test passes, why it is skipped, or the failure."""
    THREAD.directory = WORK / function.__name__
    THREAD.directory.mkdir()
    try:
        return function()
    except Exception as error:  # any of them is a failure of this test, and the others still count
        return error
    finally:
        for path in THREAD.directory.iterdir():
            path.unlink()


def main():
    wanted = sys.argv[1:]
    tests = [t for t in TESTS if not wanted or t.__name__ in wanted]
    program("monitor")
    program("repl")
    print(f"1..{len(tests)}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (function, result) in enumerate(zip(tests, pool.map(outcome, tests)), 1):
            name = function.__name__.replace("_", " ")
            if isinstance(result, Exception):
                failed += 1
                print(f"not ok {number} - {name}")
                for line in f"{type(result).__name__}: {result}".splitlines():
                    print(f"# {line}")
            else:
                print(f"ok {number} - {name}" + (f" # SKIP {result}" if result else ""), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
