"""molt.head: src/job/head_file.c"""

import esp
import uos
from _molt import FOLDER, forget, part
from ustruct import pack

_SECTOR = const(4096)
_REPORT_SIZE = const(16)
# The beginning of the file's third block, which has two pointers in front; the second one has one.
_EXTENSION_OFF = const(8188)
_EXTENSION = FOLDER + "/inflate.bin"


def report(crc32):
    """A fresh report of the boot loader."""
    return b"MRP1" + pack("<I", crc32) + b"\xff" * 8


def saved_size(job):
    return _EXTENSION_OFF + uos.stat(_EXTENSION)[6] if job.is_gzip else _SECTOR + _REPORT_SIZE


def saved(job, off, buf, head_size):
    """Put what the saved file is to hold from `off` on into `buf`: how many bytes. 0 at its end."""
    size = min(len(buf), head_size - off)
    view = memoryview(buf)[:size]
    for i in range(size):
        view[i] = 0xFF
    if off < _SECTOR:
        size = min(size, _SECTOR - off)
        esp.flash_read(off, view[:size])
    elif off < _SECTOR + _REPORT_SIZE:
        piece = report(job.crc32)[off - _SECTOR:][:size]
        view[:len(piece)] = piece
    elif off + size > _EXTENSION_OFF:
        with open(_EXTENSION, "rb") as f:
            f.seek(max(0, off - _EXTENSION_OFF))
            f.readinto(view[max(0, _EXTENSION_OFF - off):])
    return size


def _extension(job, addr, size):
    """(address, size, CRC) of the saved extension; None if it is not there."""
    crc = 0
    view = memoryview(job.buf)[64:]
    with open(_EXTENSION, "rb") as f:
        for off in range(0, size, 256):
            count = f.readinto(view[:256])
            esp.flash_read(addr + off, view[256:512])
            if view[:count] != view[256:256 + count]:
                return None
            crc = job.sums.crc32(crc, view[:count])
    return addr, size, crc


def check(job, extents):
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
    if esp.flash_read(where, _REPORT_SIZE) != report(job.crc32):
        return None
    extension = _extension(job, addr(extents, 2)[0], uos.stat(_EXTENSION)[6]) if job.is_gzip else (0, 0, 0)
    return extension and (head, crc, where) + extension


def _extents(job):
    extents = part("place").extents("/" + job.saved_name, job.fs_addr // _SECTOR, job.fs_size // _SECTOR)[1]
    forget()
    return extents


def run(job):
    """Hold the saved file to what was to be saved: job.head. Raises OSError with its sentence."""
    job.hole = None
    try:
        job.head = check(job, _extents(job))
    except OSError:
        job.head = None
    if not job.head:
        raise part("text").error(84, "saved", "; try again, and if that does not help format it again")
    spared = part("lay").is_spared
    head, _, where, extension, size, _ = job.head
    if not (spared(job, head, _SECTOR) and spared(job, where, _REPORT_SIZE) and (not size or spared(job, extension, size))):
        raise part("text").refused(34, "overlaps_saved", job.size, head)
    if job.erase_all and size:
        for addr in (extension, extension + size - 1):
            part("finish").spare(job, addr)
