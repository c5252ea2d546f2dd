"""Resident mode's state log, read: src/resident/state.c. append.py writes it.

A state is [number, six bytes, starts, address of its slot, address of the next blank one]; the six bytes are kind, result, head, plan,
plan to fall back on, starts on trial (docs/format.md, "state").
"""

import esp
from _molt import part
from ustruct import unpack

_SECTOR = const(4096)
_PAGE = const(256)
_SLOT = const(512)
_RECORD_SIZE = const(20)
_SLOT_TRIES = const(6)
_ONES = b"\xff" * _RECORD_SIZE


def here():
    """None, or (address of the reserved region, state)"""
    found = part("config").config()
    if found[0]:
        return None
    try:
        state = read(found[1])
    except OSError:
        return None
    return state and (found[1], state)


def _read_slot(addr):
    """The record in a slot; empty where it is blank, None where it is torn."""
    is_blank = True
    for i in range(_SLOT_TRIES):
        record = esp.flash_read(addr + i % 2 * _PAGE, _RECORD_SIZE)
        is_blank = is_blank and record == _ONES
        if record[:4] != _ONES[:4] and unpack(b"<I", record[12:16])[0] == part("load").load().crc32(0, record[:12]):
            return record
        if i == 1 and is_blank:
            return b""
    return None


def read(reserved):
    """The state that counts; None where there is none. OSError(95) where it is of a kind that nobody knows here."""
    state = None
    for begin in (reserved + 4 * _SECTOR, reserved + 5 * _SECTOR):
        addr = free = begin + _SECTOR
        record = None
        while not record and addr != begin:
            is_free = free == addr
            addr -= _SLOT
            record = _read_slot(addr)
            if is_free and record == b"":
                free = addr
        if record:
            number, starts = unpack(b"<I", record[:4])[0], unpack(b"<I", record[16:])[0]
            if number > (state[0] if state else 0):
                state = [number, record[4:10], sum(not starts >> bit & 1 for bit in range(32)), addr, free]
    if state and (state[0] == 0xFFFFFFFF or not 1 <= state[1][0] <= 3):
        raise OSError(95)
    return state


def at_rest(reserved):
    """The same, where nothing is prepared and nothing on trial. OSError(16) elsewhere."""
    state = read(reserved)
    if not state or state[1][0] != 1:
        raise OSError(16)
    return state
