"""Resident mode, put in: src/resident/resident.c. Rewrites sector 0 once."""

import esp
from _molt import forget, part

_SECTOR = const(4096)


def _write(sector, addr):
    if not part("put").put(sector, addr):
        raise OSError(5)


def _install_region(reserved):
    """Everything but sector 0."""
    first = part("sector").Sector(0, _SECTOR)
    if not first.is_at(0):
        raise OSError(5)
    _write(first, reserved)
    part("overlay").overlay(reserved)
    forget()
    for sector in (4, 5):
        esp.flash_erase(reserved // _SECTOR + sector)
    part("append").append(reserved, None, b"\x01\0\0\xff\xff\0")
    forget()


def _install(reserved, size):
    found = part("config").config()
    if found[0] != 2:
        if found[0] == 95 or not found[0] and found[2][0] != 1:
            raise OSError(95)
        return part("repair").repair(reserved if found[0] else found[1])
    if not reserved or reserved % _SECTOR or size < 8 * _SECTOR or reserved + size > esp.flash_size():
        raise OSError(34)
    if part("planned").planned():
        raise OSError(16)
    params = esp.flash_read(0, 4)
    if params != esp.flash_read(0, 4):
        raise OSError(5)
    forget()
    first, memory = part("first_part").first_part(reserved, params[2:])
    forget()
    part("rehearse").rehearse(memory)
    forget()
    _install_region(reserved)
    # What may be needed when sector 0 is gone is there before.
    put = part("put").put
    own = part("sector").Sector(reserved, _SECTOR)
    if not put(first, 0):
        put(own, 0)
        raise OSError(5)


def resident_install(reserved, size, force):
    """Put the resident boot loader in. Power cut: fatal while sector 0 is written, once."""
    names = {17: "installed", 16: "prepared", 28: "not_free", 34: "no_reserved", 95: "not_resident", 84: "no_checksum"}
    try:
        if size and not force and not part("state").read(reserved) and not part("is_blank").is_blank(reserved, 8 * _SECTOR):
            raise OSError(28)
        forget()
        _install(reserved, size)
    except OSError as e:
        raise part("text").error(e.errno, names.get(e.errno, "sector_0_kept"))
