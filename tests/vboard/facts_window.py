"""The flash window, and what the plugin reports."""
import re

from rig import CACHE_ON, CRASH, ERASE, flash_file, FREE, IRAM, MEGABYTE, REPORT, Run, same, test, true, WINDOW


# ---- the flash window

@test
def the_window_shows_flash_while_the_cache_is_on():
    run = Run([f"write {FREE:x} 12345678", CACHE_ON, f"peek {WINDOW + FREE:x}", "flash"])
    same(run.answers[-2:], ["12345678", "2a"])


@test
def the_window_is_poison_while_the_cache_is_off():
    peek = f"peek {WINDOW + FREE:x}"
    same(Run([peek, CACHE_ON, peek, "nocache", peek]).answers[::2], ["f06df06d", "ffffffff", "f06df06d"])
    same(Run([CACHE_ON, "reset", f"peek {WINDOW + FREE:x}"]).last(), "f06df06d", "after a reset")
    run = Run(["flash"])
    same(run.status, CRASH)
    true("in the flash window" in run.errors, run.errors)


@test
def how_often_the_window_is_poisoned_can_be_chosen():
    again = [CACHE_ON, "nocache"] * 6 + [f"peek {WINDOW + FREE:x}"]
    same(Run(again, "--poison=always").last(), "f06df06d", "always")
    same(Run(again).last(), "ffffffff", "by default no more the sixth time")
    same(Run(again[-5:]).last(), "f06df06d", "by default the second time")
    same(Run(again[-3:], "--poison=boot").last(), "ffffffff", "at a reset only")
    same(Run(again[-1:], "--poison=boot").last(), "f06df06d", "at a reset")


@test
def code_in_flash_that_switches_the_cache_off_crashes():
    run = Run([CACHE_ON, "flash", "saw", "flash"])
    same((run.status, run.answers[1]), (CRASH, "2a"))


@test
def the_window_follows_operations():
    for options in ([], ["--poison=boot"]):
        run = Run([CACHE_ON, "nocache", f"write {FREE:x} 12345678", CACHE_ON,
                   f"peek {WINDOW + FREE:x}", "nocache", ERASE, CACHE_ON, f"peek {WINDOW + FREE:x}"], *options)
        same((run.answers[4], run.answers[8]), ("12345678", "ffffffff"), options)


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
    run = Run([f"write {FREE:x} 12345678", CACHE_ON, f"peek {WINDOW + FREE + MEGABYTE // 2:x}"],
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
    reports([ERASE, f"fill {FREE:x} 200 5a5a5a5a", f"read {FREE:x} 80", "md5 1 2 3", CACHE_ON, "flash",
             f"peek {WINDOW + FREE:x}", f"copy {WINDOW + FREE:x} 8", f"poke {IRAM + 0x7000:x} 1", "peek8 3fff8000",
             "poke8 3fff8001 1", "nocache", ERASE, f"poke {IRAM + 0x8000:x} 1", "reset", CACHE_ON, "flash", "spin 1"],
            expect=0)


@test
def the_plugin_reports_narrow_loads_from_mapped_flash():
    for width in (8, 16):
        errors = reports([CACHE_ON, f"peek{width} {WINDOW + FREE + 2:x}"], expect=1)
        true(re.search(rf"{width}-bit load from 0x{WINDOW + FREE + 2:x} at pc 0x4010", errors), errors)


@test
def the_plugin_reports_narrow_loads_and_stores_in_iram():
    true("8-bit load from 0x40107001" in reports([f"peek8 {IRAM + 0x7001:x}"], expect=1), "load")
    true("8-bit store to 0x40107001" in reports([f"poke8 {IRAM + 0x7001:x} 1"], expect=1), "store")


@test
def the_plugin_reports_each_instruction_once():
    reports([CACHE_ON, f"peek8 {WINDOW:x}", f"peek8 {WINDOW + 1:x}", f"peek16 {WINDOW:x}"], expect=2)


@test
def the_plugin_reports_a_rom_function_that_is_given_odd_flash():
    errors = reports([CACHE_ON, f"copy {WINDOW + FREE:x} 7"], expect=1)
    true("ROM, called near 0x4010" in errors, errors)


@test
def the_plugin_reports_stores_to_flash_and_rom():
    true("cannot be written" in reports([CACHE_ON, f"poke {WINDOW + FREE:x} 1"], expect=1), "flash")
    true("cannot be written" in reports(["poke 40000a00 1"], expect=1), "ROM")


@test
def the_plugin_reports_loads_and_fetches_while_the_cache_is_off():
    errors = reports([f"peek {WINDOW + FREE:x}"], expect=1)
    true("cache is off" in errors, errors)
    run = Run([CACHE_ON, "saw"], "--plugin", "--poison=boot")
    true(re.search(r"fetch from 0x402100[0-9a-f]+ .*cache is off", run.errors), run.errors)
    same(run.status, REPORT)


@test
def the_plugin_reports_flash_commands_while_the_cache_is_on():
    true("cache is on" in reports([CACHE_ON, f"read {FREE:x} 4"], expect=1), "read")


@test
def the_plugin_reports_use_of_the_iram_that_the_cache_has():
    true("taken this IRAM" in reports([CACHE_ON, "peek 40108000"], expect=1), "32 KB")
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
