"""Resident mode's region, as it is before anything was upgraded in it."""

import esp
from _molt import forget, part

_SECTOR = const(4096)


def _keep_first(reserved):
    """The firmware's own first sector."""
    first = part("sector").Sector(0, _SECTOR)
    if not first.is_at(0) or not part("put").put(first, reserved):
        raise OSError(5)


def reserve(reserved):
    """Everything but sector 0. Power cut: harmless."""
    _keep_first(reserved)
    forget()
    part("overlay").overlay(reserved)
    forget()
    for sector in (4, 5):
        esp.flash_erase(reserved // _SECTOR + sector)
    part("append").append(reserved, None, b"\x01\0\0\xff\xff\0")
