"""Resident mode, taken out: src/resident/resident.c. Rewrites sector 0 once."""

from _molt import part

_SECTOR = const(4096)


def resident_uninstall():
    """Put the firmware's own first sector back. Power cut: fatal while sector 0 is written, once."""
    found = part("config").config()
    if found[0] == 2:
        raise part("text").error(2, "not_installed")
    try:
        if found[0]:
            raise OSError(found[0])
        state = part("state").read(found[1])
        if state and state[1][0] != 1:
            raise OSError(16)
        if not state:
            raise OSError(2)
        head = found[1] + (state[1][2] & 1) * _SECTOR
        sector = part("sector").Sector(head, _SECTOR)
        if not sector.is_at(head) or not part("put").put(sector, 0):
            raise OSError(5)
    except OSError as e:
        raise part("text").error(e.errno, "in_progress" if e.errno == 16 else "not_installed" if e.errno == 2 else "sector_0_try")
