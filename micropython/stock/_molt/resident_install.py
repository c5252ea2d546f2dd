"""Resident mode, put in: src/resident/resident.c. Its parts one after the other: memory is short."""

from _molt import forget, part


def _do(name, *args):
    forget()
    return getattr(part(name), name)(*args)


def resident_install(reserved, size, force):
    """Put the resident boot loader in. Power cut: fatal while sector 0 is written, once."""
    try:
        damaged = _do("allowed", reserved, size, force)
        if damaged:
            _do("repair", damaged)
            return
        _do("reserve", reserved)
        _do("occupy", reserved)
    except OSError as e:
        names = {17: "installed", 16: "prepared", 28: "not_free", 34: "no_reserved", 95: "not_resident", 84: "no_checksum"}
        forget()
        raise part("text").error(e.errno, names.get(e.errno, "sector_0_kept"))
