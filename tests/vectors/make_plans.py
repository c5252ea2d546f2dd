#!/usr/bin/env python3
"""Makes the vectors of stored plans and reports (tests/vectors/plan) and the fuzzer's seeds (tests/fuzz/corpus/plan).

Knows nothing of molt's C code but the descriptions of the formats (docs/format.md), so that the C code is tested
against a second opinion. Python's standard library only.

    tests/vectors/make_plans.py            write the files that are not there yet
    tests/vectors/make_plans.py --check    exit 1 if a committed file is not what would be made

Vectors are only added, never edited.
"""

import struct
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
VECTORS = HERE / "plan"
CORPUS = HERE.parent / "fuzz" / "corpus" / "plan"

SECTOR = 4096
BLOCK = 65536
KB = 1024

# (address, bytes) of a file's pieces, one a sector, as littlefs might place them: pointers first, then data.
PIECES = [
    (0x100000, 4096), (0x105004, 4092), (0x106008, 4088), (0x130004, 4092), (0x13100C, 4084), (0x3F0004, 4092),
    (0x200008, 4088), (0x201004, 4092), (0x202010, 4080), (0x203004, 4092), (0x107008, 64),
]


def bit_set(steps, count):
    """A bit a step, in whole words."""
    value = sum(1 << step for step in steps)
    return value.to_bytes(-(-count // 32) * 4, "little")


def padded(data):
    """To whole words, with the bytes of erased flash."""
    return data + b"\xff" * (-len(data) % 4)


class Plan:
    """The fields of a stored plan; what is computed can be overridden by keyword."""

    def __init__(self, **fields):
        self.sector_size, self.block_size = SECTOR, BLOCK
        self.flash_size = 4096 * KB
        self.pieces = PIECES
        self.crc = 0x89ABCDEF
        self.flash_params = 0x4F02
        self.head = (0x300000, 0x13572468)
        self.report_addr = 0x301008
        self.fs = (1024 * KB, 0)
        self.kind = 0
        self.unpacked = None   # (size, CRC) of the image in a gzip file
        self.extension = (0, 0, 0)  # address, size, CRC
        self.changed = [1, 9]  # sectors of the image
        self.done = []         # steps
        self.override = {}     # header field -> value
        self.loader = b""
        self.__dict__.update(fields)

    def source_size(self):
        return sum(size for _, size in self.pieces)

    def image(self):
        """Size and CRC."""
        return self.unpacked or (self.source_size(), self.crc)

    def step_count(self):
        return self.fs_step() + len(self.fs_blocks())

    def fs_step(self):
        return 1 + -(-self.image()[0] // self.block_size) * (self.block_size // self.sector_size + 1)

    def fs_blocks(self):
        addr, size = self.fs
        return range(addr // self.block_size, -(-(addr + size) // self.block_size)) if size else []

    def sector_step(self, sector):
        """Step 0 is the check; each block has an erase in front of its sectors."""
        per_block = self.block_size // self.sector_size
        return 1 + sector // per_block * (per_block + 1) + 1 + sector % per_block

    def todo(self):
        """As long as no block has enough changed sectors for an erase of its own."""
        return [0] + [self.sector_step(s) for s in self.changed] + list(range(self.fs_step(), self.step_count()))

    def extents(self):
        return padded(b"".join(
            struct.pack("<H", addr // self.sector_size | addr % self.sector_size // 4 << 12) for addr, _ in self.pieces))

    def header(self):
        image_size, image_crc = self.image()
        field = dict(magic=b"MOLT", version=1, kind=self.kind, extension_size=self.extension[1],
                     flash_size=self.flash_size, image_size=image_size, image_crc=image_crc,
                     source_size=self.source_size(), source_crc=self.crc, params=self.flash_params,
                     extent_count=len(self.pieces), head_addr=self.head[0], head_crc=self.head[1],
                     report_addr=self.report_addr, fs_addr=self.fs[0], fs_size=self.fs[1],
                     step_count=self.step_count(), zero=0, kept_size=min(self.sector_size, self.source_size()),
                     extension_addr=self.extension[0], extension_crc=self.extension[2])
        field.update(self.override)
        return struct.pack("<4sBBH5I2H5I2H3I", *(field[name] for name in (
            "magic", "version", "kind", "extension_size", "flash_size", "image_size", "image_crc", "source_size",
            "source_crc", "params", "extent_count", "head_addr", "head_crc", "report_addr", "fs_addr", "fs_size",
            "step_count", "zero", "kept_size", "extension_addr", "extension_crc")))

    def sector(self):
        count = self.step_count()
        covered = self.extents() + bit_set(self.todo(), count) + self.header()
        full = (1 << -(-count // 32) * 32) - 1
        journal = (full - sum(1 << step for step in self.done)).to_bytes(-(-count // 32) * 4, "little")
        tail = journal + covered + struct.pack("<I", zlib.crc32(covered))
        return self.loader + b"\xff" * (self.sector_size - len(self.loader) - len(tail)) + tail


def report(starts=0xFFFFFFFF, result=0xFFFFFFFF):
    return b"MRP1" + struct.pack("<III", 0x89ABCDEF, starts, result)


def changed(data, off, value):
    return data[:off] + bytes(value) + data[off + len(value):]


def vectors():
    """name -> (bytes, one-line meaning)"""
    fs = (1024 * KB, 3052 * KB)
    ordinary = Plan().sector()
    header_off = SECTOR - 72
    return {
        "ordinary": (ordinary, "40 KB in 11 pieces, sectors 1 and 9 to do, saved head and report"),
        "erase-all": (Plan(fs=fs).sector(), "the same, and 3,052 KB of filesystem to erase"),
        "gzip": (Plan(kind=1, unpacked=(70 * KB + 1, 0x01234567), extension=(0x302010, 1400, 0xFEDCBA98), changed=[1, 17],
                      override={"kept_size": 2345}).sector(),
                 "the same file as a gzip file of 70 KB and a byte, with an extension of the boot loader"),
        "half-done": (Plan(done=[0, 3, 11]).sector(), "steps 0, 3 and 11 marked in the journal"),
        "bad-erased": (b"\xff" * SECTOR, "an erased sector"),
        "bad-magic": (changed(ordinary, header_off, b"MELT"), "another magic"),
        "bad-version": (Plan(override={"version": 2}).sector(), "version 2, CRC right"),
        "bad-crc": (changed(ordinary, SECTOR - 1, [ordinary[-1] ^ 0x80]), "one bit of the CRC changed"),
        "bad-source-kind": (Plan(override={"kind": 2}).sector(), "a kind of source that version 1 does not have"),
        "bad-no-extension": (Plan(override={"kind": 1}).sector(), "a gzip file, but no extension that could unpack it"),
        "bad-extent": (Plan(pieces=[(0x9000, 4096)] + PIECES[1:]).sector(), "the first piece lies in the image's own place"),
        "bad-step-count": (Plan(override={"step_count": 19}).sector(), "one step more than the sizes make"),
        "report-fresh": (report(), "a report as it is laid down"),
        "report-started": (report(starts=0xFFFFFFF8), "the boot loader was started three times"),
        "report-done": (report(starts=0xFFFFFFFE, result=0xFFFF0000), "the new firmware was put in"),
        "report-restored": (report(starts=0, result=0x0000FFFF), "started 32 times or more; the old firmware was kept"),
        "report-torn": (report(starts=0xFFFFFFFE, result=0xFFFFEFDF), "a note of success that was cut: counts as made"),
    }


def seeds():
    """name -> bytes: a byte of flags for tests/fuzz/fuzz_plan.c, then the tail of a 512-byte boot sector."""
    small = dict(sector_size=512, block_size=2048, flash_size=32 * KB, head=(30 * KB, 1), report_addr=31 * KB)
    pieces = [(16 * KB, 512)] + [(16 * KB + i * 512 + 4, 508) for i in range(1, 9)] + [(24 * KB + 4, 300)]
    tails = {
        "plain": Plan(pieces=pieces, changed=[1, 8], **small),
        "nothing-to-do": Plan(pieces=pieces, changed=[], **small),
        "everything": Plan(pieces=pieces, changed=range(1, 10), **small),
        "half-done": Plan(pieces=pieces, changed=[1, 8], done=[0, 3], **small),
        "erase-all": Plan(pieces=pieces, changed=[1, 8], fs=(8 * KB, 24 * KB), **small),
        "erase-part": Plan(pieces=pieces, changed=[1], fs=(8 * KB + 512, 9 * KB), **small),
        "one-byte": Plan(pieces=[(16 * KB, 1)], changed=[], **small),
        "other-size": Plan(pieces=pieces, changed=[1], override={"flash_size": 16 * KB}, **small),
        "many-steps": Plan(pieces=pieces, changed=[], override={"step_count": 1000}, **small),
        "last-word": Plan(pieces=[(31 * KB + 512 - 4 - 512 + 60, 4)], changed=[], **small),
    }
    # Found by the fuzzer: a step behind the image's end, under a CRC that is right.
    tails["step-behind-the-image"] = Plan(pieces=pieces, changed=[1, 11], **small)
    made = {}
    for name, plan in tails.items():
        tail = plan.sector()[128:]
        # 0: as it is; 3: CRC and the source's CRC made right; 7: the number of steps too.
        for flags in (0, 3, 7):
            made["%s-%d" % (name, flags)] = bytes([flags]) + tail.lstrip(b"\xff")
    made["nothing"] = b""
    made["erased"] = b"\x07" + b"\xff" * 300
    return made


def main():
    made = vectors()
    readme = ["# Stored plans and reports", "",
              "Made by ../make_plans.py, without molt's code. Never edited, only added. Plans are whole boot sectors of",
              "4,096 bytes with nothing where the boot loader goes. tests/unit/test_stored_plan.c has what is to be said",
              "about each.", "", "| file | meaning |", "| --- | --- |"]
    readme += ["| %s.bin | %s |" % (name, meaning) for name, (_, meaning) in made.items()]
    files = {VECTORS / "README.md": ("\n".join(readme) + "\n").encode()}
    for name, (data, _) in made.items():
        files[VECTORS / (name + ".bin")] = data
    for name, data in seeds().items():
        files[CORPUS / name] = data
    is_check = "--check" in sys.argv
    # The table grows with the vectors.
    fixed = [path for path in files if is_check or path.name != "README.md"]
    wrong = [path for path in fixed if (path.read_bytes() != files[path] if path.exists() else is_check)]
    for path in wrong:
        print("%s is not what would be made" % path.relative_to(HERE.parent), file=sys.stderr)
    if not is_check:
        VECTORS.mkdir(parents=True, exist_ok=True)
        CORPUS.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            if path.name == "README.md" or not path.exists():
                path.write_bytes(data)
        print("%d files, %d bytes" % (len(files), sum(len(data) for data in files.values())))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
