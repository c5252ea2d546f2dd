"""What writes: the old first sector into its file, the boot sector into sector 0, and back. src/base/sector.c, src/job/head_file.c.

Power cut: while sector 0 is erased and programmed nothing boots, for some 60 ms. Anywhere else the old firmware does.
"""

import esp
from _molt import FOLDER, forget, part
from ustruct import pack

_SECTOR = const(4096)
_PAGE = const(256)
_HEADER_SIZE = const(16)
_TRIES = const(16)


def report(crc32):
    """A fresh report of the boot loader."""
    return b"MRP1" + pack("<I", crc32) + b"\xff" * 8


def check_head(sums, buf, extents, crc32):
    """(address and CRC of the saved first sector, address of the report), held to what was to be saved. None if it is not there."""
    from _molt.place import addr

    if len(extents) != 4:
        return None
    head = addr(extents, 0)[0]
    where = addr(extents, 1)[0]
    view = memoryview(buf)
    saved = view[:_PAGE]
    present = view[_PAGE:2 * _PAGE]
    crc = 0
    for off in range(0, _SECTOR, _PAGE):
        esp.flash_read(head + off, saved)
        esp.flash_read(off, present)
        if saved != present:
            return None
        crc = sums.crc32(crc, saved)
    return (head, crc, where) if esp.flash_read(where, 16) == report(crc32) else None


def _pieces(view):
    """(address, bytes) of what is programmed: pages from the end to the begin, those of 0xFF left out, and the header by itself."""
    blank = b"\xff" * _PAGE
    found = []
    off = _SECTOR
    while off:
        size = _PAGE if off > _PAGE else off - _HEADER_SIZE if off > _HEADER_SIZE else off
        off -= size
        if view[off:off + size] != blank[:size]:
            found.append((off, view[off:off + size]))
    return found


def write_first(buf):
    """Make sector 0 the first 4096 bytes of `buf`; whether it is. Ctrl-C waits until then, and all memory is taken before."""
    from micropython import kbd_intr

    view = memoryview(buf)[:_SECTOR]
    pieces = _pieces(view)
    back = bytearray(_PAGE)
    parts = [(off, view[off:off + _PAGE]) for off in range(0, _SECTOR, _PAGE)]
    kbd_intr(-1)
    try:
        for _ in range(_TRIES):
            if _write(pieces, parts, back):
                return True
        return False
    finally:
        kbd_intr(3)


def _write(pieces, parts, back):
    try:
        esp.flash_erase(0)
        for off, data in pieces:
            esp.flash_write(off, data)
        for off, data in parts:
            esp.flash_read(off, back)
            if back != data:
                return False
        return True
    except OSError:
        return False


def put_back(sums, buf, head, crc):
    """Make sector 0 what is saved at `head`, if that has this CRC: None if it has not, else whether sector 0 is so."""
    view = memoryview(buf)[:_SECTOR]
    esp.flash_read(head, view)
    return write_first(buf) if sums.crc32(0, view) == crc else None


def saved(job, off, buf):
    """Put what the saved file is to hold from `off` on into `buf`: how many bytes. 0 at its end."""
    view = memoryview(buf)
    if off < _SECTOR:
        size = min(len(buf), _SECTOR - off)
        esp.flash_read(off, view[:size])
        return size
    rest = report(job.crc32)[off - _SECTOR:]
    buf[:len(rest)] = rest
    return len(rest)


def store(job, name):
    """Hold the saved file to what was to be saved, and make the boot sector. Nothing counts yet."""
    lay = part("lay")
    try:
        extents = part("place").extents("/" + name, job.fs_addr // _SECTOR, job.fs_size // _SECTOR)[1]
        job.head = check_head(job.sums, job.buf, extents, job.crc32)
    except OSError:
        job.head = None
    if not job.head:
        raise part("text").error(84, "saved", "; try again, and if that does not help format it again")
    if not lay.is_spared(job, job.head[0], _SECTOR) or not lay.is_spared(job, job.head[2], 16):
        raise part("text").refused(34, "overlaps_saved", job.size, job.head[0])
    try:
        with open(FOLDER + "/loader.bin", "rb") as loader:
            lay.lay(job, job.made, job.sums, job.buf, loader, job.head)
    except OSError:
        raise part("text").error(5, "flash")
    forget("lay", "place")


def commit(job):
    """The next reset upgrades."""
    if not write_first(job.buf):
        put_back(job.sums, job.buf, job.head[0], job.head[1])
        raise part("text").error(5, "flash")
