"""Memory, mapped flash, registers, and what the ROM's functions refuse."""
import hashlib
import struct
import zlib

from rig import BLOCK, BROKEN, CRASH, DRAM, ENTRIES, FREE, IRAM, Run, same, SECTOR, test, true, WINDOW_D, WINDOW_I

TABLE_ENTRY = 0x600C5000 + 4 * 0x30      # a page that no program uses
PAGE_I, PAGE_D = WINDOW_I + 0x30 * BLOCK, WINDOW_D + 0x30 * BLOCK
MAP = f"poke {TABLE_ENTRY:x} {FREE // BLOCK:x}"


# ---- memory

@test
def iram_and_dram_are_one_ram():
    run = Run([f"poke {DRAM + 0x18000:x} 12345678", f"peek {IRAM + 0x18000:x}", f"poke {IRAM + 0x18004:x} 9abcdef0", f"peek {DRAM + 0x18004:x}"])
    same(run.answers[1::2], ["12345678", "9abcdef0"])


@test
def data_addresses_have_no_instructions():
    run = Run(["poke 3fc98000 8082", "call 40398000 7", "call 3fc98000"])
    same((run.status, run.answers[:2]), (CRASH, ["0", "7"]))
    true("fetch from 0x3fc98000" in run.errors and "has no instructions" in run.errors, run.errors)


@test
def code_that_is_written_anew_is_what_is_executed():
    # li a0, 1; ret, and the same with 2: by the processor, and by the ROM's memcpy, through the data bus.
    run = Run(["poke 40398000 80824505", "call 40398000", "poke 40398000 80824509", "call 40398000",
               "poke 3fc9c000 8082450d", f"call {ENTRIES['memcpy']:x} 3fc98000 3fc9c000 4", "call 40398000"])
    same([run.answers[i] for i in (1, 3, 6)], ["1", "2", "3"])


@test
def an_address_without_memory_is_a_crash():
    for address in (0, 0x20000000, 0x3FC7FFFC, 0x3FCE0000, 0x4037BFFC, 0x403E0000, 0x50002000, 0x600D1000, 0xFFFFFFFC):
        same(Run([f"peek {address:x}"]).status, CRASH, hex(address))
        same(Run([f"poke {address:x} 1"]).status, CRASH, hex(address))
    for address in (0x40000000, 0x3FF00000):
        same((Run([f"peek {address:x}"]).status, Run([f"poke {address:x} 1"]).status), (0, CRASH), f"the ROM at {address:x}")


@test
def instructions_that_the_chip_does_not_have_are_a_crash():
    for command, word in (("illegal", "illegal"), ("float", "illegal"), ("ecall", "ecall")):
        run = Run([command])
        same(run.status, CRASH, command)
        true(word in run.errors, run.errors)


# ---- mapped flash

@test
def both_windows_show_what_the_table_has():
    run = Run([f"write {FREE:x} 11223344", MAP, f"peek {PAGE_I:x}", f"peek {PAGE_D:x}", f"peek {TABLE_ENTRY:x}", f"copy {PAGE_D:x} 4"])
    same(run.answers[2:], ["11223344", "11223344", f"{FREE // BLOCK:x}", "11223344"])


@test
def mapped_flash_shows_each_operation():
    run = Run([MAP, f"peek {PAGE_D:x}", f"write {FREE:x} f0f0f0f0", f"peek {PAGE_D:x}", f"write {FREE:x} 0", f"peek {PAGE_I:x}",
               f"erase {FREE // SECTOR:x}", f"peek {PAGE_D:x}", f"poke {TABLE_ENTRY:x} 1", f"peek {PAGE_D:x}"])
    same(run.answers[1::2], ["ffffffff", "f0f0f0f0", "0", "ffffffff", f"{int.from_bytes(run.at(0x10000, 4), 'little'):x}"])


@test
def code_in_flash_that_is_programmed_anew_is_what_is_executed():
    run = Run([MAP, f"write {FREE:x} 80824505", f"call {PAGE_I:x}", f"erase {FREE // SECTOR:x}", f"write {FREE:x} 80824509", f"call {PAGE_I:x}"])
    same([run.answers[2], run.answers[5]], ["1", "2"])


@test
def a_page_that_is_not_mapped_is_a_crash():
    for address in (PAGE_I, PAGE_D):
        run = Run([f"peek {address:x}"])
        same(run.status, CRASH)
        true("the table has no page" in run.errors, run.errors)
    same(Run([MAP, f"peek {PAGE_D:x}", f"poke {TABLE_ENTRY:x} 100", f"peek {PAGE_D:x}"]).status, CRASH, "no longer")
    same(Run([f"poke {TABLE_ENTRY:x} 40", f"peek {PAGE_D:x}"]).status, CRASH, "beyond the chip's 4 MB")
    same(Run([MAP, f"call {PAGE_D:x}"]).status, CRASH, "no instructions by the data window")
    same(Run([MAP, f"poke {PAGE_D:x} 0"]).status, CRASH, "no stores")


@test
def with_the_cache_off_or_a_bus_shut_nothing_is_mapped():
    same(Run([MAP, "poke 600c4000 0", f"peek {PAGE_D:x}"]).status, CRASH, "off")
    same(Run([MAP, "poke 600c4000 0", "poke 600c4000 1", f"peek {PAGE_D:x}"]).last(), "ffffffff", "on again")
    run = Run([MAP, "poke 600c4004 2", f"peek {PAGE_I:x}", f"peek {PAGE_D:x}"])
    same((run.status, run.answers[2]), (CRASH, "ffffffff"), "the data bus is shut")
    same(Run([MAP, "poke 600c4004 1", f"peek {PAGE_D:x}", f"peek {PAGE_I:x}"]).status, CRASH, "the instruction bus is")
    for function in ("Cache_Disable_ICache", "Cache_Suspend_ICache"):
        same(Run([MAP, f"call {ENTRIES[function]:x}", f"peek {PAGE_D:x}"]).status, CRASH, function)
    run = Run(["saw"])
    same(run.status, CRASH, "code in flash that switches the cache off")
    true("the cache is off" in run.errors, run.errors)


@test
def the_roms_function_sets_the_table():
    run = Run([f"poke 3fc98000 {FREE:x}", f"call {ENTRIES['Cache_MMU_Init']:x}", f"peek {TABLE_ENTRY:x}"])
    same(run.last(), "100")


# ---- the ROM's functions

@test
def a_rom_address_without_a_function_is_a_crash():
    for address in (0x40000000, 0x40000052, 0x400000F4, 0x40003000, 0x4005FFFE):
        run = Run([f"call {address:x}"])
        same(run.status, CRASH, hex(address))
        true(f"not here at pc 0x{address:08x}" in run.errors, run.errors)


@test
def a_rom_function_that_is_called_wildly_is_a_crash():
    memcpy, memset, read = ENTRIES["memcpy"], ENTRIES["memset"], "raw_read"
    for command in (f"call {memcpy:x} 3fc98000 20000000 4", f"call {memcpy:x} 20000000 3fc98000 4", f"call {memcpy:x} 40000000 3fc98000 4",
                    f"call {memset:x} 3fcdfffc 0 8", f"call {memset:x} 3fc98000 0 ffffffff", f"{read} {FREE:x} 42000000 4",
                    f"{read} {FREE:x} 3fc98002 4", f"{read} {FREE:x} 3fcdfff0 40", f"raw_write {FREE:x} 20000000 4", f"raw_write {FREE:x} 3fc98001 4",
                    f"call {ENTRIES['ets_printf']:x} 20000000", f"call {ENTRIES['ets_sha_update']:x} 3fc98000 3fc98000 4"):
        run = Run([command])
        same(run.status, CRASH, command)
        true("crash: ROM function" in run.errors, run.errors)


@test
def the_roms_data_can_be_overwritten_and_then_its_flash_functions_crash():
    for pointer in ("0", "20000000", "3fc98000"):
        run = Run([f"call {ENTRIES['memset']:x} 3fc98000 0 20", f"poke 3fcdfff0 {pointer}", f"read {FREE:x} 4"])
        same(run.status, CRASH, pointer)


@test
def digests_are_right():
    words = [0x11223344, 0x55667788, 0x99AABBCC]
    data = struct.pack("<3I", *words)
    text = " ".join(f"{w:x}" for w in words)
    run = Run([f"md5 {text}", f"sha256 {text}", f"crc32 {text}"])
    for answer, digest in zip(run.answers, (hashlib.md5(data).digest(), hashlib.sha256(data).digest())):
        same(answer.split()[:-1], [f"{w:08x}" for w in struct.unpack(f"<{len(digest) // 4}I", digest)])
    same(run.last(), f"{zlib.crc32(data):x}")


@test
def divisions_are_those_of_the_m_extension():
    for name, a, b, expected in (("__udivsi3", 100, 7, 14), ("__umodsi3", 100, 7, 2), ("__udivsi3", 5, 0, 0xFFFFFFFF), ("__umodsi3", 5, 0, 5),
                                 ("__divsi3", 0x80000000, 0xFFFFFFFF, 0x80000000), ("__modsi3", 0xFFFFFFF9, 2, 0xFFFFFFFF)):
        same(Run([f"call {ENTRIES[name]:x} {a:x} {b:x}"]).last(), f"{expected:x}", name)


@test
def printf_has_its_formats():
    same(Run(["print 1f"]).last(), "[  -31|31   |0001f|1F|text|c|%|7|8|9] 0")


# ---- registers

@test
def random_numbers_differ():
    values = Run(["peek 600260b0"] * 8).answers
    same(len(set(values)), 8)
    true(Run(["peek 600260b0"]).last() != Run(["peek 600260b0"]).last(), "from run to run, too")


@test
def the_system_timer_goes_at_16_mhz():
    run = Run(["poke 60023004 40000000", "peek 60023044", "delay 3e8", "poke 60023004 40000000", "peek 60023044"])
    ticks = int(run.answers[4], 16) - int(run.answers[1], 16)
    true(16000000 <= ticks < 16200000, ticks)


@test
def the_uarts_registers_take_and_give_bytes():
    run = Run(["poke 60000000 41", "peek 6000001c", "peek 60000000", "peek 60000000"])
    true("A0" in run.output, run.output)
    true(int(run.answers[1], 16) > 0, "bytes that wait")


@test
def flash_commands_can_be_given_by_spi1s_registers():
    run = Run(["poke 60002020 9f", "poke 60002000 40000", "peek 60002058", "peek 60002000",
               "poke 60002000 40000000", f"poke 60002004 {FREE + (4 << 24):x}", "poke 60002058 f0f0", "poke 60002000 2000000", f"read {FREE:x} 4"])
    same((run.answers[2:4], run.last()), (["1640ef", "0"], "0000f0f0 0"))
    same(Run(["poke 60002020 77", "poke 60002000 40000"]).status, CRASH, "a command that no chip has")


@test
def efuses_are_what_the_option_has_also_after_a_reset():
    run = Run(["peek 60008834", "peek 60008838", "poke 60008834 0", "reset", "peek 60008834"], "--efuse", "34=40000,38=100000")
    same((run.answers[:2], run.last()), (["40000", "100000"], "40000"))
    same(Run(["peek 60008834"]).last(), "0")
    for words in ("34", "33=1", "200=1", "34=x"):
        same(Run([], "--efuse", words).status, BROKEN, words)
