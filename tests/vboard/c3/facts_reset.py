"""What a reset keeps, and the watchdogs."""
from rig import ERASE, Run, same, test, true

RTC_KEY = "poke 600080a8 50d83aa1"
TIMER_KEY = "poke 6001f064 50d83aa1"


@test
def a_software_reset_keeps_ram_and_the_power_does_not():
    run = Run(["poke 3fcb0000 c0ffee", "poke 50000000 beef", "poke 60008050 5e7", "poke 6001f000 5e7", "reset", "peek 3fcb0000", "peek 50000000",
               "peek 60008050", "peek 6001f000", "cause"])
    same(run.answers[-5:], ["c0ffee", "beef", "5e7", "0", "3"])
    again = Run(["peek 3fcb0000", "peek 50000000", "peek 3fcb0004"], flash=run.flash)
    true(not {"c0ffee", "beef", "0"} & set(again.answers) and len(set(again.answers)) == 3, again.answers)


@test
def resets_have_their_causes():
    for command, cause in (("poke 60008000 80000000", "3"), ("poke 60008000 20", "c"), ("call 40000090", "3"), ("call 40000094", "c")):
        run = Run([command, "cause", "peek 60008038"])
        same((run.answers[-2], int(run.answers[-1], 16) & 0x3F), (cause, int(cause, 16)), command)
        same(run.stats["resets"], 1, command)


# ---- the RTC's watchdog

@test
def the_boot_loader_leaves_a_watchdog_of_nine_seconds():
    run = Run(["delay 2260", "cause"])  # 8.8 s
    same((run.last(), run.stats["watchdog_bites"]), ("1", 0))
    run = Run(["delay 2328", "cause"])  # 9.0 s
    same((run.last(), run.stats["watchdog_bites"], run.stats["resets"]), ("10", 1, 1))
    true("RTCWDT_RTC_RST" in run.output and "the RTC watchdog bites" in run.errors, run.errors)


@test
def the_time_of_flash_operations_counts():
    same(Run([ERASE] * 190).stats["watchdog_bites"], 0, "8.6 s")
    same(Run([ERASE] * 205).stats["watchdog_bites"], 1, "9.2 s")


@test
def a_loop_that_calls_nothing_is_bitten():
    run = Run([RTC_KEY, "poke 60008094 1a90", "spin 96", "cause"])  # 6800 ticks, twice: 100 ms
    same((run.last(), run.stats["watchdog_bites"]), ("10", 1))
    run = Run([RTC_KEY, "poke 60008094 1a90", "poke 600080a4 80000000", "spin 50"])
    same(run.stats["watchdog_bites"], 0, "80 ms")


@test
def it_does_not_bite_when_fed_or_switched_off():
    same(Run([RTC_KEY, "poke 60008094 1a90", "spin_fed c8"]).stats["watchdog_bites"], 0, "fed")
    same(Run(["nowdt", "delay 4e20"]).stats["watchdog_bites"], 0, "off")


@test
def without_the_key_nothing_changes():
    same(Run(["poke 60008090 0", "delay 2710"]).stats["watchdog_bites"], 1, "off")
    same(Run(["delay 1388", "poke 600080a4 80000000", "delay 1388"]).stats["watchdog_bites"], 1, "fed")
    same(Run(["delay 1388", RTC_KEY, "poke 600080a4 80000000", "delay 1388"]).stats["watchdog_bites"], 0, "fed with the key")
    same(Run([RTC_KEY, "poke 600080a8 0", "poke 60008090 0", "delay 2710"]).stats["watchdog_bites"], 1, "shut again")
    same(Run(["poke 600080a8 50d83aa0", "poke 60008090 0", "delay 2710"]).stats["watchdog_bites"], 1, "another key")


@test
def stages_come_one_after_the_other():
    # Stage 0 does nothing, stage 1 resets the system: 2 * 136000 ticks, then 136000.
    commands = [RTC_KEY, "poke 60008090 0", "poke 60008094 21340", "poke 60008098 21340", "poke 60008090 86000000"]
    same(Run([*commands, "delay aa0"]).stats["watchdog_bites"], 0, "2.7 s")
    run = Run([*commands, "delay c00", "cause"])
    same((run.last(), run.stats["watchdog_bites"]), ("9", 1), "3.07 s")


@test
def a_bite_of_the_rtc_resets_its_registers_and_a_reset_does_not():
    run = Run(["poke 60008050 5e7", "delay 2710", "peek 60008050"])
    same(run.last(), "0")


# ---- the others

@test
def timer_group_0s_watchdog_bites_when_it_is_set():
    setting = [TIMER_KEY, "poke 6001f04c 9c400000", "poke 6001f050 7d0", "poke 6001f048 e0000000"]  # 40000 * 12.5 ns, 2000 times: 1 s
    same(Run([*setting, "delay 384"]).stats["watchdog_bites"], 0, "0.9 s")
    run = Run([*setting, "delay 44c", "cause"])
    same((run.last(), run.stats["watchdog_bites"]), ("7", 1), "1.1 s")
    same(Run([*setting, "delay 384", "poke 6001f060 1", "delay 384"]).stats["watchdog_bites"], 0, "fed")


@test
def the_super_watchdog_feeds_itself_until_it_is_told_not_to():
    same(Run(["nowdt", "delay 2710"]).stats["watchdog_bites"], 0)
    same(Run(["nowdt", "poke 600080ac 0", "delay 7d0"]).stats["watchdog_bites"], 0, "without its key")
    run = Run(["nowdt", "poke 600080b0 8f1d312a", "poke 600080ac 0", "delay 7d0", "cause"])
    same((run.last(), run.stats["watchdog_bites"]), ("12", 1))
    fed = ["poke 600080b0 8f1d312a", "poke 600080ac 0", "delay 320", "poke 600080ac 20000000", "delay 320"]
    same(Run(["nowdt", *fed]).stats["watchdog_bites"], 0, "fed")
