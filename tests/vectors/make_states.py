#!/usr/bin/env python3
"""Makes the vectors of the state log (tests/vectors/state).

Knows nothing of molt's C code but the description of the format (docs/format.md), so that the C code is tested
against a second opinion. Python's standard library only.

    tests/vectors/make_states.py            write the files that are not there yet
    tests/vectors/make_states.py --check    exit 1 if a committed file is not what would be made

Vectors are only added, never edited.
"""

import struct
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from committed import keep  # noqa: E402

VECTORS = Path(__file__).resolve().parent / "state"
SECTOR, PAGE = 4096, 256
SLOT = 2 * PAGE
SLOT_COUNT = SECTOR // SLOT
NORMAL, UPGRADE, TRIAL = 1, 2, 3
NO_PLAN = 0xFF
BLANK = b"\xff" * PAGE
ZERO = bytes(PAGE)


def copy(number, kind=NORMAL, result=1, head=0, plan=NO_PLAN, fallback=NO_PLAN, trial_starts=0, starts=0):
    """A page with a record at its beginning."""
    fields = struct.pack("<I6BH", number, kind, result, head, plan, fallback, trial_starts, 0)
    tally = 0xFFFFFFFF << starts & 0xFFFFFFFF
    return (fields + struct.pack("<II", zlib.crc32(fields), tally)).ljust(PAGE, b"\xff")


def damaged(page, off=5):
    return page[:off] + bytes([page[off] ^ 1]) + page[off + 1:]


def torn(page, size=9):
    """Only the first bytes were programmed."""
    return page[:size].ljust(PAGE, b"\xff")


def slot(*args, **fields):
    return copy(*args, **fields) * 2


def sector(*slots):
    return b"".join(slots).ljust(SECTOR, b"\xff")


def full(first):
    return sector(*(slot(first + i) for i in range(SLOT_COUNT)))


def vectors():
    upgrade = dict(kind=UPGRADE, head=1, plan=0, fallback=1, trial_starts=3)
    two = [slot(1), slot(2)]
    newest = copy(3, **upgrade, starts=2)
    yield "2-upgrade", sector(*two, newest * 2) + sector()
    yield "2-trial", sector(*two, slot(3, TRIAL, head=1, plan=1, trial_starts=5, starts=4)) + sector()
    # Either copy is enough, whatever the other holds.
    yield "2-first-copy", sector(*two, newest + damaged(newest)) + sector()
    yield "2-second-copy", sector(*two, ZERO + newest) + sector()
    # The tally is not under the CRC. The start that counts was cut between the copies.
    yield "2-tallies-differ", sector(*two, copy(3, **upgrade, starts=3) + newest) + sector()
    # The fourth was cut: in its first copy; between the copies, so that it counts.
    yield "2-torn-first", sector(*two, newest * 2, torn(copy(4)) + BLANK) + sector()
    yield "2-torn-second", sector(*two, newest * 2, copy(4) + BLANK) + sector()
    # The third slot was torn, so that it was passed over, with its number.
    yield "2-passed-over", sector(*two, torn(copy(3)) + BLANK, slot(4, **upgrade)) + sector()
    yield "2-both-torn", sector(*two, torn(newest) + damaged(newest)) + sector()
    yield "2-second-sector", full(1) + sector(slot(9), slot(10))
    # The first sector was to be erased; its first half is.
    yield "2-torn-erase", b"\xff" * (SECTOR // 2) + full(1)[SECTOR // 2:] + full(9)
    # Number 17 is in the sector that was erased before; the other still has those before it.
    yield "2-first-sector-again", sector(slot(17, head=1)) + full(9)
    yield "2-nothing-whole", sector(damaged(copy(7)) * 2, torn(copy(4)) * 2) + b"\x00" * SECTOR
    yield "2-unknown-kind", sector(*two, slot(3, 4)) + sector()


if __name__ == "__main__":
    sys.exit(keep({VECTORS / (name + ".bin"): data for name, data in vectors()}))
