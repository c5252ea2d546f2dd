"""The image as a file: the image file itself, or what is in a gzip file."""

import gc
from _molt import part

# What else is needed meanwhile, and what lies in pieces too small.
_SPARE = const(4096)


def buffer(job):
    """What to read into: 64 bytes, and 4096 where there is plenty of room, 2048, 1024, or the job's own 512."""
    gc.collect()
    size = 4096
    # Of a gzip file unpacking takes the time, and the memory.
    while size > 512 and not job.is_gzip:
        if gc.mem_free() > 2 * size + _SPARE:
            try:
                return bytearray(64 + size)
            except MemoryError:
                pass
        size //= 2
    return job.buf


def opened(job):
    f = open(job.path, "rb")
    return part("inflate").File(job, f, job.bits) if job.is_gzip else f


def read(job, f, off, size):
    """Bytes of the image. OSError with the sentence where it ends before."""
    if off + size > job.size:
        raise bad("too_short", job.size)
    f.seek(off)
    data = f.read(size)
    if len(data) != size:
        raise OSError(84)
    return data


def bad(defect, off):
    """The error for a damaged image."""
    return part("text").error(84, defect, " (at byte %u)" % off)


def is_ram(vaddr, size):
    return 0x40100000 <= vaddr and vaddr + size <= 0x40110000 or 0x3FFE8000 <= vaddr and vaddr + size <= 0x3FFFC000


def is_mapped(vaddr, size):
    return 0x40200000 <= vaddr and vaddr + size <= 0x40300000
