"""How much is saved: src/job/head_file.c"""

import uos
from _molt import FOLDER, part

_SECTOR = const(4096)
_REPORT_SIZE = const(16)
# As in saved.py.
_EXTENSION_OFF = const(8188)


def saved_size(job):
    """0 in resident mode. job.report: the boot loader's, fresh."""
    job.report = part("blank").blank(job.crc32)
    size = _EXTENSION_OFF + uos.stat(FOLDER + "/inflate.bin")[6] if job.is_gzip else _SECTOR + _REPORT_SIZE
    job.head_size = 0 if job.region else size
    return job.head_size
