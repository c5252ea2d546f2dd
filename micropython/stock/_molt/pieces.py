"""The segments of an image: src/image/image.c"""

from _molt import part
from ustruct import unpack_from

_SEGMENTS_MAX = const(16)


def pieces(job):
    """job.pieces: (address, offset of the data, their size). job.groups: (first segment, behind the last one, offset of the
    checksum)."""
    job.pieces = []
    job.groups = []
    with part("source").source(job) as f:
        add(job, f, 0, job.header, False)


def _bad(defect, off):
    return part("text").bad(defect, off)


def add(job, f, start, header, is_sketch):
    """Those of the header at `start`; their sizes and places are taken for nothing else than what is checked here."""
    memory = part("memory")
    read = part("read").read
    count = header[1]
    if not 0 < count <= _SEGMENTS_MAX:
        raise _bad("bad_segment_count", start + 1)
    first = len(job.pieces)
    entry = unpack_from(b"<I", header, 4)[0]
    has_entry = False
    off = start + 8
    for _ in range(count):
        vaddr, size = unpack_from(b"<II", read(job, f, off, 8))
        present = min(size, job.size - off - 8)
        if present and not memory.is_ram(vaddr, present) and not (is_sketch and memory.is_mapped(vaddr, present)):
            raise _bad("bad_address", off)
        if present < size:
            raise _bad("bad_segment_size", off + 4)
        has_entry = has_entry or 0x40100000 <= vaddr < 0x40110000 and vaddr <= entry < vaddr + size
        job.pieces.append((vaddr, off + 8, size))
        off += 8 + size
    if not has_entry:
        raise _bad("bad_entry", start + 4)
    if off | 15 >= job.size:
        raise _bad("too_short", job.size)
    job.groups.append((first, len(job.pieces), off | 15))
