"""The partition table as the second-stage boot loader reads it, and the order of what is tried."""
import images
from rig import APP, app, BRICK, DATA, FACTORY, flash_file, MEGABYTE, Run, same, table, TABLE, TEST, test, true

TEST_PLACE = 0x200000
STANDARD = [images.esp_row(DATA, 2, 0x9000, 0x6000, "nvs"), images.esp_row(DATA, 1, 0xF000, 0x1000, "phy_init"),
            images.esp_row(APP, 0, FACTORY, 0xF0000, "factory")]
FALLBACK = images.esp_row(APP, TEST, TEST_PLACE, 0x10000, "fallback")
DUMMY = images.esp_row(DATA, 0x40, 0x7000, 0x1000, "dummy")


def started(rows, factory=True, dialect="5.5"):
    """What is started from this table, with a good image in `test` and one in factory, or none. (status, names)"""
    images_by_place = {TEST_PLACE: app("fallback", TEST_PLACE), **({FACTORY: app()} if factory else {})}
    run = Run([], flash=flash_file(images_by_place, rows, dialect=dialect))
    return run.status, run.started()


@test
def the_standard_table_is_taken_with_and_without_md5():
    same(started(table()), (0, ["factory"]))
    same(started(b"".join(STANDARD)), (0, ["factory"]))


@test
def a_table_that_is_damaged_is_a_brick():
    wrong_md5 = bytearray(table())
    wrong_md5[-1] ^= 1
    wrong_row = bytearray(table())
    wrong_row[30] ^= 1
    full = b"".join([STANDARD[0]] * 93 + STANDARD)
    for what, rows in (("blank", b""), ("MD5", bytes(wrong_md5)), ("a bit of a row", bytes(wrong_row)), ("two MD5", table(behind=table()[-32:])),
                       ("no magic", b"".join(STANDARD[:1]) + b"\xaa\x51" + STANDARD[1][2:]), ("no end", full),
                       ("nothing but zeros", bytes(64)), ("junk behind MD5", table(behind=b"\0" * 32)),
                       ("beyond the chip", table(images.esp_row(DATA, 0x81, 3 * MEGABYTE, MEGABYTE + 1, "vfs"))),
                       ("address beyond the chip", table(images.esp_row(DATA, 0x81, 4 * MEGABYTE + 1, 0, "vfs")))):
        same(started(rows), (BRICK, []), what)
    same(started(table(images.esp_row(DATA, 0x81, 3 * MEGABYTE, MEGABYTE, "vfs"))), (0, ["factory"]), "up to the chip's end")


@test
def the_end_is_known_by_three_fields():
    # A row's body can be programmed while it still reads as the end.
    body = b"\xff" * 4 + FALLBACK[4:]
    same(started(table(behind=body)), (0, ["factory"]))
    for head in (b"\xff\xff\x00\xff", b"\xff\xff\xff\x20", b"\xaa\xff\xff\xff"):
        same(started(table(behind=head + FALLBACK[4:])), (BRICK, []), head)


@test
def rows_behind_the_md5_are_read_but_for_the_last():
    for dialect in ("4.3", "5.5"):
        same(started(table(behind=FALLBACK + DUMMY), False, dialect), (0, ["fallback"]), dialect)
        same(started(table(behind=FALLBACK), False, dialect)[0], BRICK, f"{dialect}: the last is not looked at")
        same(started(table(behind=FALLBACK + DUMMY), True, dialect), (0, ["factory"]), dialect)
    same(started(b"".join(STANDARD) + FALLBACK, False), (0, ["fallback"]), "without MD5 there is no last row to lose")


@test
def test_is_the_last_choice():
    same(started(table(FALLBACK)), (0, ["factory"]))
    status, names = started(table(FALLBACK), factory=False)
    same((status, names), (0, ["fallback"]))


@test
def a_partition_of_no_size_is_stepped_over():
    none = images.esp_row(APP, TEST, TEST_PLACE, 0, "none")
    same(started(table(none), False)[0], BRICK)
    empty = images.esp_row(APP, 0, FACTORY, 0, "factory")
    run = Run([], flash=flash_file({TEST_PLACE: app("fallback", TEST_PLACE)}, table(empty, FALLBACK, factory=False)))
    same(run.started(), ["fallback"])
    true("factory cannot" not in run.output, "it is not even tried")


@test
def a_program_in_test_is_not_started_when_its_size_has_no_place_for_it():
    small = images.esp_row(APP, TEST, TEST_PLACE, 0x100, "small")
    same(started(table(small), False)[0], BRICK)


@test
def the_table_is_looked_for_at_0x8000_only():
    path = flash_file()
    content = bytearray(path.read_bytes())
    content[0x9000:0x9000 + 0xC00], content[TABLE:TABLE + 0xC00] = content[TABLE:TABLE + 0xC00], b"\xff" * 0xC00
    path.write_bytes(content)
    same(Run([], flash=path).status, BRICK)
