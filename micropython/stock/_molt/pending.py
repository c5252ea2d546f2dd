"""Whether the next reset upgrades."""

import esp
from _molt import part

_SECTOR = const(4096)


def _plan_addr():
    """Where the plan is that the next reset carries out: sector 0 or, in resident mode, a slot of the reserved region."""
    found = part("state").here()
    return found[0] + (2 + (found[1][1][3] & 1)) * _SECTOR if found and found[1][1][0] == 2 else 0


def pending():
    """None, or (image size, image CRC, whether the filesystem will be erased)"""
    addr = _plan_addr()
    plan = part("planned").planned(addr)
    if not plan:
        return None
    version, size, crc, fs_size, _, _, extents_off, plan_crc = plan
    if version != 2 or extents_off > _SECTOR - 132:
        return None
    found = 0
    crc32 = part("load").load().crc32
    for off in range(extents_off, _SECTOR - 4, 64):
        found = crc32(found, esp.flash_read(addr + off, min(64, _SECTOR - 4 - off)))
    return (size, crc, fs_size != 0) if found == plan_crc else None
