"""Whether there is only 0xFF between the segments of a MicroPython and its size word: src/image/image_verify.c"""

from _molt import part

_SIZE_OFF = const(0x8FFC)


def padding(job):
    """job.is_padding_used"""
    if not job.md5:
        return
    at = job.groups[0][2] + 1
    with part("source").source(job) as f:
        f.seek(at)
        while at < _SIZE_OFF and not job.is_padding_used:
            piece = memoryview(job.buf)[64:64 + min(512, _SIZE_OFF - at)]
            if f.readinto(piece) != len(piece):
                raise OSError(84)
            job.is_padding_used = any(byte != 0xFF for byte in piece)
            at += len(piece)
