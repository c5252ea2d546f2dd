#!/usr/bin/env python3
"""The tool on dumps of the ESP32 family whose partition table has OTA slots, as TAP. rig.py has how to run it, esp32.py the devices."""

import gzip
import struct
import sys
import zlib

from rig import SECTOR, check, good, main, refused, test
from esp32 import APP, CHIPS, FS, SIZE, WITHOUT_LOADER, Board, app, shown_on_page, told
from images import esp_row, esp_table

ENTRIES = 0xD000
SLOT_SIZE = 0x30000
SLOTS = APP, APP + SLOT_SIZE
NVS, OTADATA = esp_row(1, 2, 0x9000, 0x4000, "nvs"), esp_row(1, 0, ENTRIES, 2 * SECTOR, "otadata")
VFS = esp_row(1, 0x81, FS, SIZE - FS, "vfs")


def ota(number, addr, size=SLOT_SIZE):
    return esp_row(0, 0x10 + number, addr, size, f"ota_{number}")


ROWS = [NVS, OTADATA, ota(0, SLOTS[0]), ota(1, SLOTS[1]), VFS]


def board_with(folder, rows=None, **words):
    return Board(folder, table=esp_table(rows or ROWS), **words)


def entry(number, state, label=b""):
    """One of otadata's. [esp_ota_select_entry_t]"""
    data = struct.pack("<I", number)
    crc = zlib.crc32(data, 0xFFFFFFFF)
    return data + label.ljust(20, b"\xff") + struct.pack("<II", state, crc)


def with_otadata(board, *entries):
    data = bytearray(board.before)
    data[ENTRIES:ENTRIES + 2 * SECTOR] = b"".join(e.ljust(SECTOR, b"\xff") for e in entries).ljust(2 * SECTOR, b"\xff")
    board.path.write_bytes(bytes(data))


def has(board, slot, image, before):
    """The image is in that slot, and nothing but it and otadata has changed."""
    now = board.now()
    begin, end = SLOTS[slot], SLOTS[slot] + SLOT_SIZE
    check(now[begin:begin + len(image)] == image, "the image is in the slot")
    check(now[:ENTRIES] == before[:ENTRIES] and now[ENTRIES + 2 * SECTOR:begin] == before[ENTRIES + 2 * SECTOR:begin], "in front of it")
    check(now[end:] == before[end:], "behind it")


@test
def the_slots_are_told_with_the_one_that_starts(folder):
    board = board_with(folder)
    found = board.info()
    check(found["valid"] and (found["slots"]["count"], found["slots"]["starts"], found["slots"]["next"]) == (2, 0, 1), found["slots"])
    check(not found["standby"]["possible"] and found["firmware"]["address"] == SLOTS[0], found)
    text = good("info", board.path).out
    check("2; ota_0 starts, and an upgrade goes into ota_1" in text and "none prepared" in text, text)
    check("at 0x040000: erased" in text, text)


@test
def an_upgrade_goes_into_the_other_slot_and_the_next_one_back(folder):
    old = app(70000, 1)
    board = board_with(folder, files={"old.bin": old})
    plan = told("plan", board.path, "new.bin")
    check(plan["slots"] and not plan["standby"] and plan["possible"], plan)
    check(plan["steps"][0]["address"] == SLOTS[1] and not plan["in_place"], plan["steps"])
    check(all(t["fatal_windows_ms"] == [] for t in plan["time"]), plan["time"])
    text = good("plan", board.path, "new.bin").out
    check("the slot that does not run" in text and "otadata" in text and "2 x" not in text, text)
    check("upgraded from new.bin" in good("upgrade", board.path, "new.bin").out, "said")
    has(board, 1, board.new, board.before)
    found = board.info()
    check((found["slots"]["starts"], found["slots"]["next"]) == (1, 0), found["slots"])
    check("the last one was carried out" in found["upgrade"]["text"], found["upgrade"])
    check("in place already" in good("upgrade", board.path, "new.bin").out, "again")
    before = board.now()
    good("upgrade", board.path, "old.bin", "-q")
    has(board, 0, old, before)
    check(board.info()["slots"]["starts"] == 0, "the first one starts")


@test
def from_a_gzip_file_and_a_delta_file_too(folder):
    old, new = app(70000, 1), app(70000, 1, "v1.27.0")
    (folder / "a").write_bytes(old)
    (folder / "b").write_bytes(new)
    said = good("delta", folder / "a", folder / "b", folder / "patch").out
    check("OTA slots" in said, said)
    (folder / "c").write_bytes(app(70000, 1, of=CHIPS[1]))
    refused("delta", folder / "a", folder / "c", folder / "patch2", saying="give two images for one chip")
    check(not (folder / "patch2").exists(), "nothing is left")
    files = {"new.gz": gzip.compress(new, mtime=0), "new.delta": (folder / "patch").read_bytes()}
    check("delta file" in good("info", folder / "patch").out, "it is known")
    for path in files:
        board = board_with(folder, files=files)
        good("plan", board.path, path)
        good("upgrade", board.path, path, "-q")
        has(board, 1, new, board.before)


@test
def a_power_cut_anywhere_leaves_what_ran_or_the_new_firmware(folder):
    board = board_with(folder)
    count = told("plan", board.path, "new.bin")["operations"]["total"]
    old, new = 0, 0
    for op in sorted({*range(0, count, 37), *range(count - 6, count)}):
        for tear in ("before", "random", "after"):
            board.reset()
            result = good("upgrade", board.path, "new.bin", "--cut", f"{op}:{tear}")
            check("power cut in flash operation" in result.out and "nothing boots" not in result.out, op, tear, result.out)
            good("boot", board.path)
            starts = board.info()["slots"]["starts"]
            old, new = old + (starts == 0), new + (starts == 1)
            check(board.now()[SLOTS[0]:SLOTS[1]] == board.before[SLOTS[0]:SLOTS[1]], op, tear, "what ran")
            if starts == 0 and op % 2:
                good("upgrade", board.path, "new.bin", "-q")
                has(board, 1, board.new, board.before)
    check(old > 20 and new > 0, old, new)


@test
def torture_has_no_windows_and_loses_nothing(folder):
    board = board_with(folder, new=app(30000, 2, "v1.27.0"))
    result = good("torture", board.path, "new.bin", "--tears", "random,zero")
    check("what runs is not written" in result.out and "fatal window" not in result.out, result.out)
    check(board.now() == board.before, "the dump is as it was")


@test
def a_trial_is_told(folder):
    board = board_with(folder)
    # molt's entries: docs/format.md.
    label = b"molt" + struct.pack("<I", 7) + b"tril"
    for state, words in ((0, "on trial; unless it confirms in its next start"), (2, "on trial, and was confirmed"),
                         (4, "what ran before starts again")):
        good("upgrade", board.path, "new.bin", "-q")
        with_new = board.now()
        data = bytearray(with_new)
        data[ENTRIES:ENTRIES + 2 * SECTOR] = (entry(1, 2).ljust(SECTOR, b"\xff") + entry(2, state, label).ljust(SECTOR, b"\xff"))
        board.path.write_bytes(bytes(data))
        found = board.info()
        check(words in found["upgrade"]["text"], state, found["upgrade"])
        check(found["slots"]["starts"] == (0 if state == 4 else 1), state, found["slots"])
        board.reset()


@test
def nothing_is_installed_and_what_cannot_be_has_its_sentence(folder):
    board = board_with(folder)
    for command in "install", "uninstall":
        refused(command, board.path, saying="nothing is installed for it")
    refused("upgrade", board.path, "new.bin", "--erase-all", saying="leave out erase_all")
    for rows, words in (([NVS, OTADATA, ota(0, SLOTS[0]), VFS], "only OTA slot"),
                        ([NVS, ota(0, SLOTS[0]), ota(1, SLOTS[1]), VFS], "no otadata"),
                        ([NVS, OTADATA, ota(0, SLOTS[0]), ota(2, SLOTS[1]), VFS], "do not follow each other")):
        board = board_with(folder, rows)
        refused("upgrade", board.path, "new.bin", saying=words)
        refused("plan", board.path, "new.bin", saying=words)
        found = board.info()
        check(words in found["slots"]["text"] and not found["slots"]["possible"], found["slots"])
        check("no: " in good("doctor", board.path).out, "doctor")
    board = board_with(folder, [NVS, OTADATA, ota(0, SLOTS[0]), ota(1, SLOTS[1], 0x10000), VFS])
    refused("upgrade", board.path, "new.bin", saying="larger than the app partition")


@test
def with_a_factory_partition_it_starts_until_a_slot_does(folder):
    factory = esp_row(0, 0, APP, 0x20000, "factory")
    board = board_with(folder, [NVS, OTADATA, factory, ota(0, APP + 0x20000, 0x20000), ota(1, APP + 0x40000, 0x20000), VFS])
    found = board.info()
    check((found["slots"]["starts"], found["slots"]["next"]) == (-1, 0), found["slots"])
    check("factory starts, and an upgrade goes into ota_0" in good("info", board.path).out, "said")
    good("upgrade", board.path, "new.bin", "-q")
    found = board.info()
    check((found["slots"]["starts"], found["slots"]["next"]) == (0, 1), found["slots"])


@test
def each_chip_of_the_family(folder):
    for chip in CHIPS + WITHOUT_LOADER:
        board = board_with(folder, of=chip)
        good("upgrade", board.path, "new.bin", "-q")
        has(board, 1, board.new, board.before)


@test
def doctor_knows_them(folder):
    board = board_with(folder)
    text = " ".join(good("doctor", board.path).out.split())
    check("OTA slots an upgrade goes into the one that does not run" in text and "can be put in" in text, text)
    check("molt plan" in text and "standby" not in text, text)
    found = told("doctor", board.path)
    check(any(way["way"] == "slots" for way in found["ways"]) if isinstance(found["ways"], list) else "slots" in found["ways"], found["ways"])


@test
def the_page_shows_what_the_tool_prints(folder):
    board = board_with(folder)
    check(shown_on_page("OTA slots", folder) == 3 and board.now() != board.before, "it was run")


if __name__ == "__main__":
    sys.exit(main())
