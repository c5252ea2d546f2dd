"""The plan that is in flash."""

import esp
from ustruct import unpack_from

_SECTOR = const(4096)
_HEADER_SIZE = const(132)


def planned(addr=0):
    """(version, image size, image CRC, bytes of filesystem to be erased, address and CRC of the saved first sector, offset of the
    extents, CRC of the plan) in the sector at `addr`. None where there is no plan: that is read twice."""
    for _ in range(2):
        header = esp.flash_read(addr + _SECTOR - _HEADER_SIZE, _HEADER_SIZE)
        if header[:4] == b"MOLT":
            words = unpack_from(b"<33I", header)
            return words[1], words[4], words[5], words[19], words[12], words[13], words[24], words[32]
    return None
