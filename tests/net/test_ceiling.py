#!/usr/bin/env python3
"""The transcript in docs/getting-started.md of a board in the ceiling is what tools/demo-ceiling prints, as TAP."""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import tap  # noqa: E402
from tap import Skip, note, same, test, true  # noqa: E402

BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build")).resolve()
BEGIN = "### With stock MicroPython"
# Where lines are left out.
GAP = "..."


def without_numbers(line):
    """Sizes and sums are others with each change of the firmware."""
    return re.sub(r"crc32 [0-9a-f]+|\d+", "#", line)


def told():
    """The lines of the transcript."""
    page = (ROOT / "docs/getting-started.md").read_text()
    section = page[page.index(BEGIN):]
    return [line for line in section.split("```")[1].splitlines() if line.strip()]


@test
def a_board_in_the_ceiling():
    """By WebREPL alone a stock firmware gets the package and an image, installs resident mode, upgrades, and is there again: as the docs tell it"""
    if not (BUILD / "stock-A-net/firmware.bin").exists():
        raise Skip("there is no build/stock-A-net: make demo-ceiling")
    done = subprocess.run([ROOT / "tools/demo-ceiling", BUILD], capture_output=True, text=True, timeout=1800)
    true(done.returncode == 0, f"status {done.returncode}: {done.stderr[-600:]}")
    printed = [without_numbers(line) for line in done.stdout.splitlines() if line.strip()]
    lines = [without_numbers(line) for line in told()]
    true(len(lines) > 20, f"a transcript: {len(lines)} lines")
    at = 0
    is_gap = False
    for line in lines:
        if line == GAP:
            is_gap = True
            continue
        true(line in printed[at:], f"the docs say {line!r}, the board: {printed[at:at + 3]}")
        found = printed.index(line, at)
        true(is_gap or found == at, f"before {line!r} the board says {printed[at:found]}")
        at = found + 1
        is_gap = False
    same(printed[at:], [], "what the board says more")
    note(f"{len(lines)} lines")


if __name__ == "__main__":
    sys.exit(tap.main(sys.argv[1:], jobs=1))
