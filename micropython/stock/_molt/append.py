"""Resident mode's state log, written: src/resident/state.c"""

import esp
from _molt import part
from ustruct import pack

_SECTOR = const(4096)
_PAGE = const(256)
_SLOT = const(512)
_RECORD_SIZE = const(20)
_APPEND_TRIES = const(4)


def append(reserved, state, fields):
    """Let these six bytes count from now on. OSError(5) where flash does not keep them. Power cut: the old state counts, or this."""
    first = reserved + 4 * _SECTOR
    begin = state[3] // _SECTOR * _SECTOR if state else first + _SECTOR
    other = first + _SECTOR if begin == first else first
    addr = state[4] if state else begin + _SECTOR
    number = state[0] + (addr - state[3]) // _SLOT if state else 1
    for _ in range(_APPEND_TRIES):
        record = pack(b"<I6sH", number, fields, 0)
        record += pack(b"<II", part("load").load().crc32(0, record), 0xFFFFFFFF)
        is_erased = True
        try:
            if addr in (begin + _SECTOR, other + _SECTOR):
                addr = other
                is_erased = False
                esp.flash_erase(other // _SECTOR)
                is_erased = True
            for copy in (addr, addr + _PAGE):
                esp.flash_write(copy, record)
            if esp.flash_read(addr, _RECORD_SIZE) == record == esp.flash_read(addr + _PAGE, _RECORD_SIZE):
                return
        except OSError:
            pass
        # One that does not stick leaves its slot used; a sector that could not be erased is erased again.
        addr = addr + _SLOT if is_erased else other + _SECTOR
        number += 1
    raise OSError(5)
