"""The segments of an image: src/image/image.c"""

from _molt import part
from ustruct import unpack_from

_SEGMENTS_MAX = const(16)


def run(job):
    """job.segments: (address, offset of the data, their size). job.groups: (first segment, behind the last one, offset of the
    checksum)."""
    job.segments = []
    job.groups = []
    with part("source").opened(job) as f:
        add(job, f, 0, job.header, False)


def add(job, f, start, header, is_sketch):
    """Those of the header at `start`; their sizes and places are taken for nothing else than what is checked here."""
    source = part("source")
    bad = source.bad
    count = header[1]
    if not 0 < count <= _SEGMENTS_MAX:
        raise bad("bad_segment_count", start + 1)
    first = len(job.segments)
    entry = unpack_from("<I", header, 4)[0]
    has_entry = False
    off = start + 8
    for _ in range(count):
        vaddr, size = unpack_from("<II", source.read(job, f, off, 8))
        present = min(size, job.size - off - 8)
        if present and not source.is_ram(vaddr, present) and not (is_sketch and source.is_mapped(vaddr, present)):
            raise bad("bad_address", off)
        if present < size:
            raise bad("bad_segment_size", off + 4)
        has_entry = has_entry or 0x40100000 <= vaddr < 0x40110000 and vaddr <= entry < vaddr + size
        job.segments.append((vaddr, off + 8, size))
        off += 8 + size
    if not has_entry:
        raise bad("bad_entry", start + 4)
    if off | 15 >= job.size:
        raise bad("too_short", job.size)
    job.groups.append((first, len(job.segments), off | 15))
