#!/usr/bin/env python3
"""What the tool makes of an ESP32-C3's flash, on the virtual board, which knows nothing of it, as TAP: rig.py has how to run it. It
needs `make vboard`; VBOARD_BUILD says where that is."""

import os
import subprocess
import sys

from rig import ROOT, check, good, images, main, test
from esp32 import APP, Board, description, told

BRICK, CRASH, POWER_CUT = 70, 71, 72
ENTRY = 0x40380000


def stopping(size, version):
    """An app that the board stops at: where it is entered is an instruction that nothing handles."""
    code = b"\x73\x00\x10\x00" * (size // 4)
    return images.esp_image([(0x3C000020, description(version, "v5.4.1")), (0x42000128, bytes(4)), (ENTRY, code)], ENTRY)


def prepared(folder):
    """A board in standby mode, with the project's own program as boot loader; an upgrade to new.bin is prepared."""
    subprocess.run([sys.executable, ROOT / "vboard/esp32c3/mkloader", "5.5", "1", folder / "loader.bin"], check=True)
    board = Board(folder, new=stopping(30000, "v1.27.0"), boot=(folder / "loader.bin").read_bytes()).install()
    last = told("plan", board.path, "new.bin")["operations"]["prepare"] - 1
    good("upgrade", board.path, "new.bin", "-q", "--cut", f"{last}:after")
    return board


def run(board, *words):
    environment = {"VBOARD_BUILD": str(ROOT / "build/vboard"), **os.environ}
    done = subprocess.run([ROOT / "vboard/run", board.path, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def check_started(status, text):
    check(status == CRASH and f"{ENTRY:08x}" in text, "the new firmware was entered:", status, text[-2000:])


@test
def an_upgrade_that_the_tool_has_prepared_is_carried_out_by_the_board(folder):
    board = prepared(folder)
    status, text = run(board)
    check("falling back to test" in text and "molt: upgrading" in text and "done" in text, text)
    check_started(status, text)
    board.check_has(board.new)
    check("was carried out" in board.info()["upgrade"]["text"], board.info())


@test
def an_upgrade_that_was_cut_on_the_board_is_finished_by_the_tool_and_the_other_way_round(folder):
    board = prepared(folder)
    status, text = run(board, "--cut", "300:random")
    check(status == POWER_CUT, status, text)
    good("boot", board.path, "-q", "--cut", "20:random")
    check(board.info(status=1)["upgrade"]["state"] == "prepared", board.info(status=1))
    check_started(*run(board))
    board.check_has(board.new)
    board = prepared(folder)
    run(board, "--cut", "300:random")
    good("boot", board.path, "-q")
    board.check_has(board.new)
    check_started(*run(board))


@test
def where_standby_mode_was_taken_out_the_board_starts_nothing_else_than_the_firmware(folder):
    board = Board(folder, new=stopping(30000, "v1.27.0"), boot=None).install()
    subprocess.run([sys.executable, ROOT / "vboard/esp32c3/mkloader", "5.5", "1", folder / "loader.bin"], check=True)
    loader = (folder / "loader.bin").read_bytes()
    data = loader + board.now()[len(loader):APP] + board.new + board.now()[APP + len(board.new):]
    board.path.write_bytes(data)
    good("uninstall", board.path)
    check_started(*run(board))
    board.path.write_bytes(board.now()[:APP] + b"\0" + board.now()[APP + 1:])
    status, text = run(board)
    check(status == BRICK and "falling back" not in text, "nothing is left to start:", status, text[-2000:])


if __name__ == "__main__":
    sys.exit(main())
