"""Booting, and the ways a run ends."""
import re

from rig import (
    BLOCK, BRICK, BROKEN, CRASH, DRAM, flash_file, FLASHCHIP, image, IRAM, MEGABYTE, monitor, PAGE, Run, same,
    scratch, SECTOR, test, TIMEOUT, true,
)


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
    true("magic" in run.errors and "the ROM hangs" in run.errors, run.errors)
    true(run.output.endswith("ets_main.c "), run.output)


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
    true("checksum" in run.errors and "the ROM hangs" in run.errors, run.errors)
    true(run.output.replace("\r", "").endswith("csum err\nets_main.c "), run.output)


@test
def one_flipped_bit_in_a_segment_is_a_brick():
    path = flash_file()
    content = bytearray(path.read_bytes())
    content[100] ^= 4
    path.write_bytes(content)
    same(Run([], flash=path).status, BRICK)


@test
def an_image_without_segments_is_entered_unchecked():
    segments, entry, _ = monitor()
    status = Run([], flash=flash_file(boot=image([], IRAM + 0x8000, checksum=1))).status
    same(status, CRASH, "none: what RAM comes up with is run")
    seventeen = segments + [(DRAM + 0x8000, b"1234")] * 15
    same(Run([], flash=flash_file(boot=image(seventeen, entry))).status, 0, "the ROM counts them to 255")


@test
def a_segment_outside_of_ram_is_a_brick():
    segments, entry, _ = monitor()
    for address, expected in ((0x40110000 - 4, 0), (0x40110000, BRICK), (0x3FFFC000 - 4, 0), (0x3FFFC000, BRICK),
                              (0x3FFE7FFC, BRICK), (0x40200000, BRICK), (0xFFFFFFFC, BRICK)):
        run = Run([], flash=flash_file(boot=image(segments + [(address, b"1234")], entry)))
        same(run.status, expected, hex(address))


@test
def flashchip_is_the_roms_whatever_the_header_says():
    segments, entry, _ = monitor()
    for nibble in (0, 2, 4, 9):
        run = Run([f"peek {FLASHCHIP + i:x}" for i in (0, 4, 8, 12, 16, 20, 24)],
                  flash=flash_file(boot=image(segments, entry, nibble)))
        same([int(a, 16) for a in run.answers], [FLASHCHIP + 4, 0x1640EF, 4 * MEGABYTE, BLOCK, SECTOR, PAGE, 0xFFFF], nibble)
    run = Run([f"poke {FLASHCHIP + 8:x} {MEGABYTE:x}", "reset", f"peek {FLASHCHIP + 8:x}"])
    same(run.last(), f"{4 * MEGABYTE:x}", "and after a reset again")


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
def no_byte_is_lost_of_much_input():
    run = Run([f"peek 3fff8000 {i:x}" for i in range(20000)], "--timeout", 60)
    same((run.status, len(run.answers), len(set(run.answers))), (0, 20000, 1))


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
