"""Resident mode's configuration: src/resident/resident_config.c"""

import esp
from _molt import part
from ustruct import unpack

_SECTOR = const(4096)
_CONFIG_OFF = const(4064)
_TRIES = const(3)


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
        addr = unpack(b"<I", data[4:8])[0]
        if (part("load").load().crc32(0, data[:28]) == unpack(b"<I", data[28:])[0] and addr and addr % _SECTOR == 0
                and addr + 8 * _SECTOR <= esp.flash_size()):
            return 0, addr, data[8:11], unpack(b"<4I", data[12:28])
        found = 84,
    return found
