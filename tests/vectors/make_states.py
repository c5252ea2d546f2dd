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

VECTORS = Path(__file__).resolve().parent / "state"
SECTOR, RECORD = 4096, 32
NORMAL, UPGRADE = 1, 2
NO_PLAN = 0xFF


def record(number, kind=NORMAL, result=1, head=0, plan=NO_PLAN, trial_plan=NO_PLAN, trial_starts=0, starts=0):
    fields = struct.pack("<I8B", number, kind, result, head, plan, trial_plan, trial_starts, 0, 0)
    tally = 0xFFFFFFFF << starts & 0xFFFFFFFF
    return fields + struct.pack("<II", zlib.crc32(fields), tally) + b"\xff" * 12


def sector(*records):
    return b"".join(records).ljust(SECTOR, b"\xff")


def full(first):
    return sector(*(record(first + i) for i in range(SECTOR // RECORD)))


def vectors():
    three = [record(1), record(2), record(3, UPGRADE, head=1, plan=0, trial_plan=1, trial_starts=3, starts=2)]
    yield "upgrade", sector(*three) + sector()
    torn = record(4)[:9].ljust(RECORD, b"\xff")
    yield "torn-record", sector(*three, torn) + sector()
    yield "second-sector", full(1) + sector(record(129), record(130))
    # The first sector was to be erased; its first half is.
    yield "torn-erase", b"\xff" * (SECTOR // 2) + full(1)[SECTOR // 2:] + full(129)
    damaged = bytearray(record(7))
    damaged[5] ^= 1
    yield "nothing-whole", sector(bytes(damaged), torn) + b"\x00" * SECTOR


def main():
    check = sys.argv[1:] == ["--check"]
    VECTORS.mkdir(exist_ok=True)
    for name, data in vectors():
        path = VECTORS / (name + ".bin")
        if path.exists():
            if path.read_bytes() != data:
                sys.exit(f"{path} is not what is made")
        elif check:
            sys.exit(f"{path} is missing")
        else:
            path.write_bytes(data)


main()
