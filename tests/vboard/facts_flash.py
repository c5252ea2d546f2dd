"""The NOR flash chip, its ROM functions, and power cuts."""

from rig import (
    BLOCK, CRASH, CUT, ERASE, flash_file, FREE, image, MEGABYTE, monitor, PAGE, Run, same, SECTOR, TEARS, test, true,
)


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
    same(run.log, [f"0 page 0x{FREE + 0xF8:06x} 8", f"1 page 0x{FREE + 0x100:06x} 256",
                   f"2 page 0x{FREE + 0x200:06x} 8"])
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
    commands = ["read 3ffffc 8", "read ffffffc0 40", "fill 400000 4 0", "erase 400", "erase_block 40",
                "erase_area 3ff000 2000"]
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

def cut_erase(tear, number=1, size=SECTOR):
    """The area afterwards, when its erase (operation `number`) was cut."""
    path = flash_file()
    content = bytearray(path.read_bytes())
    content[FREE:FREE + size] = b"\x55" * size
    path.write_bytes(content)
    command = ERASE if size == SECTOR else f"erase_block {FREE // BLOCK:x}"
    earlier = [f"write {FREE + 0x20000:x} 0"] * number
    run = Run(["unlock", *earlier, command, "exit 7"], f"--cut={number}:{tear}", flash=path)
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
