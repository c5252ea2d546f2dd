"""Bytes of an image."""

from _molt import part


def read(job, f, off, size):
    """Those at `off`. OSError with the sentence where the image ends before."""
    if off + size > job.size:
        raise part("text").bad("too_short", job.size)
    f.seek(off)
    data = bytearray(size)
    if f.readinto(data) != size:
        raise OSError(84)
    return bytes(data)
