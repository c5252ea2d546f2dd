"""What is saved, piece by piece: src/job/head_file.c"""

import esp
from _molt import FOLDER

_SECTOR = const(4096)
_REPORT_SIZE = const(16)
# The beginning of the file's third block, which has two pointers in front; the second one has one.
_EXTENSION_OFF = const(8188)


def saved(job, off, buf):
    """Put what the saved file is to hold from `off` on into `buf`: how many bytes. 0 at its end."""
    size = min(len(buf), job.head_size - off)
    view = memoryview(buf)[:size]
    for i in range(size):
        view[i] = 0xFF
    if off < _SECTOR:
        size = min(size, _SECTOR - off)
        esp.flash_read(off, view[:size])
    elif off < _SECTOR + _REPORT_SIZE:
        piece = job.report[off - _SECTOR:][:size]
        view[:len(piece)] = piece
    elif off + size > _EXTENSION_OFF:
        with open(FOLDER + "/inflate.bin", "rb") as f:
            f.seek(max(0, off - _EXTENSION_OFF))
            f.readinto(view[max(0, _EXTENSION_OFF - off):])
    return size
