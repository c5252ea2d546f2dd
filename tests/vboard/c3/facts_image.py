"""Which images the second-stage boot loader starts: each that it does not is stepped over, and what is in `test` is started."""
import functools
import struct

import images
from rig import (
    APP, app, BRICK, DIALECTS, FACTORY, flash_file, IRAM, Run, same, segments, table, TEST, test, true, WINDOW_D, WINDOW_I,
)

FALLBACK = 0x200000


def started(image, dialect="5.5", size=0xF0000):
    """Which program comes up when this is factory's image, and a good one is in `test`."""
    rows = table(images.esp_row(APP, 0, FACTORY, size, "factory"), images.esp_row(APP, TEST, FALLBACK, 0x100000, "test"), factory=False)
    path = flash_file({FACTORY: image, FALLBACK: app("fallback", FALLBACK)}, rows, dialect=dialect)
    run = Run([], flash=path)
    true(run.status == 0, run.errors)
    return run.started()[0]


refused = functools.partial(same, "fallback")


def with_segment(address, content, place=FACTORY):
    """A good image with one more segment."""
    return images.esp_image([*segments(place=place), (address, content)], IRAM)


@test
def a_good_image_is_started():
    for dialect in DIALECTS:
        same(started(app(), dialect), "factory", dialect)
        same(started(app(has_hash=False), dialect), "factory", f"{dialect}, without SHA-256")


@test
def a_wrong_magic_chip_checksum_or_hash_is_refused():
    for dialect in DIALECTS:
        right = app(has_hash=False)[-1]
        for what, header in (("magic", {"magic": 0}), ("magic with one bit less", {"magic": 0xE1}), ("chip", {"chip": 9}), ("old chip", {"chip": 0}),
                             ("checksum", {"xor": right ^ 1}), ("hash", {"digest": bytes(32)})):
            refused(started(app(**header), dialect), f"{dialect}: {what}")


@test
def one_bit_anywhere_is_seen():
    image = bytearray(app())
    for at in (0, 24, 40, 0x128, 0x140, 0x400, len(image) - 33, len(image) - 1):
        damaged = bytearray(image)
        damaged[at] ^= 1
        refused(started(bytes(damaged)), at)


@test
def without_a_hash_the_header_is_not_covered():
    image = bytearray(app(has_hash=False))
    image[2] ^= 1
    same(started(bytes(image)), "factory", "the mode in which the flash is read")


@test
def revisions_are_looked_at():
    for least, most, expected in ((4, 0xFFFF, "factory"), (5, 0xFFFF, "fallback"), (0, 4, "factory"), (0, 3, "fallback"), (0, 0, "factory")):
        same(started(app(min_revision=least, max_revision=most)), expected, (least, most))
        same(started(app(min_revision=least, max_revision=most), "4.3"), "factory", f"{(least, most)}: not these fields, before 5")


@test
def efuse_revisions_are_looked_at():
    for least, most, expected in ((103, 0xFFFF, "factory"), (104, 0xFFFF, "fallback"), (0, 102, "fallback"), (0, 103, "factory")):
        image = images.esp_image(segments(description=images.esp_description(least, most)), IRAM)
        same(started(image), expected, (least, most))
        same(started(image, "4.3"), "factory", "not before 5")


@test
def the_chips_revision_is_that_of_its_efuses():
    rows = table(images.esp_row(APP, TEST, FALLBACK, 0x100000, "test"))
    path = flash_file({FACTORY: app(min_revision=5), FALLBACK: app("fallback", FALLBACK)}, rows)
    same(Run([], flash=path).started(), ["fallback"])
    for words in ("50=3140000", "58=1000000", "58=800000"):
        same(Run([], "--efuse", words, flash=path).started(), ["factory"], words)


@test
def more_than_16_segments_are_refused():
    for count, expected in ((12, "factory"), (13, "fallback")):
        image = images.esp_image([*segments(), *[(0, b"")] * count], IRAM)
        same(started(image), expected, count + 4)


@test
def a_segment_of_odd_or_impossible_size_is_refused():
    refused(started(with_segment(0x3FC98000, b"12345")), "odd")
    image = bytearray(app())
    struct.pack_into("<I", image, 28, 0x1000000)
    refused(started(bytes(image)), "16 MB")
    struct.pack_into("<I", image, 28, 0x800000)
    refused(started(bytes(image)), "beyond the chip")


@test
def a_first_segment_shorter_than_a_description_is_refused_by_5_5():
    for size, expected in ((256, "factory"), (252, "fallback")):
        image = images.esp_image([(WINDOW_D + 0x20, bytes(size)), (WINDOW_I + 0x28 + size, b"\0" * 4), *segments()[2:]], IRAM)
        same(started(image), expected, size)
        same(started(image, "4.3"), "factory", size)


@test
def mapped_segments_lie_in_flash_as_in_the_window():
    first, second, *rest = segments()
    refused(started(images.esp_image([(first[0] + 4, first[1]), second, *rest], IRAM)), "data")
    refused(started(images.esp_image([first, (second[0] - 4, second[1]), *rest], IRAM)), "code")
    same(started(images.esp_image([(first[0] + 0x20000, first[1]), second, *rest], IRAM)), "factory", "another page")


@test
def nothing_is_loaded_over_the_boot_loader_or_where_no_ram_is():
    for address in (0x3FCCE70C, 0x3FCDE710, 0x403DE710, 0x403CE70C, 0x50000000, 0x50001FFC, 0x4037C000, 0x3FC98000):
        same(started(with_segment(address, b"1234")), "factory", hex(address))
    for address in (0x3FCCE710, 0x3FCD5710, 0x3FCDE70C, 0x403CE710, 0x403D570C, 0x403DE70C, 0x3FCE0000, 0x3FC7FFFC, 0x20000000, 0x40000000,
                    0x4037BFFC, 0x60000000, 0x50002000):
        refused(started(with_segment(address, b"1234")), hex(address))
    refused(started(with_segment(0x3FCDFFFC, b"1234"), "4.3"), "4.3 looks at the byte behind, too")
    same(started(with_segment(0, b"1234")), "factory", "padding is not loaded")


@test
def an_image_larger_than_its_partition_is_refused():
    image = app()
    same(started(image, size=len(image)), "factory")
    refused(started(image, size=len(image) - 1))
    refused(started(image, size=0x100))


@test
def idf_5_5_cannot_start_an_image_without_mapped_segments_and_4_3_can():
    first, second, *rest = segments()
    description = (0x3FC98000, images.esp_description())
    for what, parts in (("none", [description, *rest]), ("no code", [first, *rest])):
        image = images.esp_image(parts, IRAM)
        same(started(image, "4.3"), "factory", what)
        run = Run([], flash=flash_file({FACTORY: image, FALLBACK: app("fallback", FALLBACK)}))
        same((run.status, run.started()), (BRICK, []), f"{what}: it is not stepped over")
        true("abort" in run.output, run.output)


@test
def an_image_may_lie_anywhere():
    place = 0x6000
    rows = table(behind=images.esp_row(APP, TEST, place, 0x1000, "here") + images.esp_row(1, 0x40, 0x7000, 0x1000, "last"))
    run = Run([], flash=flash_file({place: app("gap", place)}, rows))
    same((run.status, run.started()), (0, ["gap"]))
