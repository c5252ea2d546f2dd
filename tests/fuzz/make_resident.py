#!/usr/bin/env python3
"""Makes the seeds of tests/fuzz/fuzz_resident.c (tests/fuzz/corpus/resident): changes in the reserved region of the small
test device, which has sectors of 512 bytes and pages of 128. docs/format.md says what lies where.

    tests/fuzz/make_resident.py            write the files that are not there yet
    tests/fuzz/make_resident.py --check    exit 1 if a committed file is not what would be made
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vectors"))
from committed import keep  # noqa: E402

CORPUS = Path(__file__).resolve().parent / "corpus" / "resident"
SECTOR, PAGE = 512, 128
HEADER = SECTOR - 132
SCENARIOS = {"rest": 0, "upgrade": 1, "trial": 2}
SEAL_PLAN, SEAL_LOG = 4, 8


def at(sector, off=0):
    return sector * SECTOR + off


def edits(flags, changes):
    return bytes([flags]) + b"".join(struct.pack("<HB", off, value) for off, value in changes)


def in_all_copies(off, value):
    """One byte of every record: two sectors of two slots of two copies."""
    return [(at(4, page * PAGE + off), value) for page in range(8)]


def seeds():
    """name -> bytes"""
    for name, flags in SCENARIOS.items():
        yield name, edits(flags, [])
        yield name + "-head", edits(flags, [(at(0, 20), 0x5A)])
        yield name + "-heads", edits(flags, [(at(0), 0), (at(1), 0)])
        yield name + "-overlay", edits(flags, [(at(7, 22), 0)])
        yield name + "-extension", edits(flags, [(at(6, 22), 0)])
        yield name + "-no-records", edits(flags, in_all_copies(12, 0))
        yield name + "-first-copies", edits(flags, [(at(4, slot * 2 * PAGE + 12), 0) for slot in range(4)])
        yield name + "-second-copies", edits(flags, [(at(4, (slot * 2 + 1) * PAGE + 12), 0) for slot in range(4)])
        yield name + "-log-zero", edits(flags, [(at(4, off), 0) for off in range(0, 2 * SECTOR)])
        yield name + "-log-blank", edits(flags, [(at(4, off), 0xFF) for off in range(0, 2 * SECTOR)])
        for field, off, values in (("kind", 4, (0, 1, 2, 3, 4)), ("result", 5, (3,)), ("head", 6, (1, 2)), ("plan", 7, (0, 1, 0xFF)),
                                   ("fallback", 8, (0, 1)), ("trial-starts", 9, (0, 40)), ("tally", 16, (0, 0x0F))):
            for value in values:
                yield "%s-%s-%d" % (name, field, value), edits(flags | SEAL_LOG, in_all_copies(off, value))
        # The header's words, one by one, under a CRC that is made right.
        for word in range(2, 27):
            yield "%s-plan-word-%d" % (name, word), edits(flags | SEAL_PLAN, [(at(2, HEADER + 4 * word + 1), 0x15)])
        yield name + "-plan-gone", edits(flags, [(at(2, HEADER + i), 0xFF) for i in range(132)])
        yield name + "-fallback-gone", edits(flags, [(at(3, HEADER + i), 0xFF) for i in range(132)])
        # What is blank in a plan's sector is the journal's, or nobody's.
        yield name + "-all-marked", edits(flags, [(at(2, off), 0) for off in range(0, 256)])
        yield name + "-half-marked", edits(flags, [(at(2, off), 0xAA) for off in range(0, 256)])


if __name__ == "__main__":
    sys.exit(keep({CORPUS / ("2-" + name): data for name, data in seeds()}))
