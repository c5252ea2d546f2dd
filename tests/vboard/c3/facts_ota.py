"""OTA slots: which one otadata selects, and what the boot loader writes there."""
import struct
import zlib

import images
from rig import APP, app, CUT, DATA, FACTORY, flash_file, OTA_0, Run, same, SECTOR, table, test, TEST, true

OTADATA = 0xD000
SLOTS = (0x100000, 0x200000, 0x280000)
NEW, PENDING, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF


def entry(sequence, state=VALID, crc=None):
    right = zlib.crc32(struct.pack("<I", sequence), 0xFFFFFFFF)
    return struct.pack("<I20sII", sequence, b"\xff" * 20, state, right if crc is None else crc)


def device(first=None, second=None, slots=(0, 1), factory=True):
    """A flash file with images in these slots, and in factory or without one."""
    rows = [images.esp_row(DATA, 0, OTADATA, 2 * SECTOR, "otadata")]
    rows += [images.esp_row(APP, OTA_0 + i, place, 0x80000, f"ota_{i}") for i, place in enumerate(SLOTS)]
    contents = {SLOTS[i]: app(f"ota_{i}", SLOTS[i]) for i in slots}
    if factory:
        contents[FACTORY] = app()
    for i, data in enumerate((first, second)):
        if data is not None:
            contents[OTADATA + i * SECTOR] = data
    return flash_file(contents, table(*rows, factory=factory))


def started(*entries, **more):
    return Run([], flash=device(*entries, **more)).started()


@test
def empty_otadata_selects_factory():
    same(started(), ["factory"])
    same(started(entry(0xFFFFFFFF, UNDEFINED), entry(0xFFFFFFFF, UNDEFINED)), ["factory"])


@test
def the_higher_valid_number_selects_its_slot():
    same(started(entry(1)), ["ota_0"])
    same(started(entry(1), entry(2)), ["ota_1"])
    same(started(entry(4), entry(2)), ["ota_0"], "modulo the number of slots: 3")
    same(started(entry(2), entry(1)), ["ota_1"])
    same(started(entry(1, UNDEFINED)), ["ota_0"], "a state that nobody has set")


@test
def a_wrong_crc_or_a_bad_state_does_not_count():
    same(started(entry(1), entry(2, crc=0)), ["ota_0"])
    same(started(entry(1), entry(2, INVALID)), ["ota_0"])
    same(started(entry(1), entry(2, ABORTED)), ["ota_0"])
    same(started(entry(1, crc=0), entry(2, crc=0)), ["factory"])


@test
def a_new_program_is_on_trial_once():
    path = device(entry(1), entry(2, NEW))
    run = Run([], flash=path)
    same(run.started(), ["ota_1"])
    same(run.at(OTADATA + SECTOR, 32), entry(2, PENDING))
    same(run.log, [f"0 sector 0x{OTADATA + SECTOR:06x} 4096", f"1 page 0x{OTADATA + SECTOR:06x} 32"])
    again = Run([], flash=path)
    same(again.started(), ["ota_0"], "it has not said that it works")
    same(again.at(OTADATA + SECTOR, 32), entry(2, ABORTED))


@test
def the_first_start_without_factory_writes_otadata():
    path = device(factory=False)
    same((Run([], flash=path).started(), path.read_bytes()[OTADATA:OTADATA + 32]), (["ota_0"], entry(1)))
    same(Run([], flash=path).log, [], "and the second does not")


@test
def slots_are_tried_downwards_then_factory_then_upwards_then_test():
    same(started(entry(3), slots=(0, 1)), ["ota_1"], "below it")
    same(started(entry(3), slots=()), ["factory"])
    same(started(entry(1), slots=(2,), factory=False), ["ota_2"], "above it")
    same(started(entry(1), slots=(1, 2)), ["factory"], "factory is before those above it")


@test
def otadata_that_is_too_small_is_a_brick():
    rows = table(images.esp_row(DATA, 0, OTADATA, SECTOR, "otadata"), images.esp_row(APP, OTA_0, SLOTS[0], 0x80000, "ota_0"))
    run = Run([], flash=flash_file({FACTORY: app()}, rows))
    same(run.started(), [])


@test
def a_gap_in_the_slots_numbers_hides_the_last():
    rows = table(images.esp_row(DATA, 0, OTADATA, 2 * SECTOR, "otadata"), images.esp_row(APP, OTA_0, SLOTS[0], 0x80000, "ota_0"),
                 images.esp_row(APP, OTA_0 + 2, SLOTS[2], 0x80000, "ota_2"), images.esp_row(APP, TEST, SLOTS[1], 0x80000, "test"), factory=False)
    contents = {SLOTS[2]: app("ota_2", SLOTS[2]), SLOTS[1]: app("test", SLOTS[1])}
    same(Run([], flash=flash_file(contents, rows)).started(), ["test"], "there are two slots, 0 and 1")


@test
def the_boot_loaders_operations_can_be_cut():
    for number, tear in ((0, "before"), (0, "after"), (0, "random"), (1, "before"), (1, "start"), (1, "after")):
        path = device(entry(1), entry(2, NEW))
        same(Run([], f"--cut={number}:{tear}", flash=path).status, CUT, (number, tear))
        true(Run([], flash=path).started()[0] in ("ota_0", "ota_1"), (number, tear))
