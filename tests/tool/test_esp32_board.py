#!/usr/bin/env python3
"""What the tool makes of an ESP32's flash, on the virtual board, which knows nothing of it, as TAP: rig.py has how to run it. It needs
`make vboard`; VBOARD_BUILD says where that is. Chip by chip, as the loader of each is another program."""

import gzip
import hashlib
import json
import os
import struct
import subprocess
import sys

from rig import ROOT, check, good, images, main, test
from esp32 import APP, BOARDS, C3, C6, Board, app, description, told

BRICK, POWER_CUT = 70, 72
STARTED = 42  # what the new firmware exits with
# Of the code in each chip's mask ROM, which ends with functions that only the virtual board has. [vboard/esp32c3/rom_entries*.h]
ROM_END = {"esp32c3": 0x40060000, "esp32c2": 0x40090000, "esp32c6": 0x40040000, "esp32c61": 0x40030000,
           "esp32h2": 0x40010000}
EXIT_OFF = -0x100
# Cuts on each chip: every so manieth operation, with these tears in turn; and some twice in a row.
CUT_STEP = int(os.environ.get("CUT_STEP", 29))
# Of an image that has whole 64 KB blocks to be erased.
LONG = 330000
STEPS_MIN = 8  # of an upgrade; and the boot loader feeds once
TEARS = ("random", "zero", "after", "suffix", "stray", "before", "prefix")


def stopping(chip, size, version, status=STARTED, data=None):
    """An app that does nothing but to end the board's run, by a function of the ROM. It has these data, or noise of that size."""
    a0, t0 = 10, 5
    code = struct.pack("<III", status << 20 | a0 << 7 | 0x13, ROM_END[chip.board] | t0 << 7 | 0x37,
                       (EXIT_OFF & 0xFFF) << 20 | t0 << 15 | 0x67)
    return images.esp_image([(chip.data + 0x20, description(version, "v5.4.1")), (chip.code + 0x128, data or images.noise(size, 7)),
                             (chip.ram, code)], chip.ram, chip.number)


def boot_loader(folder, chip):
    subprocess.run([sys.executable, ROOT / "vboard/esp32c3/mkloader", "5.5", "1", folder / "loader.bin", chip.board], check=True)
    return (folder / "loader.bin").read_bytes()


def prepared(folder, chip, path="new.bin", status=STARTED, size=30000):
    """A board in standby mode, with the project's own program as boot loader; an upgrade is prepared."""
    old = app(70000, 1, of=chip)
    shared = images.noise(600, 7) + old[9000:9000 + size // 2] + old[1000:1000 + size // 2] if path == "new.delta" else None
    new = stopping(chip, size, "v1.27.0", status, shared)
    files = {"new.gz": gzip.compress(new, mtime=0)} if path == "new.gz" else {}
    if path == "new.delta":
        for name, data in (("old", old), ("new", new)):
            (folder / name).write_bytes(data)
        good("delta", folder / "old", folder / "new", folder / path)
        files = {path: (folder / path).read_bytes()}
    board = Board(folder, new=new, boot=boot_loader(folder, chip), files=files, of=chip).install()
    last = told("plan", board.path, path)["operations"]["prepare"] - 1
    good("upgrade", board.path, path, "-q", "--cut", f"{last}:after")
    return board


def run(board, *words):
    environment = {"VBOARD_BUILD": str(ROOT / "build/vboard"), **os.environ}
    done = subprocess.run([ROOT / "vboard/run", board.path, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60 if CUT_STEP > 9 else 900)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def check_started(status, text):
    check(status == STARTED, "the new firmware was entered:", status, text[-2000:])


def carried_out(chip, path, size):
    def an_upgrade(folder):
        board = prepared(folder, chip, path, size=size)
        status, text = run(board, "--icount", "--stats", folder / "stats")
        check(f"ESP-ROM:{chip.board}" in text or chip.board == "esp32c2", "the board is one:", text)
        check("factory cannot be booted" in text and "molt: upgrading" in text and "done" in text, text)
        check_started(status, text)
        stats = json.loads((folder / "stats").read_text())
        check(stats["watchdog_feeds"] > STEPS_MIN and stats["watchdog_bites"] == 0, "the watchdog is fed:", stats)
        # From a delta file molt resets when it is through with the operations, and starts once more.
        starts = 5 if path == "new.delta" else 3
        check(stats["super_watchdog_writes"] == starts, "the super watchdog is told to feed itself, by the boot loader's starts and molt's:", stats)
        check(stats["block_erases"] > 0 or size < LONG, "64 KB blocks are erased:", stats)
        board.check_has(board.new)
        check("was carried out" in board.info()["upgrade"]["text"], board.info())
    an_upgrade.__doc__ = f"{chip.name}: an upgrade from {path} that the tool has prepared is carried out by the board."
    return an_upgrade


def handed_over(chip):
    def an_upgrade(folder):
        board = prepared(folder, chip)
        status, text = run(board, "--cut", "300:random")
        check(status == POWER_CUT, status, text)
        good("boot", board.path, "-q", "--cut", "20:random")
        check(board.info(status=1)["upgrade"]["state"] == "prepared", board.info(status=1))
        check_started(*run(board))
        board.check_has(board.new)
        board = prepared(folder, chip)
        run(board, "--cut", "300:random")
        good("boot", board.path, "-q")
        board.check_has(board.new)
        check_started(*run(board))
    an_upgrade.__doc__ = f"{chip.name}: an upgrade that was cut on the board is finished by the tool, and the other way round."
    return an_upgrade


def runs(board, cuts):
    """The board's lines on these runs, "17:random 3:zero" each, and on the one without a cut, which is the last."""
    (board.folder / "list").write_text("\n".join(cuts))
    text = run(board, "--runs", board.folder / "list", "--digest", f"{APP:#x}:{len(board.new):#x}")[1]
    return [line.split() for line in text.splitlines() if "power_ons=" in line]


def cut(chip, path="new.bin"):
    def an_upgrade(folder):
        board = prepared(folder, chip, path, status=0)
        right = hashlib.sha256(board.new).hexdigest()
        uncut = runs(board, [])[-1]
        check(uncut[:2] == ["-", "0"] and uncut[-1] == right, "without a cut:", uncut)
        count = int(dict(word.split("=") for word in uncut[2:-1])["operations"])
        cuts = [f"{n}:{TEARS[n // CUT_STEP % len(TEARS)]}" for n in range(0, count, CUT_STEP)] + [f"{n}:random 3:zero" for n in (200, count - 2)]
        results = runs(board, cuts)
        lost = [result for result in results if result[1] != "0" or result[-1] != right]
        check(len(results) == len(cuts) + 1 and not lost, len(results), "of", len(cuts) + 1, "runs; lost:", lost[:3])
        check(["power_ons=%d" % (3 if "," in result[0] else 2) in result for result in results[:-1]] == [True] * len(cuts),
              "each was cut:", results)
    an_upgrade.__doc__ = f"{chip.name}: power cuts in an upgrade from {path} on the board, each tear; all recover."
    return an_upgrade


def taken_out(chip):
    def the_board(folder):
        board = Board(folder, new=stopping(chip, 30000, "v1.27.0"), of=chip).install()
        loader = boot_loader(folder, chip)
        board.path.write_bytes(loader + board.now()[len(loader):APP] + board.new + board.now()[APP + len(board.new):])
        good("uninstall", board.path)
        check_started(*run(board))
        board.path.write_bytes(board.now()[:APP] + b"\0" + board.now()[APP + 1:])
        status, text = run(board)
        check(status == BRICK and "molt:" not in text, "nothing is left to start:", status, text[-2000:])
    the_board.__doc__ = f"{chip.name}: where standby mode was taken out the board starts nothing else than the firmware."
    return the_board


for each in BOARDS:
    of_some = (handed_over(each), taken_out(each)) if each in (C3, C6) else ()
    for made in (carried_out(each, "new.bin", LONG), carried_out(each, "new.gz", 30000), carried_out(each, "new.delta", 30000), cut(each),
                 cut(each, "new.delta"), *of_some):
        made.__name__ = f"{each.board} {made.__doc__}"  # what is chosen by
        test(made)


if __name__ == "__main__":
    sys.exit(main())
