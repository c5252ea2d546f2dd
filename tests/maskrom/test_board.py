#!/usr/bin/env python3
"""maskrom/ itself, on a small ROM of our own: instructions, what the chip does not allow, the flash chip, resets. As TAP.

    tests/maskrom/test_board.py MOLT [WORD]     (MOLT is not used; LX106 is the prefix of the cross compiler)
"""

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from board import CRASHES, CUT, HANGS, NOT_SET_UP, power_on
from rig import KB, TEARS, check, main, test

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CROSS = os.environ.get("LX106", "xtensa-lx106-elf-")
SCRATCH = tempfile.TemporaryDirectory(prefix="molt-probe-")
DONE = 0x40000040


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    check(done.returncode == 0, *command, done.stderr)
    return done.stdout


@functools.cache
def probe():
    folder = Path(SCRATCH.name)
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-jump-tables", "-fno-tree-switch-conversion",
             "-mlongcalls", "-mtext-section-literals", "-I", HERE, "-I", ROOT]
    objects = []
    for path in (HERE / "probe_start.S", HERE / "probe.c", HERE / "probe_sums.c", ROOT / "ports/esp8266/rom_calls.S"):
        objects.append(folder / (path.stem + ".o"))
        run(CROSS + "gcc", *flags, "-O2", "-c", path, "-o", objects[-1])
    run(CROSS + "gcc", "-nostdlib", "-T", HERE / "probe.ld", *objects, "-lgcc", "-o", folder / "probe.elf")
    run(CROSS + "objcopy", "-O", "binary", "-j", ".text", folder / "probe.elf", folder / "probe.bin")
    rom = folder / "rom.bin"
    rom.write_bytes((folder / "probe.bin").read_bytes().ljust(64 * KB, b"\xff"))
    return rom


def board(folder, what, *options, status=0, chip_bytes=b"\x11"):
    flash = folder / "flash.bin"
    flash.write_bytes((what.encode() + bytes(15) + chip_bytes * (512 * KB))[:512 * KB])
    result = power_on(probe(), flash, "--until", DONE, "--limit", 100, *options)
    check(result.status == status, "status", result.status, result.err, result.out)
    return result


@test
def every_instruction_gives_what_the_host_computes(folder):
    program = folder / "sums"
    run(os.environ.get("CC", "cc"), "-O1", "-fwrapv", HERE / "probe_host.c", HERE / "probe_sums.c", "-o", program)
    result = board(folder, "s")
    check(result.out == run(program), result.out, "instead of", run(program))
    print("# %d instructions" % result.stats["instructions"])


@test
def what_the_chip_does_not_take_is_an_exception(folder):
    result = board(folder, "e")
    # Bytes and half words in IRAM and ROM; unaligned words; nothing there, ROM, mapped flash; bytes of a register; SYSCALL.
    check(result.out == "12345678 12345678 :3 3 3 3 9 9 1c 1d 1c 1c 1 ", result.out)
    check(result.stats["exceptions"] == 11, result.stats)


@test
def an_instruction_that_the_cpu_has_not_stops_it(folder):
    result = board(folder, "u", status=CRASHES)
    check("the instruction 000004 at 0x4000" in result.err, result.err)
    check("WAITI" in board(folder, "?", status=HANGS).err, "waiting for ever")


@test
def programming_clears_bits_and_erasing_sets_them_in_their_range_only(folder):
    result = board(folder, "b")
    check(result.out == "ffffffff ff000f0 11111111 11111111 ffffffff 11111111 1640ef ", result.out)
    check([op[:3] for op in result.ops] == [("sector", 0x5000, 4096), ("page", 0x5000, 4), ("page", 0x5000, 4),
                                            ("block", 0x10000, 65536)], result.ops)
    check(result.stats["faults"] == 0 and 0.25 < result.stats["seconds"] < 0.3, result.stats)


@test
def commands_that_a_chip_ignores_are_faults(folder):
    result = board(folder, "f")
    check(result.out == "11111111 1 11111111 ", result.out)
    check(result.stats["faults"] == 4 and "without a write enable" in result.err, result.stats, result.err)
    check(len(result.ops) == 1, result.ops)


@test
def reads_by_four_lines_are_noise_until_the_chip_is_told(folder):
    for chip, wanted, noise in (("w25q", "0 2 1 2 0 ", 1), ("w25q-old", "0 2 1 0 0 ", 1), ("gd25q-c", "1 2 1 2 0 ", 0),
                                ("mx25l", "1 0 0 0 0 ", 1), ("plain", "1 0 1 0 0 ", 0)):
        result = board(folder, "q", "--chip", chip)
        (folder / "flash.bin.status").unlink()
        check(result.out == wanted and result.stats["noisy_reads"] == noise, chip, result.out, result.stats["noisy_reads"])


@test
def status_registers_outlast_the_power(folder):
    board(folder, "q")
    check((folder / "flash.bin.status").read_text() == "0200\n", "in their file")
    check(board(folder, "q").out.startswith("1 "), "four lines from the beginning")


@test
def the_watchdog_bites_who_does_not_feed_it_and_ram_outlasts_it(folder):
    # 51 ms; fed for 300 ms, then no longer.
    result = board(folder, "r")
    check(result.out == "1 f4 cafe 0 2 cafe 0 ", result.out)
    check(result.stats["watchdog_bites"] == 1 and result.stats["resets"] == 2, result.stats)


@test
def a_power_cut_tears_one_operation_and_nothing_else(folder):
    for tear in TEARS:
        result = board(folder, "b", "--cut", f"0:{tear}", status=CUT)
        flash = (folder / "flash.bin").read_bytes()
        sector = flash[0x5000:0x6000]
        check(flash[16:0x5000] == b"\x11" * 0x4ff0 and flash[0x6000:] == b"\x11" * (512 * KB - 0x6000), tear, "outside")
        new, old = b"\xff" * 2048, b"\x11" * 2048
        wanted = {"before": old + old, "after": new + new, "prefix": new + old, "suffix": old + new, "zero": bytes(4096)}
        if tear in wanted:
            check(sector == wanted[tear], tear)
        elif tear == "stray":
            check(sum(bin(0xff ^ byte).count("1") for byte in sector) == 1, tear)
        else:
            check(all(byte & 0x11 == 0x11 for byte in sector) and 200 < len(set(sector)) + 200 < 300, tear, set(sector))
            check(set(sector) - {0x11, 0xff}, tear)
        check(len(result.ops) == 1 and result.ops[0][3], "nothing after it", result.ops)


@test
def a_dump_of_the_wrong_size_is_refused_with_a_sentence(folder):
    (folder / "short").write_bytes(bytes(1000))
    (folder / "flash").write_bytes(bytes(512 * KB))
    done = subprocess.run([os.environ["MASKROM_BOARD"], folder / "short", folder / "flash"], capture_output=True, text=True, check=False)
    check(done.returncode == NOT_SET_UP and "esptool dump_mem" in done.stderr, done.returncode, done.stderr)


@test
def what_the_rom_returns_for_a_failure_is_an_error_of_flash_to_the_boot_loaders(folder):
    # Of each result of the ROM's function: what is made of it, which function it was, and what it was called with.
    wanted = ""
    for result in ("0", "fffffffb", "fffffffb"):
        wanted += f"{result} 1 1000 3ffe9000 40 {result} 2 2000 3ffe9000 80 {result} 3 5 {result} 4 3 "
    check(board(folder, "c").out == wanted, board(folder, "c").out)


if __name__ == "__main__":
    sys.exit(main())
