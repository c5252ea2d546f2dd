"""The flash chip's status register: quad-enable, protection, and what the mask ROM does to them."""
from rig import (
    BRICK, BROKEN, CACHE_ON, DIO, DOUT, ERASE, flash_file, flash_file_of, FREE, HANG, QIO, QOUT, Run, same, SECTOR, status_path, test, true,
    WINDOW,
)

CHIP = 0x3FFFC718          # what `flashchip` points to
SPI_CTRL = 0x60000208
READ_STATUS = [f"call 400043c8 {CHIP:x} 3fff8000", "peek 3fff8000"]
SAW_NOISE = "whose quad-enable bit is clear"
READ = f"read {FREE:x} 8"


def status_of(commands, *options, flash=None):
    """The first status byte after these commands."""
    return Run(commands + READ_STATUS, *options, flash=flash).last()


# ---- what the ROM's boot does

@test
def the_rom_sets_quad_enable_for_a_quad_image_and_clears_it_for_others():
    for mode, ctrl, second in ((QIO, "168a313", "0200"), (QOUT, "78a313", "0200"), (DIO, "e8a313", None), (DOUT, "68e313", None)):
        run = Run([f"peek {SPI_CTRL:x}"], flash=flash_file_of(mode))
        same((run.last(), run.kept_status()), (ctrl, second), f"mode {mode}")
        last = "0x0200" if mode in (QIO, QOUT) else "0x0002"
        # The status that it writes back has the bit of the write enable before.
        same(run.status_writes, [["0x0002", "2", "boot"], [last, "2", "boot"]], f"mode {mode}: status writes")
        same((run.stats["boot_status_writes"], run.stats["status_writes"]), (2, 0), f"mode {mode}")


@test
def each_status_write_takes_ten_milliseconds():
    one, two = Run([]).stats["flash_seconds"], Run(["unlock", READ]).stats["flash_seconds"]
    true(0.02 < one < 0.04, one)
    true(0.0099 < two - one < 0.0102, two - one)


@test
def quad_enable_is_kept_across_resets_and_power_cycles():
    flash = flash_file_of(QIO)
    same(Run(["reset", READ], flash=flash).stats["noise_reads"], 0, "reset")
    same(status_path(flash).read_text(), "0200\n")
    dio = flash_file_of(DIO)
    status_path(dio).write_text("0200\n")
    run = Run([READ], flash=dio)
    same(run.kept_status(), "0000", "an image that needs it not clears it")


# ---- quad reads

@test
def unlocking_clears_quad_enable_and_quad_reads_are_noise_then():
    for mode in (QIO, QOUT):
        run = Run([READ, "unlock", READ], flash=flash_file_of(mode))
        same(run.answers[0], "ffffffff ffffffff 0")
        true(run.answers[2] != run.answers[0], run.answers)
        true(SAW_NOISE in run.errors and run.stats["noise_reads"] > 0, run.errors)
        same((run.kept_status(), run.stats["status_writes"]), ("0000", 1))
    for mode in (DIO, DOUT):
        run = Run([READ, "unlock", READ], flash=flash_file_of(mode))
        same((run.answers[2], run.stats["noise_reads"]), (run.answers[0], 0), f"mode {mode}")


@test
def the_flash_window_shows_noise_too():
    run = Run([CACHE_ON, f"peek {WINDOW + FREE:x}", "nocache", "unlock", *READ_STATUS, CACHE_ON, f"peek {WINDOW + FREE:x}"])
    same(run.answers[1], "ffffffff")
    true(run.answers[-1] != "ffffffff" and SAW_NOISE in run.errors, (run.answers, run.errors))


@test
def noise_is_the_same_in_each_run():
    same(Run(["unlock", READ]).last(), Run(["unlock", READ]).last())


@test
def who_sets_quad_enable_again_reads_again():
    run = Run(["unlock", f"call 400044c0 {CHIP:x}", READ])
    same((run.last(), run.kept_status()), ("ffffffff ffffffff 0", "0200"))


@test
def chips_differ_in_where_quad_enable_is():
    def boots(chip, mode, status="0000"):
        flash = flash_file_of(mode)
        run = Run(["unlock", READ], "--chip", chip, "--status", status, flash=flash)
        return run.status, run.last() == "ffffffff ffffffff 0", run.kept_status()
    # The ROM reaches it: it boots, and a program that unlocks is blind.
    same(boots("winbond", QIO), (0, False, "0000"))
    # The ROM's two bytes 0x0200 clear it: no quad image boots, even where somebody had set it.
    same(boots("macronix", QIO), (BRICK, False, "0000"))
    same(boots("macronix", QIO, "0040"), (BRICK, False, "0000"))
    same(boots("macronix", DIO, "0040"), (0, True, "0000"))
    # Out of the ROM's reach: it is as it was, whatever is done.
    same(boots("gigadevice", QIO, "0200"), (0, True, "0200"))
    same(boots("gigadevice", QIO), (BRICK, False, "0000"))
    # None is needed.
    same(boots("fixed", QIO), (0, True, "0000"))
    same(boots("fixed", QOUT), (0, True, "0000"))


@test
def a_status_write_of_one_byte_clears_the_second_of_a_winbond():
    commands = [f"poke {SPI_CTRL:x} 128a313", "unlock", READ]  # without the bit for two bytes
    run = Run(commands)
    same((run.status_writes[-1], run.kept_status()), (["0x0000", "1", "program"], "0000"))


@test
def without_write_enable_a_status_write_is_ignored():
    run = Run([f"call 40004400 {CHIP:x} 1c", *READ_STATUS])
    same((run.last(), run.stats["ignored_commands"]), ("0", 1))
    true("no write enable before it" in run.errors, run.errors)


# ---- protection

@test
def a_new_chip_is_not_protected():
    run = Run([f"write {FREE:x} 12345678", f"erase {FREE // SECTOR:x}", *READ_STATUS])
    same((run.last(), run.stats["operations"]), ("0", 2))


@test
def a_protected_chip_ignores_commands_and_says_so():
    flash = flash_file_of(DIO)
    run = Run([f"write {FREE:x} 0", f"erase {FREE // SECTOR:x}", *READ_STATUS], "--status", "1c", flash=flash)
    same(run.answers[:2], ["0", "0"], "the functions report success")
    same((run.last(), run.stats["operations"], run.stats["ignored_commands"]), ("1c", 0, 2))
    true("block-protect bits" in run.errors, run.errors)
    same(Run([f"write {FREE:x} 0"], flash=flash).stats["operations"], 0, "the next day")
    same(Run(["unlock", f"write {FREE:x} 0", *READ_STATUS], flash=flash).last(), "0", "unlocked")
    same(Run([f"write {FREE:x} 0"], flash=flash).stats["operations"], 1, "for good")


@test
def booting_a_quad_image_unprotects_the_chip_and_booting_another_does_not():
    for mode, expected in ((QIO, "0"), (QOUT, "0"), (DIO, "1c"), (DOUT, "1c")):
        same(status_of([], "--status", "001c", flash=flash_file_of(mode)), expected, f"mode {mode}")


@test
def a_program_can_protect_the_chip():
    flash = flash_file_of(DIO)
    same(Run(["lock", ERASE, *READ_STATUS], flash=flash).last(), "1c")
    same(Run([ERASE], flash=flash).stats["operations"], 0)


@test
def the_bits_say_how_much_is_protected():
    quarter = 3 << 20
    for status, allowed in (("14", [0, quarter - SECTOR]), ("34", [1 << 20, (4 << 20) - SECTOR]), ("1c", [])):
        flash = flash_file(boot=flash_file_of(DIO).read_bytes()[:1 << 16])
        places = (0, (1 << 20) - SECTOR, 1 << 20, quarter - SECTOR, quarter, (4 << 20) - SECTOR)
        run = Run([f"erase {at // SECTOR:x}" for at in places[::-1]], "--status", status, flash=flash)
        erased = sorted(int(line.split()[2], 16) for line in run.log)
        true(set(allowed) <= set(erased), (status, erased))
        if status == "14":
            same([at for at in erased if at >= quarter], [], "the upper quarter")
        elif status == "34":
            same([at for at in erased if at < 1 << 20], [], "the lower quarter")
        else:
            same(erased, [], "all")


@test
def a_status_that_is_none_is_refused():
    for status in ("x", "12345", ""):
        same(Run([], f"--status={status}").status, BROKEN, status)
    flash = flash_file()
    status_path(flash).write_text("gibberish\n")
    run = Run([], flash=flash)
    same(run.status, BROKEN)
    true("no status register" in run.errors, run.errors)


# ---- busy

@test
def a_chip_that_stays_busy_is_waited_for_for_ever():
    run = Run([ERASE, ERASE, "exit 7"], "--stuck", 1)
    same((run.status, run.stats["operations"]), (HANG, 2))
    true("stays busy, and no watchdog is armed" in run.errors, run.errors)


@test
def the_watchdog_ends_the_waiting():
    run = Run(["wdt 4 c c", ERASE, "cause"], "--stuck", "0:20", "--icount")
    same((run.status, run.last(), run.stats["watchdog_bites"]), (0, "4", 1))
    run = Run([ERASE, "cause"], "--stuck", "0:20", "--icount")
    same((run.last(), run.stats["watchdog_bites"]), ("1", 0), "none is armed: it waits the 20 seconds")
    true(20 < run.stats["flash_seconds"] < 21, run.stats)
    same(Run(["wdt 4 c c", ERASE], "--stuck", "0").status, HANG, "the ROM has none, and a busy chip does not boot")


@test
def what_to_get_stuck_at_is_checked():
    for stuck in ("x", "1:", "1:x", ""):
        expected = BROKEN if stuck != "1:" else 0
        same(Run([], f"--stuck={stuck}").status, expected, stuck)
