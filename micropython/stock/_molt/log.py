"""Resident mode's configuration and state log, read and written: src/resident/resident_config.c, src/resident/state.c.

A state is [number, six bytes, starts, address of its slot, address of the next blank one]; the six bytes are kind, result, head, plan,
plan to fall back on, starts on trial (docs/format.md, "state").
"""

import esp
from _molt import load_sums, part
from ustruct import pack, unpack

_SECTOR = const(4096)
_PAGE = const(256)
_SLOT = const(512)
_RECORD_SIZE = const(20)
_CONFIG_OFF = const(4064)
_TRIES = const(3)
_SLOT_TRIES = const(6)
_APPEND_TRIES = const(4)
_ONES = b"\xff" * _RECORD_SIZE


def config():
    """(0, address of the reserved region, three versions, four numbers: address and size of the memory that is in use twice); or
    (2,) without resident mode, (95,) in one of another format, (84,) where it is damaged."""
    found = 2,
    for _ in range(_TRIES):
        data = esp.flash_read(_CONFIG_OFF, 32)
        if data[:3] != b"MRS":
            found = 2,
            continue
        if data[3] != 0x32:
            found = 95,
            continue
        addr = unpack("<I", data[4:8])[0]
        if (load_sums().crc32(0, data[:28]) == unpack("<I", data[28:])[0] and addr and addr % _SECTOR == 0
                and addr + 8 * _SECTOR <= esp.flash_size()):
            return 0, addr, data[8:11], unpack("<4I", data[12:28])
        found = 84,
    return found


def _read_slot(addr):
    """The record in a slot; empty where it is blank, None where it is torn."""
    is_blank = True
    for i in range(_SLOT_TRIES):
        record = esp.flash_read(addr + i % 2 * _PAGE, _RECORD_SIZE)
        is_blank = is_blank and record == _ONES
        if record[:4] != _ONES[:4] and unpack("<I", record[12:16])[0] == load_sums().crc32(0, record[:12]):
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
            number, starts = unpack("<I", record[:4])[0], unpack("<I", record[16:])[0]
            if number > (state[0] if state else 0):
                state = [number, record[4:10], sum(not starts >> bit & 1 for bit in range(32)), addr, free]
    if state and (state[0] == 0xFFFFFFFF or not 1 <= state[1][0] <= 3):
        raise OSError(95)
    return state


def append(reserved, state, fields):
    """Let these six bytes count from now on. OSError(5) where flash does not keep them. Power cut: the old state counts, or this."""
    first = reserved + 4 * _SECTOR
    begin = state[3] // _SECTOR * _SECTOR if state else first + _SECTOR
    other = first + _SECTOR if begin == first else first
    addr = state[4] if state else begin + _SECTOR
    number = state[0] + (addr - state[3]) // _SLOT if state else 1
    for _ in range(_APPEND_TRIES):
        record = pack("<I6sH", number, fields, 0)
        record += pack("<II", load_sums().crc32(0, record), 0xFFFFFFFF)
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
