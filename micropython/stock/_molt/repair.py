"""Resident mode, made whole: src/resident/resident.c. Rewrites sector 0 where that is damaged."""

import esp
from _molt import part
from ustruct import unpack

_SECTOR = const(4096)
_OVERLAY_HEADER = const(20)


def _write(sector, addr):
    if not part("put").put(sector, addr):
        raise OSError(5)


def _overlay_is_whole(reserved):
    sums = part("load").load()
    view = memoryview(bytearray(256))
    addr = reserved + 7 * _SECTOR
    for _ in range(3):
        header = esp.flash_read(addr, _OVERLAY_HEADER)
        size, crc = unpack(b"<I8xI", header[4:])
        if header[:4] != b"MOV1" or size % 4 or size > _SECTOR - _OVERLAY_HEADER:
            continue
        found = sums.crc32(0, header[:16])
        for off in range(0, size, 256):
            piece = view[:min(256, size - off)]
            esp.flash_read(addr + _OVERLAY_HEADER + off, piece)
            found = sums.crc32(found, piece)
        if found == crc:
            return True
    return False


def repair(reserved):
    """Write again what is damaged. OSError(17) where nothing is."""
    state = part("state").read(reserved)
    if not state:
        raise OSError(2)
    if state[1][0] != 1:
        raise OSError(16)
    is_whole = _overlay_is_whole(reserved)
    if not is_whole:
        part("overlay").overlay(reserved)
    if not part("first_part").first_part(reserved, esp.flash_read(0, 4)[2:]).is_at(0):
        # With the flash parameters of the firmware's own first sector: those of a damaged sector 0 prove nothing.
        _write(part("first_part").first_part(reserved, esp.flash_read(reserved + (state[1][2] & 1) * _SECTOR, 4)[2:]), 0)
    elif is_whole:
        raise OSError(17)
