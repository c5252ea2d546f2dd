"""What a reset keeps, and the watchdog."""

from rig import ERASE, flash_file, IRAM, Run, same, test, true


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
    run = Run(["poke 3fff8000 c0ffee", f"poke {IRAM + 0x7000:x} 12345678", "reset",
               "peek 3fff8000", f"peek {IRAM + 0x7000:x}"])
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


def erases(ms):
    """Sector erases, 45 ms each, that take at most so long: time that costs the host nothing."""
    return [ERASE] * (ms // 45)


@test
def the_rom_arms_no_watchdog():
    same(Run(["spin 1388"], "--icount").stats["watchdog_bites"], 0, "power-on")
    same(Run(["reset"] + erases(15000), "--icount").stats["watchdog_bites"], 0, "reset, 15 s")
    same(Run(["call 40003170"] + erases(15000), "--icount").stats["watchdog_bites"], 0, "ets_wdt_init")


@test
def a_software_reset_leaves_the_watchdog_as_it_was_and_a_bite_ends_it():
    run = Run(["wdt 2 3 3", "reset", "spin bb8", "cause"], "--icount")
    same((run.last(), run.stats["watchdog_bites"]), ("2", 0), "3.0 s")
    run = Run(["wdt 2 3 3", "reset", "spin 1388", "cause"] + erases(15000), "--icount")
    same((run.answers[3], run.stats["watchdog_bites"], run.stats["resets"]), ("4", 1, 2), "5.0 s")
    true("wdt reset" in run.output, run.output)


@test
def the_watchdog_does_not_bite_when_fed_or_disabled():
    same(Run(["wdt 2 3 3", "spin_fed 1388"], "--icount").stats["watchdog_bites"], 0, "fed")
    same(Run(["wdt 2 3 3", "nowdt", "spin 1388"], "--icount").stats["watchdog_bites"], 0, "disabled")
    same(Run(["wdt 2 3 3", "poke 60000900 38", "spin 1388"], "--icount").stats["watchdog_bites"], 0, "by its register")


@test
def the_watchdog_bites_after_the_time_that_the_rom_makes_of_its_arguments():
    # 0.8192 ms * 2^11, 2^12, 2^13, in each of two stages; any other argument is 2^0.
    for arguments, ms in (("2 3 3", 3355), ("4 6 6", 6711), ("4 c c", 13422), ("4 c 3", 8389), ("3 c c", 6711)):
        for time, bites in ((ms * 19 // 20, 0), (ms * 21 // 20 + 50, 1)):
            run = Run([f"wdt {arguments}"] + erases(time), "--icount")
            same(run.stats["watchdog_bites"], bites, f"{arguments}, {time} ms")
    same(Run(["wdt 4 a a", "spin c8"], "--icount").stats["watchdog_bites"], 1, "at once")


@test
def the_watchdog_can_be_restored():
    run = Run(["wdt 2 3 3", "nowdt", "call 40003158 2", "spin 1388"], "--icount")
    same((run.answers[1], run.stats["watchdog_bites"]), ("0", 1))


@test
def the_time_of_flash_operations_counts_for_the_watchdog():
    eighty = ["wdt 2 3 3"] + [ERASE] * 80  # 80 * 45 ms
    same(Run(eighty, "--icount").stats["watchdog_bites"], 1, "80 erases")
    same(Run(eighty[:60], "--icount").stats["watchdog_bites"], 0, "59 erases")


@test
def with_interrupts_shut_the_watchdog_bites_in_the_next_rom_call():
    run = Run(["wdt 2 3 3", "spin_locked fa0", "cause"], "--icount")
    same((run.last(), run.stats["watchdog_bites"]), ("4", 1))
