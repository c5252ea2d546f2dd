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
