"""Booting: the mask ROM, and how a run ends."""
import re

import images
from rig import (
    app, BRICK, BROKEN, CRASH, FACTORY, flash_file, IRAM, loader, MEGABYTE, Run, same, scratch, SECTOR, test, TIMEOUT, true,
)


@test
def factory_is_loaded_mapped_and_entered():
    for dialect in ("4.3", "5.5"):
        run = Run(["flash", "peek 3fc90000", "cause"], flash=flash_file(dialect=dialect))
        same((run.status, run.answers, run.started()), (0, ["2a", "696e6f6d", "1"], ["factory"]), dialect)
        true("rst:0x1 (POWERON),boot:0xd" in run.output and "entry 0x403ce710" in run.output, run.output)


@test
def flash_without_an_image_at_0_is_a_brick():
    for boot, why in ((b"", "magic"), (b"\0" * 64, "magic"), (loader("5.5", 4)[:-1] + b"\0", "checksum")):
        run = Run([], flash=flash_file(boot=boot))
        same(run.status, BRICK, why)
        true(why in run.errors, run.errors)


@test
def a_boot_loader_that_does_not_fit_the_ram_is_a_brick():
    for address in (0x3FCE0000, 0x20000000, 0x42000000):
        boot = images.esp_image([(address, b"1234")], IRAM, has_hash=False)
        same(Run([], flash=flash_file(boot=boot)).status, BRICK, hex(address))


@test
def nothing_to_boot_is_a_brick_after_resets_that_change_nothing():
    run = Run([], flash=flash_file({}))
    same((run.status, run.started()), (BRICK, []))
    true("factory cannot be booted" in run.output and "nothing can be booted" in run.output, run.output)
    true("each reset comes to the same" in run.errors and run.stats["resets"] > 1, (run.errors, run.stats))


@test
def an_entry_that_returns_is_a_crash():
    first, second = (0x3C010020, images.esp_description()), (0x42010128, b"\0" * 4)
    image = images.esp_image([first, second, (IRAM, bytes.fromhex("82800100"))], IRAM)  # ret
    run = Run([], flash=flash_file({FACTORY: image}))
    same(run.status, CRASH)
    true("entry point of a program has returned" in run.errors, run.errors)


@test
def the_program_chooses_its_exit_status():
    for status in (0, 1, 5, 63):
        same(Run([f"exit {status:x}"]).status, status)


@test
def the_end_of_the_input_switches_off():
    run = Run(["peek 3fc90000"])
    same((run.status, len(run.answers)), (0, 1))


@test
def no_byte_is_lost_of_much_input():
    run = Run([f"peek 3fc98000 {i:x}" for i in range(20000)])
    same((run.status, len(run.answers), len(set(run.answers))), (0, 20000, 1))


@test
def a_program_that_hangs_runs_into_the_timeout():
    same(Run(["nowdt", "spin ffffff"], "--timeout", 1).status, TIMEOUT)


@test
def a_flash_file_of_no_chip_size_is_refused():
    for size in (MEGABYTE + SECTOR, 256 * 1024, 32 * MEGABYTE):
        path = scratch() / "odd.bin"
        path.write_bytes(loader("5.5", 4).ljust(size, b"\xff"))
        same(Run([], flash=path).status, BROKEN, size)


@test
def an_unknown_tear_is_refused():
    for cut in ("1:torn", "x", "1x", ""):
        same(Run([], f"--cut={cut}").status, BROKEN, cut)


@test
def the_size_in_the_boot_loaders_header_is_the_chips_for_the_program():
    for size in (1, 2, 4, 8, 16):
        # A table for it, as factory ends at 1 MB.
        run = Run(["peek 3fcdfff0", "peek 3fcdfd04"], flash=flash_file(size=size * MEGABYTE))
        same([int(a, 16) for a in run.answers], [0x3FCDFD00, size * MEGABYTE], size)


@test
def two_runs_are_alike_to_the_cycle():
    commands = ["cycles", "peek 600260b0", f"fill 300000 80 0", "cycles", "delay 5", "cycles"]
    runs = [Run(commands, "--icount") for _ in range(2)]
    same(runs[0].answers, runs[1].answers)
    cycles = [int(runs[0].answers[i], 16) for i in (0, 3, 5)]
    true(cycles[0] < cycles[1] and cycles[2] - cycles[1] >= 5000 * 160, cycles)


@test
def a_crash_report_has_place_and_registers():
    run = Run(["peek 20000000"])
    same(run.status, CRASH)
    true(re.search(r"load from 0x20000000 \(4 bytes\), where the chip has no memory, at pc 0x4038", run.errors), run.errors)
    true(re.search(r"zero 00000000  ra   4038", run.errors), run.errors)


@test
def the_app_is_started_by_what_is_in_flash_and_nothing_else():
    same(Run([], flash=flash_file({FACTORY: app("second")})).started(), ["second"])
