"""The image as a file: the image file itself, or what is in a gzip file."""

from _molt import part

_SPARE = const(1536)


def buffer():
    """As much as there is room for to read into: 64 bytes and 4096, 2048, 1024 or 512."""
    try:
        # What else is needed meanwhile.
        spare = bytearray(_SPARE)
        for size in (4096, 2048, 1024):
            try:
                return bytearray(64 + size)
            except MemoryError:
                pass
    except MemoryError:
        pass
    spare = None
    return bytearray(64 + 512)


def opened(job):
    f = open(job.path, "rb")
    return part("inflate").File(f, job.bits) if job.is_gzip else f


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
