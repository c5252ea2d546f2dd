"""Where the image file of an upgrade is in flash."""

import esp
import uos
from _molt import part

_SECTOR = const(4096)


def find(job):
    """file_size, extents; of a raw image size and kept."""
    if uos.stat(job.path)[0] & 0x4000:
        raise OSError(21)
    job.file_size, job.extents = part("place").place(job.path, job.fs_addr // _SECTOR, job.fs_size // _SECTOR)
    if not job.file_size:
        # This engine has no list of open files.
        raise part("text").error(95, "inline", "; if it is being written, close it first")
    if job.file_size < 1024:
        with open(job.path, "rb") as f:
            # littlefs keeps small files in their directory.
            if esp.flash_read(part("extent").addr(job.extents, 0)[0], 1024)[:job.file_size] != f.read():
                raise OSError(95)
    job.size = job.file_size
    job.kept = _SECTOR
