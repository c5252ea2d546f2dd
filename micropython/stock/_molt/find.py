"""Where the image file of an upgrade is in flash, and what kind of file it is."""

import esp
import uos
from _molt import part

_SECTOR = const(4096)


def find(job):
    """file_size, extents, is_gzip; of a raw image size and kept."""
    if uos.stat(job.path)[0] & 0x4000:
        raise OSError(21)
    job.file_size, job.extents = part("place").place(job.path, job.fs_addr // _SECTOR, job.fs_size // _SECTOR)
    with open(job.path, "rb") as f:
        # littlefs keeps small files in their directory.
        if job.file_size < 1024 and (
                not job.file_size or esp.flash_read(part("extent").addr(job.extents, 0)[0], 1024)[:job.file_size] != f.read()):
            raise OSError(95)
    job.size = job.file_size
    job.kept = _SECTOR
