#!/usr/bin/env python3
"""Makes the seeds of tests/fuzz/fuzz_extents.c (tests/fuzz/corpus/extents): edits of the small test device's volume.

    tests/fuzz/make_extents.py            write the files that are not there yet
    tests/fuzz/make_extents.py --check    exit 1 if a committed file is not what would be made
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vectors"))
from committed import keep  # noqa: E402

CORPUS = Path(__file__).resolve().parent / "corpus" / "extents"
BLOCK = 512


def edits(flags, changes):
    return bytes([flags]) + b"".join(struct.pack("<HB", off, value) for off, value in changes)


def seeds():
    """name -> bytes. Flags: 1 makes the CRCs of edited directories right, 2 erases the volume first."""
    made = {"none": b"", "untouched": edits(0, []), "erased": edits(2, [])}
    # The superblock's magic, version, block size, block count, name and file limits; in both blocks.
    for name, off in (("magic", 8), ("version", 22), ("block-size", 24), ("block-size-high", 26), ("block-count", 28),
                      ("name-max", 32), ("file-max", 39), ("revision", 0), ("first-tag", 4)):
        for flags in (0, 1):
            made["super-%s-%d" % (name, flags)] = edits(flags, [(off, 0x41), (BLOCK + off, 0x41)])
    # Every eighth byte of the first blocks, one by one and with the CRC made right: directories are among them.
    for block in range(8):
        for off in range(4, BLOCK, 60):
            made["block-%d-%d" % (block, off)] = edits(1, [(block * BLOCK + off, 0x15)])
    # The pointers at the front of every block, as in a damaged list.
    made["pointers"] = edits(0, [(block * BLOCK, 0x07) for block in range(2, 42)])
    made["pointers-far"] = edits(0, [(block * BLOCK + 3, 0x80) for block in range(2, 42)])
    return made


if __name__ == "__main__":
    sys.exit(keep({CORPUS / name: data for name, data in seeds().items()}))
