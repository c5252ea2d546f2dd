"""The NOR flash chip, its ROM functions, and power cuts."""

from rig import (
    BLOCK, CRASH, CUT, DIO, DOUT, ERASE, flash_file, flash_file_of, FLASHCHIP, FREE, image, MEGABYTE, monitor, PIECE, QIO, QOUT, Run,
    same, SECTOR, TEARS, test, true,
)


# ---- NOR flash

@test
def programming_only_clears_bits():
    run = Run([f"write {FREE:x} f0f0f0f0", f"write {FREE:x} ff00ff0f", f"read {FREE:x} 4"])
    same(run.last(), "f000f000 0")
    same(run.at(FREE, 8), bytes.fromhex("00f000f0ffffffff"))


@test
def a_sector_erase_sets_its_4096_bytes_and_no_others():
    commands = [f"write {a:x} 0" for a in (FREE - 4, FREE, FREE + SECTOR - 4, FREE + SECTOR)]
    run = Run(commands + [f"erase {FREE // SECTOR:x}"])
    same(run.at(FREE - 4, SECTOR + 8), b"\0" * 4 + b"\xff" * SECTOR + b"\0" * 4)


@test
def a_block_erase_sets_its_65536_bytes_and_no_others():
    commands = [f"write {a:x} 0" for a in (FREE - 4, FREE, FREE + BLOCK - 4, FREE + BLOCK)]
    run = Run(commands + [f"erase_block {FREE // BLOCK:x}"])
    same(run.at(FREE - 4, BLOCK + 8), b"\0" * 4 + b"\xff" * BLOCK + b"\0" * 4)


@test
def an_area_is_erased_as_the_mask_rom_has_it_with_more_than_was_asked_for():
    run = Run([f"erase_area {FREE:x} {2 * SECTOR:x}"])
    same(run.log, [f"{i} sector 0x{FREE + i * SECTOR:06x} 4096" for i in range(4)], "two sectors, and two more")
    run = Run([f"erase_area {FREE - SECTOR:x} {BLOCK + 2 * SECTOR:x}"])
    same(run.log[:2], [f"0 sector 0x{FREE - SECTOR:06x} 4096", f"1 block 0x{FREE:06x} 65536"])
    same(len(run.log), 4, "one sector, a block, and two sectors where one was left")
    same(Run([f"erase_area {FREE + 4:x} 1000"]).last(), "1", "not a sector's beginning")


@test
def the_whole_chip_can_be_erased():
    run = Run(["call 40004984"])
    same(run.log, [f"0 chip 0x000000 {4 * MEGABYTE}"])
    same(run.at(0, 4 * MEGABYTE).count(0xFF), 4 * MEGABYTE)
    true(run.stats["flash_seconds"] > 10, run.stats)


@test
def a_write_is_one_operation_for_each_32_bytes_of_each_page():
    run = Run([f"fill {FREE + 0xE8:x} 118 5a5a5a5a"])
    pieces = [(0xE8, 24)] + [(0x100 + i * PIECE, PIECE) for i in range(8)]
    same(run.log, [f"{i} page 0x{FREE + at:06x} {size}" for i, (at, size) in enumerate(pieces)])
    same(run.at(FREE + 0xE4, 0x120), b"\xff" * 4 + b"\x5a" * 0x118 + b"\xff" * 4)
    run = Run([f"fill {FREE + 0xF0:x} 28 5a5a5a5a"])
    same(run.log, [f"0 page 0x{FREE + 0xF0:06x} 16", f"1 page 0x{FREE + 0x100:06x} 24"], "across the end of a page")


def clocks(size, piece, command, lines):
    """Nanoseconds of reading `size` bytes by commands of `piece` at 20 MHz."""
    return size // piece * (command + piece * 8 / lines) * 50


@test
def operations_bytes_and_time_are_counted():
    commands = [f"erase {FREE // SECTOR:x}", f"erase_block {FREE // BLOCK:x}", f"fill {FREE:x} 100 0", f"write {FREE + 0x100:x} 0"]
    run, boot = Run(commands), Run([])
    counts = {k: run.stats[k] for k in ("operations", "sector_erases", "block_erases", "page_programs", "resets")}
    same(counts, {"operations": 11, "sector_erases": 1, "block_erases": 1, "page_programs": 9, "resets": 0})
    microseconds = 45000 + 150000 + 8 * (30 + 31 * 2.5) + 30 + 3 * 2.5
    # On the lines, at 20 MHz. The status is looked at five times for an erase, four times for a program, and once for a page.
    looks, enables = 2 * 5 + 9 * 4 + 3, 11
    microseconds += (looks * 16 + enables * 8 + 2 * 32 + 8 * (32 + 256) + 32 + 32) * 0.05
    took = (run.stats["flash_seconds"] - boot.stats["flash_seconds"]) * 1e6
    true(abs(took - microseconds) <= 1, (took, microseconds))


@test
def reading_takes_as_long_as_mode_and_clock_have_it():
    for mode, command, lines in ((QIO, 20, 4), (QOUT, 40, 4), (DIO, 24, 2), (DOUT, 40, 2)):
        flash = flash_file_of(mode)
        short, long = Run([], flash=flash), Run([f"raw_read {FREE:x} 0 100"] * 64, flash=flash)
        same(long.stats["bytes_read"] - short.stats["bytes_read"], 64 * 256, mode)
        took = (long.stats["flash_seconds"] - short.stats["flash_seconds"]) * 1e9
        # Beside the reading itself, a look at the status before each, of 16 clocks.
        expected = clocks(64 * 256, PIECE, command, lines) + 64 * 16 * 50
        true(abs(took - expected) < 20000, (mode, took, expected))
        # The clock's divider is in the control register: undivided, 80 MHz.
        ctrl = Run(["peek 60000208"], flash=flash).last()
        fast = Run([f"poke 60000208 {int(ctrl, 16) | 0x1000:x}"] + [f"raw_read {FREE:x} 0 100"] * 64, flash=flash)
        quick = (fast.stats["flash_seconds"] - short.stats["flash_seconds"]) * 1e9
        true(abs(quick - expected / 4) < 20000, (mode, quick, expected / 4))


@test
def reads_check_no_alignment_and_store_whole_words():
    commands = [f"write {FREE:x} 33221100 77665544 bbaa9988 ffeeddcc", f"raw_read {FREE + 2:x} 0 4", f"raw_read {FREE:x} 0 6"]
    run = Run(commands + [f"read {FREE + 2:x} 4"])
    same(run.answers, ["0", "0", "0", "55443322 0"])
    same(Run(["raw_read 40000 2 8"]).status, CRASH, "a buffer that is not aligned is the processor's exception")


@test
def writes_check_that_they_are_of_whole_words_and_nothing_else():
    run = Run([f"write {FREE:x} ffffffff", f"raw_write {FREE:x} 0 7", f"raw_write {FREE:x} 0 2"])
    same((run.answers, run.stats["operations"]), (["0", "1", "1"], 1))
    same(Run([f"raw_write {FREE:x} 1 8"]).status, CRASH, "a buffer that is not aligned")
    run = Run([f"write {FREE + 1:x} 44332211"])
    same((run.last(), run.at(FREE, 6)), ("0", b"\xff\x11\x22\x33\x44\xff"), "an address that is not aligned")
    run = Run([f"fill {FREE + 0xF9:x} 10 0"])
    same((run.last(), run.stats["operations"]), ("1", 0), "the same across a page's end")


@test
def flash_calls_beyond_the_chip_are_errors():
    commands = ["read 3ffffc 8", "fill 400000 4 0", "erase 400", "erase_block 40", "erase_area 3ff000 2000"]
    run = Run(["read 3ffff8 8", "erase 3ff"] + commands)
    same(run.answers, ["ffffffff ffffffff 0", "0"] + ["1"] * 5)
    same(run.stats["operations"], 1)
    same(Run(["raw_read ffffffc0 0 40"]).last(), "0", "but for an end that wraps around")


@test
def the_limit_is_flashchips_and_addresses_wrap_at_the_chips():
    segments, entry, _ = monitor()
    small_chip = flash_file(MEGABYTE, boot=image(segments, entry, 2))
    run = Run([f"write {MEGABYTE + FREE:x} 12345678", f"read {FREE:x} 4"], flash=small_chip)
    same(run.last(), "12345678 0", "wraps")
    large_chip = flash_file(16 * MEGABYTE, boot=image(segments, entry, 9))
    commands = [f"read {4 * MEGABYTE:x} 4", f"poke {FLASHCHIP + 8:x} {16 * MEGABYTE:x}", f"read {4 * MEGABYTE:x} 4"]
    same(Run(commands, flash=large_chip).answers, ["1", "0", "ffffffff 0"], "4 MB until somebody sets it")


# ---- power cuts

def cut_erase(tear, number=1, size=SECTOR):
    """The area afterwards, when its erase (operation `number`) was cut."""
    path = flash_file()
    content = bytearray(path.read_bytes())
    content[FREE:FREE + size] = b"\x55" * size
    path.write_bytes(content)
    command = ERASE if size == SECTOR else f"erase_block {FREE // BLOCK:x}"
    earlier = [f"write {FREE + 0x20000:x} 0"] * number
    run = Run([*earlier, command, "exit 7"], f"--cut={number}:{tear}", flash=path)
    same(run.status, CUT, tear)
    same(run.log[-1].endswith(" cut"), True, run.log)
    same(run.stats["operations"], number)
    rest = run.at(FREE + size, 16)
    same(rest, b"\xff" * 16, "beyond the area")
    return run.at(FREE, size)


def cut_program(tear, number=1, data=0x0F0F0F0F):
    path = flash_file()
    run = Run([f"write {FREE + 0x20000:x} 0"] * number + [f"fill {FREE:x} 20 {data:x}", "exit 7"],
              f"--cut={number}:{tear}", flash=path)
    same(run.status, CUT, tear)
    same(run.stats["operations"], number)
    same(run.at(FREE + PIECE, 16), b"\xff" * 16, "beyond the command")
    return run.at(FREE, PIECE)


def is_split(data, first, second):
    """Whether data is some of `first`, then some of `second`, both present."""
    size = len(data) - len(data.lstrip(first))
    return 0 < size < len(data) and data[size:] == second * (len(data) - size)


@test
def a_cut_erase_is_torn_as_asked():
    for size in (SECTOR, BLOCK):
        same(cut_erase("before", size=size), b"\x55" * size, "before")
        same(cut_erase("after", size=size), b"\xff" * size, "after")
        same(cut_erase("prefix", size=size), b"\xff" * (size // 2) + b"\x55" * (size // 2), "prefix")
        same(cut_erase("zero", size=size), b"\0" * size, "zero")
        true(is_split(cut_erase("start", size=size), b"\xff", b"\x55"), "start")
        true(is_split(cut_erase("suffix", size=size), b"\x55", b"\xff"), "suffix")
        stray = cut_erase("stray", size=size)
        same(sum(8 - b.bit_count() for b in stray), 1, "stray: zero bits")
        noise = cut_erase("random", size=size)
        true(0.45 < sum(b.bit_count() for b in noise) / size / 8 < 0.55 and len(set(noise)) > 200, "random")


@test
def a_cut_program_is_torn_as_asked():
    same(cut_program("before"), b"\xff" * PIECE, "before")
    same(cut_program("after"), b"\x0f" * PIECE, "after")
    same(cut_program("prefix"), b"\x0f" * 16 + b"\xff" * 16, "prefix")
    same(cut_program("zero"), b"\x0f" * PIECE, "zero")
    true(is_split(cut_program("start"), b"\x0f", b"\xff"), "start")
    true(is_split(cut_program("suffix"), b"\xff", b"\x0f"), "suffix")
    stray = cut_program("stray")
    same(sum((b ^ 0x0F).bit_count() for b in stray), 1, "stray: bits not cleared")
    noise = cut_program("random")
    true(all(b & 0x0F == 0x0F for b in noise), "random: only what was to be cleared is")
    true(0.35 < sum(b.bit_count() - 4 for b in noise) / PIECE / 4 < 0.65, "random: half of it")


@test
def a_tear_depends_on_the_operations_number_and_on_nothing_else():
    for tear in ("start", "random", "stray"):
        same(cut_erase(tear, 3), cut_erase(tear, 3), tear)
        true(cut_erase(tear, 3) != cut_erase(tear, 4), f"{tear}: 3 and 4 are alike")


@test
def every_operation_can_be_cut_with_every_tear():
    script = [ERASE, f"fill {FREE + 0xF0:x} 20 0", f"erase_block {FREE // BLOCK:x}"]
    for tear in TEARS:
        for number in range(5):
            run = Run(script + ["exit 7"], f"--cut={number}:{tear}")
            same(run.status, CUT if number < 4 else 7, f"{number}:{tear}")
            same(len(run.log), min(number + 1, 4), f"{number}:{tear}")


@test
def operations_are_numbered_on_through_a_reset():
    run = Run([ERASE, "reset", ERASE, ERASE], "--cut", 2)
    same((run.status, run.stats["operations"], run.stats["resets"]), (CUT, 2, 1))


@test
def flash_is_written_through_at_each_operation():
    run = Run([f"write {FREE:x} 11111111", f"write {FREE + 4:x} 22222222", "peek 20000000"])
    same((run.status, run.at(FREE, 8)), (CRASH, bytes.fromhex("1111111122222222")))
