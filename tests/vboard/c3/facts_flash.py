"""The NOR flash chip, its ROM functions, and power cuts."""
from rig import BLOCK, CUT, ERASE, flash_file, FREE, HANG, MEGABYTE, PIECE, Run, same, SECTOR, TEARS, test, true


@test
def programming_only_clears_bits():
    run = Run([f"write {FREE:x} f0f0f0f0", f"write {FREE:x} ff00ff0f", f"read {FREE:x} 4"])
    same(run.last(), "f000f000 0")
    same(run.at(FREE, 8), bytes.fromhex("00f000f0ffffffff"))


@test
def an_erase_sets_its_bytes_and_no_others():
    for size, command in ((SECTOR, f"erase {FREE // SECTOR:x}"), (BLOCK, f"erase_block {FREE // BLOCK:x}")):
        run = Run([f"write {a:x} 0" for a in (FREE - 4, FREE, FREE + size - 4, FREE + size)] + [command])
        same(run.at(FREE - 4, size + 8), b"\0" * 4 + b"\xff" * size + b"\0" * 4, size)


@test
def a_write_is_one_operation_for_each_32_bytes_of_each_page():
    run = Run([f"fill {FREE + 0xE8:x} 118 5a5a5a5a"])
    pieces = [(0xE8, 24)] + [(0x100 + i * PIECE, PIECE) for i in range(8)]
    same(run.log, [f"{i} page 0x{FREE + at:06x} {size}" for i, (at, size) in enumerate(pieces)])
    same(run.at(FREE + 0xE4, 0x120), b"\xff" * 4 + b"\x5a" * 0x118 + b"\xff" * 4)
    run = Run([f"fill {FREE + 0xF0:x} 28 5a5a5a5a"])
    same(run.log, [f"0 page 0x{FREE + 0xF0:06x} 16", f"1 page 0x{FREE + 0x100:06x} 24"], "across the end of a page")


@test
def operations_bytes_and_time_are_counted():
    commands = [f"erase {FREE // SECTOR:x}", f"erase_block {FREE // BLOCK:x}", f"fill {FREE:x} 100 0", f"write {FREE + 0x100:x} 0"]
    run, boot = Run(commands), Run([])
    counts = {k: run.stats[k] for k in ("operations", "sector_erases", "block_erases", "page_programs", "resets")}
    same(counts, {"operations": 11, "sector_erases": 1, "block_erases": 1, "page_programs": 9, "resets": 0})
    took = (run.stats["flash_seconds"] - boot.stats["flash_seconds"]) * 1e6
    same(round(took), round(45000 + 150000 + 8 * (30 + 31 * 2.5) + 30 + 3 * 2.5))
    reading = Run([f"read {FREE:x} 100"])
    same(reading.stats["bytes_read"] - boot.stats["bytes_read"], 256)


@test
def flash_calls_beyond_the_chip_are_errors():
    run = Run(["read 3ffff8 8", "erase 3ff", "read 3ffffc 8", "fill 400000 4 0", "erase 400", "erase_block 40"])
    same(run.answers, ["ffffffff ffffffff 0", "0"] + ["1"] * 4)
    same(run.stats["operations"], 1)


@test
def writes_check_that_they_are_of_whole_words():
    run = Run([f"raw_write {FREE:x} 3fc98000 7", f"raw_write {FREE:x} 3fc98000 2"])
    same((run.answers, run.stats["operations"]), (["1", "1"], 0))


@test
def protected_flash_is_not_changed_until_it_is_unlocked():
    run = Run([f"write {FREE:x} 0", f"read {FREE:x} 4", "unlock", f"write {FREE:x} 0", f"read {FREE:x} 4"], "--status", "001c")
    same((run.answers[1], run.last()), ("ffffffff 0", "00000000 0"))
    same(run.stats["ignored_commands"], 1)
    true("block-protect" in run.errors, run.errors)


@test
def unlocking_leaves_quad_enable():
    path = flash_file()
    same(Run(["unlock"], "--status", "021c", flash=path).status, 0)
    same(path.with_name("flash.bin.status").read_text(), "0200\n")


@test
def a_chip_that_stays_busy_hangs_the_rom_or_is_bitten():
    same(Run([ERASE, "exit 7"], "--stuck", 0).stats["watchdog_bites"], 1)
    same(Run(["nowdt", ERASE, "exit 7"], "--stuck", 0).status, HANG)


# ---- power cuts

def cut_erase(tear, number=1, size=SECTOR):
    """The area afterwards, when its erase (operation `number`) was cut."""
    path = flash_file()
    content = bytearray(path.read_bytes())
    content[FREE:FREE + size] = b"\x55" * size
    path.write_bytes(content)
    command = ERASE if size == SECTOR else f"erase_block {FREE // BLOCK:x}"
    run = Run([*[f"write {FREE + 0x20000:x} 0"] * number, command, "exit 7"], f"--cut={number}:{tear}", flash=path)
    same((run.status, run.stats["operations"], run.log[-1].endswith(" cut")), (CUT, number, True), tear)
    same(run.at(FREE + size, 16), b"\xff" * 16, "beyond the area")
    return run.at(FREE, size)


def cut_program(tear, number=1):
    run = Run([f"write {FREE + 0x20000:x} 0"] * number + [f"fill {FREE:x} 20 f0f0f0f", "exit 7"], f"--cut={number}:{tear}")
    same((run.status, run.stats["operations"]), (CUT, number), tear)
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
        same(sum((b ^ 0xFF).bit_count() for b in cut_erase("stray", size=size)), 1, "stray: bits left")
        true(0.45 < sum(b.bit_count() for b in cut_erase("random", size=size)) / size / 8 < 0.55, "random")


@test
def a_cut_program_is_torn_as_asked():
    same(cut_program("before"), b"\xff" * PIECE, "before")
    same(cut_program("after"), b"\x0f" * PIECE, "after")
    same(cut_program("prefix"), b"\x0f" * (PIECE // 2) + b"\xff" * (PIECE // 2), "prefix")
    same(cut_program("zero"), b"\x0f" * PIECE, "zero")
    true(is_split(cut_program("start"), b"\x0f", b"\xff"), "start")
    true(is_split(cut_program("suffix"), b"\xff", b"\x0f"), "suffix")
    same(sum((b ^ 0x0F).bit_count() for b in cut_program("stray")), 1, "stray: bits not cleared")
    true(all(b & 0x0F == 0x0F for b in cut_program("random")), "random: only what was to be cleared is")


@test
def a_tear_is_that_of_the_other_board():
    """The tears of both boards are one: for the same number and size the same bits."""
    # Marsaglia's xorshift32 from 1 * 2654435761 + 0x9e3779b9, as vboard/flash/tear.c has it.
    x, bits = (2654435761 + 0x9E3779B9) & 0xFFFFFFFF, []
    for _ in range(3 + PIECE):
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        bits.append(x >> 11 & 0xFF)
    same(cut_program("random"), bytes(0x0F | (0xFF & b) for b in bits[3:]))


@test
def every_operation_can_be_cut_with_every_tear():
    script = [ERASE, f"fill {FREE + 0xF0:x} 20 0", f"erase_block {FREE // BLOCK:x}"]
    for tear in TEARS:
        for number in (0, 1, 3, 4):
            run = Run(script + ["exit 7"], f"--cut={number}:{tear}")
            same((run.status, len(run.log)), (CUT if number < 4 else 7, min(number + 1, 4)), f"{number}:{tear}")


@test
def operations_are_numbered_on_through_a_reset():
    run = Run([ERASE, "reset", ERASE, ERASE], "--cut", 2)
    same((run.status, run.stats["operations"], run.stats["resets"]), (CUT, 2, 1))


@test
def addresses_wrap_at_the_chips_size_not_at_the_headers():
    path = flash_file(size=MEGABYTE)
    content = bytearray(path.read_bytes())
    content[3] = 0x2F  # 4 MB, says the boot loader's header
    path.write_bytes(content)
    same(Run([], flash=path).status, 0)


@test
def flash_is_written_through_at_each_operation():
    run = Run([f"write {FREE:x} 11111111", f"write {FREE + 4:x} 22222222", "peek 20000000"])
    same(run.at(FREE, 8), bytes.fromhex("1111111122222222"))
