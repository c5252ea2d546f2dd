"""molt.head, held to what was to be saved: src/job/head_file.c"""

import esp
from _molt import part

_SECTOR = const(4096)
_REPORT_SIZE = const(16)


def _check(job, extents):
    """What lay.py wants to know of the file in these extents, held to what was to be saved. None if it is not there."""
    addr = part("extent").addr
    if len(extents) != (6 if job.is_gzip else 4):
        return None
    head = addr(extents, 0)[0]
    where = addr(extents, 1)[0]
    view = memoryview(job.buf)[64:]
    old = view[:256]
    present = view[256:512]
    crc = 0
    for off in range(0, _SECTOR, 256):
        esp.flash_read(head + off, old)
        esp.flash_read(off, present)
        if old != present:
            return None
        crc = job.sums.crc32(crc, old)
    if esp.flash_read(where, _REPORT_SIZE) != job.report:
        return None
    extension = part("extension").extension(job, addr(extents, 2)[0]) if job.is_gzip else (0, 0, 0)
    return extension and (head, crc, where) + extension


def _is_spared(job, begin, size):
    """Whether the upgrade leaves these bytes of flash alone."""
    return begin >= job.shape[0] * _SECTOR and begin + size <= esp.flash_size()


def head(job):
    """Hold the saved file to what was to be saved: job.head. Raises OSError with its sentence."""
    try:
        job.head = _check(job, job.saved_at)
    except OSError:
        job.head = None
    if not job.head:
        raise part("text").error(84, "saved", "; try again, and if that does not help format it again")
    head, _, where, extension, size, _ = job.head
    if not (_is_spared(job, head, _SECTOR) and _is_spared(job, where, _REPORT_SIZE) and (not size or _is_spared(job, extension, size))):
        raise part("text").refused(34, "overlaps_saved", job.size, head)
    if job.erase_all and size:
        for addr in (extension, extension + size - 1):
            part("spare").spare(job, addr)
