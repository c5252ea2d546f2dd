#!/usr/bin/env python3
"""Makes the vectors of stored plans and reports (tests/vectors/plan) and the fuzzer's seeds (tests/fuzz/corpus/plan).

Knows nothing of molt's C code but the descriptions of the formats (docs/format.md), so that the C code is tested
against a second opinion. Python's standard library only.

    tests/vectors/make_plans.py            write the files that are not there yet
    tests/vectors/make_plans.py --check    exit 1 if a committed file is not what would be made

Vectors are only added, never edited.
"""

import hashlib
import struct
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from committed import keep, readme  # noqa: E402

HERE = Path(__file__).resolve().parent
VECTORS = HERE / "plan"
CORPUS = HERE.parent / "fuzz" / "corpus" / "plan"

SECTOR = 4096
BLOCK = 65536
PAGE = 256
KB = 1024
HEADER_SIZE = 132
LOG_SIZE_MIN = 32

# The header's words in their order, but for the SHA-1 and the CRC, which end it.
WORDS = ("magic", "version", "flash_size", "kind", "image_size", "image_crc", "image_addr", "boot_addr", "first_crc",
         "source_size", "params", "extent_count", "head_addr", "head_crc", "report_addr", "extension_addr",
         "extension_size", "extension_crc", "fs_addr", "fs_size", "step_count", "verify_step", "set_size", "todo_off",
         "extents_off", "journal_off", "log_size")

# (address, bytes) of a file's pieces, one a sector, as littlefs might place them: pointers first, then data.
PIECES = [
    (0x100000, 4096), (0x105004, 4092), (0x106008, 4088), (0x130004, 4092), (0x13100C, 4084), (0x3F0004, 4092),
    (0x200008, 4088), (0x201004, 4092), (0x202010, 4080), (0x203004, 4092), (0x107008, 64),
]
# A file of 49 sectors.
MANY_PIECES = [(0x200000, 4096)] + [(0x200004 + i * SECTOR, 4092) for i in range(1, 49)]


def bit_set(steps, size):
    """A bit a step."""
    return sum(1 << step for step in set(steps)).to_bytes(size, "little")


def bits_left(cleared, size):
    """All bits, but for these."""
    return ((1 << 8 * size) - 1 - sum(1 << bit for bit in set(cleared))).to_bytes(size, "little")


class Plan:
    """The fields of a stored plan; what is computed can be overridden by keyword."""

    def __init__(self, **fields):
        self.sector_size, self.block_size, self.page_size = SECTOR, BLOCK, PAGE
        self.flash_size = 4096 * KB
        self.pieces = PIECES
        self.crc = 0x89ABCDEF
        self.first_crc = 0x0BADCAFE
        self.image_addr = self.boot_addr = 0
        self.flash_params = 0x4F02
        self.head = (0x300000, 0x13572468)
        self.report_addr = 0x301008
        self.fs = (1024 * KB, 0)
        self.kind = 0
        self.unpacked = None   # size of the image in a gzip file
        self.extension = (0, 0, 0)  # address, size, CRC
        self.changed = [1, 9]  # sectors of the image
        self.kept_blocks = []  # steps that are not to be done: of 64 KB blocks of the filesystem that are needed
        self.done = []         # steps
        self.started = []      # log of starts: steps, or words as they are
        self.override = {}     # header field -> value
        self.loader_size = 0
        self.sha1 = hashlib.sha1(b"the image").digest()
        self.__dict__.update(fields)

    def source_size(self):
        return sum(size for _, size in self.pieces)

    def image_size(self):
        return self.unpacked or self.source_size()

    def step_count(self):
        blocks = len(self.fs_blocks())
        return self.verify_step() + 1 + (blocks + 1 if blocks else 0)

    def verify_step(self):
        return 1 + -(-self.image_size() // self.block_size) * (self.block_size // self.sector_size + 1)

    def fs_blocks(self):
        addr, size = self.fs
        return range(addr // self.block_size, -(-(addr + size) // self.block_size)) if size else []

    def sector_step(self, sector):
        """Step 0 is the check; each block has an erase in front of its sectors."""
        per_block = self.block_size // self.sector_size
        return 1 + sector // per_block * (per_block + 1) + 1 + sector % per_block

    def todo(self):
        """As long as no block has enough changed sectors for an erase of its own."""
        steps = [0] + [self.sector_step(s) for s in self.changed] + list(range(self.verify_step(), self.step_count()))
        return [step for step in steps if step not in self.kept_blocks]

    def extents(self):
        data = b"".join(struct.pack("<H", addr // self.sector_size | addr % self.sector_size // 4 << 12)
                        for addr, _ in self.pieces)
        return data + b"\xff" * (-len(data) % 4)

    def set_size(self):
        return 4 * -(-(self.step_count() + 1) // 32)

    def todo_off(self):
        return self.sector_size - HEADER_SIZE - self.set_size()

    def extents_off(self):
        return self.todo_off() - len(self.extents())

    def journal(self):
        """J and L."""
        end, page, size = self.extents_off(), self.page_size, self.set_size()
        own = end // page * page - page
        if own >= self.loader_size:
            return own, page - size
        packed = end - size - LOG_SIZE_MIN
        begun = (end - 1) // page * page  # of the page that the last byte before the extents is in
        return begun - size - LOG_SIZE_MIN if begun > packed else packed, LOG_SIZE_MIN

    def fields(self):
        field = dict(magic=0x544C4F4D, version=2, flash_size=self.flash_size, kind=self.kind,
                     image_size=self.image_size(), image_crc=self.crc, image_addr=self.image_addr,
                     boot_addr=self.boot_addr, first_crc=self.first_crc, source_size=self.source_size(),
                     params=self.flash_params, extent_count=len(self.pieces), head_addr=self.head[0],
                     head_crc=self.head[1], report_addr=self.report_addr, extension_addr=self.extension[0],
                     extension_size=self.extension[1], extension_crc=self.extension[2], fs_addr=self.fs[0],
                     fs_size=self.fs[1], step_count=self.step_count(), verify_step=self.verify_step(),
                     set_size=self.set_size(), todo_off=self.todo_off(), extents_off=self.extents_off(),
                     journal_off=self.journal()[0], log_size=self.journal()[1])
        field.update(self.override)
        return field

    def header(self):
        field = self.fields()
        return struct.pack("<27I", *(field[name] for name in WORDS)) + self.sha1

    def sector(self):
        size = self.set_size()
        covered = self.extents() + bit_set(self.todo(), size) + self.header()
        data = bytearray(b"\xff" * (self.sector_size - len(covered) - 4) + covered
                         + struct.pack("<I", zlib.crc32(covered)))
        at, _ = self.journal()
        log = b"".join(struct.pack("<I", step if step > 0xFFFF else step | (~step & 0xFFFF) << 16) for step in self.started)
        data[at:at + size + len(log)] = bits_left(self.done, size) + log
        return bytes(data)


def report(starts=0xFFFFFFFF, result=0xFFFFFFFF):
    return b"MRP1" + struct.pack("<III", 0x89ABCDEF, starts, result)


def changed(data, off, value):
    return data[:off] + bytes(value) + data[off + len(value):]


def wrong(**override):
    return Plan(override=override).sector()


def vectors():
    """name -> (bytes, one-line meaning)"""
    fs = (1024 * KB, 3052 * KB)
    ordinary = Plan().sector()
    gzip = dict(kind=1, unpacked=70 * KB + 1, extension=(0x302010, 1400, 0xFEDCBA98), changed=[1, 17])
    far = dict(image_addr=0x10000, boot_addr=0x1000)
    return {
        "2-ordinary": (ordinary, "40 KB in 11 pieces, sectors 1 and 9 to do, saved head and report"),
        "2-erase-all": (Plan(fs=fs, kept_blocks=[20]).sector(),
                        "the same, and 3,052 KB of filesystem to erase, but for the first 64 KB block of it, where the "
                        "file begins"),
        "2-erase-gzip": (Plan(**gzip, fs=fs, kept_blocks=[37, 37 + 0x20]).sector(),
                         "2-gzip with the same; the block of the extension at 0x302010 stays too"),
        "2-gzip": (Plan(**gzip).sector(),
                   "the same file as a gzip file of 70 KB and a byte, with an extension of the boot loader"),
        "2-half-done": (Plan(done=[0, 3, 11], started=[3, 3, 0xFFFF0007, 11]).sector(),
                        "steps 0, 3 and 11 marked in the journal; four starts: two with step 3, one torn, one with step 11"),
        "2-finished": (Plan(done=range(20), head=(0x3F8000, 0), report_addr=0).sector(),
                       "in resident mode: all steps are done, and the first sector is in"),
        "2-packed": (Plan(loader_size=3585).sector(),
                     "the boot loader leaves no page for the journal, which stands before the extents"),
        "2-page-before": (Plan(pieces=MANY_PIECES, loader_size=3585).sector(),
                          "likewise, with 49 pieces: it would go over a page's end, and ends there"),
        "2-elsewhere": (Plan(**far).sector(), "the image begins at 0x10000, and the chip starts from 0x1000"),
        "2-bad-erased": (b"\xff" * SECTOR, "an erased sector"),
        "2-bad-magic": (changed(ordinary, SECTOR - HEADER_SIZE, b"MELT"), "another magic"),
        "2-bad-version": (wrong(version=3), "version 3, CRC right"),
        "2-bad-version-1": (wrong(version=1), "version 1, CRC right"),
        "2-bad-crc": (changed(ordinary, SECTOR - 1, [ordinary[-1] ^ 0x80]), "one bit of the CRC changed"),
        "2-bad-source-kind": (wrong(kind=2), "a kind of source that there is not"),
        "2-bad-no-extension": (wrong(kind=1), "a gzip file, but no extension that could unpack it"),
        "2-bad-extension-size": (Plan(**gzip, override=dict(extension_size=1402)).sector(),
                                 "an extension of a size that is not in words"),
        "2-bad-extent": (Plan(pieces=[(0x9000, 4096)] + PIECES[1:]).sector(),
                         "the first piece lies in the image's own place"),
        "2-bad-extent-elsewhere": (Plan(pieces=[(0x19000, 4096)] + PIECES[1:], **far).sector(),
                                   "likewise, with an image that begins at 0x10000"),
        "2-bad-image-addr": (Plan(image_addr=0x8000).sector(), "the image begins in the middle of a 64 KB block"),
        "2-bad-image-end": (Plan(image_addr=0x400000).sector(), "the image begins where flash ends"),
        "2-bad-head": (wrong(head_addr=0x300004), "the saved first sector is not a whole sector"),
        "2-bad-step-count": (wrong(step_count=20), "one step more than the sizes make"),
        "2-bad-verify-step": (wrong(verify_step=17), "the check of the image is another step than the sizes make"),
        "2-bad-set-size": (wrong(set_size=8), "sets of another size than the steps make"),
        "2-bad-todo": (wrong(todo_off=3956), "the to-do set is not where the sizes say"),
        "2-bad-extents": (wrong(extents_off=3932), "the extents are not where the sizes say"),
        "2-bad-log-page": (wrong(log_size=256), "a log of starts that ends in the next page"),
        "2-bad-log-odd": (wrong(log_size=250), "a log of half words"),
        "2-bad-log-huge": (wrong(log_size=0xFFFFFFFC), "a log larger than flash"),
        "2-bad-journal-page": (wrong(journal_off=3820, log_size=32), "journal and log in two pages"),
        "2-bad-journal-odd": (wrong(journal_off=3586, log_size=32), "a journal between two words"),
        "2-bad-journal-late": (wrong(journal_off=3904, log_size=32), "a log that is extents too"),
        "2-bad-to-do-check": (Plan(kept_blocks=[0]).sector(), "the check of the source is not to be done"),
        "2-bad-to-do-verify": (Plan(kept_blocks=[18]).sector(), "the check of the image is not to be done"),
        "2-bad-to-do-first": (Plan(changed=[0, 1]).sector(), "the first sector as a step"),
        "2-bad-to-do-behind": (Plan(changed=[1, 10]).sector(), "a sector behind the image's end as a step"),
        "report-fresh": (report(), "a report as it is laid down"),
        "report-started": (report(starts=0xFFFFFFF8), "the boot loader was started three times"),
        "report-done": (report(starts=0xFFFFFFFE, result=0xFFFF0000), "the new firmware was put in"),
        "report-restored": (report(starts=0, result=0x0000FFFF), "started 32 times or more; the old firmware was kept"),
        "report-torn": (report(starts=0xFFFFFFFE, result=0xFFFFEFDF), "a note of success that was cut: counts as made"),
    }


def seeds():
    """name -> bytes: a byte of flags for tests/fuzz/fuzz_plan.c, then the tail of a 512-byte boot sector."""
    small = dict(sector_size=512, block_size=2048, page_size=128, flash_size=32 * KB, head=(30 * KB, 1),
                 report_addr=31 * KB, fs=(8 * KB, 0))
    pieces = [(16 * KB, 512)] + [(16 * KB + i * 512 + 4, 508) for i in range(1, 9)] + [(24 * KB + 4, 300)]
    plans = {
        "plain": Plan(pieces=pieces, changed=[1, 8], **small),
        "nothing-to-do": Plan(pieces=pieces, changed=[], **small),
        "everything": Plan(pieces=pieces, changed=range(1, 10), **small),
        "half-done": Plan(pieces=pieces, changed=[1, 8], done=[0, 3], started=[3, 3, 3, 4], **small),
        "erase-all": Plan(pieces=pieces, changed=[1, 8], **dict(small, fs=(8 * KB, 24 * KB))),
        "erase-part": Plan(pieces=pieces, changed=[1], **dict(small, fs=(8 * KB + 512, 9 * KB))),
        "one-byte": Plan(pieces=[(16 * KB, 1)], changed=[], **small),
        "other-size": Plan(pieces=pieces, changed=[1], override={"flash_size": 16 * KB}, **small),
        "many-steps": Plan(pieces=pieces, changed=[], override={"step_count": 1000}, **small),
        "last-word": Plan(pieces=[(31 * KB + 512 - 4 - 512 + 60, 4)], changed=[], **small),
        "elsewhere": Plan(pieces=pieces, changed=[1, 8], image_addr=4 * KB, boot_addr=1 * KB, **dict(small, fs=(12 * KB, 0))),
        "packed": Plan(pieces=pieces, changed=[1, 8], loader_size=250, **small),
        "gzip": Plan(kind=1, pieces=pieces[:6], unpacked=4000, extension=(31 * KB + 512, 128, 0), **small),
        # Found by the fuzzer in version 1: a step behind the image's end, under a CRC that is right.
        "step-behind-the-image": Plan(pieces=pieces, changed=[1, 11], **small),
    }
    made = {}
    for name, plan in plans.items():
        tail = plan.sector().lstrip(b"\xff")
        # 0: as it is; 3: CRC and SHA-1 made right; 7: the sizes that follow from others too.
        for flags in (0, 3, 7):
            made["2-%s-%d" % (name, flags)] = bytes([flags]) + tail
    made["nothing"] = b""
    made["2-erased"] = b"\x07" + b"\xff" * 300
    return made


def main():
    made = vectors()
    words = ["Made by ../make_plans.py, without molt's code. Never edited, only added. Plans are whole boot sectors of",
             "4,096 bytes with nothing where the boot loader goes. tests/unit/test_stored_plan.c has what is to be said",
             "about each."]
    meanings = {name: meaning for name, (_, meaning) in made.items()}
    files = {VECTORS / "README.md": readme("Stored plans and reports", words, meanings)}
    for name, (data, _) in made.items():
        files[VECTORS / (name + ".bin")] = data
    for name, data in seeds().items():
        files[CORPUS / name] = data
    return keep(files)


if __name__ == "__main__":
    sys.exit(main())
