"""An upgrade in resident mode: what goes into the reserved region. src/resident/resident.c"""

import uos
from _molt import FOLDER, forget, part

_SECTOR = const(4096)


def _at_rest(reserved):
    state = part("log").read(reserved)
    if not state or state[1][0] != 1:
        raise OSError(16)
    return state


def _extension(job):
    """(size, CRC) of the boot loader's extension."""
    crc = 0
    view = memoryview(job.buf)[64:]
    with open(FOLDER + "/inflate.bin", "rb") as f:
        size = 0
        while True:
            count = f.readinto(view)
            if not count:
                return size, crc
            size += count
            crc = job.sums.crc32(crc, view[:count])


def _write(sector, addr):
    if not part("put").write(sector, addr):
        raise OSError(5)


def write_overlay(reserved):
    """Write the overlay unless it is there."""
    sector = part("blob").sector("overlay.bin")
    if not part("put").is_there(sector, reserved + 7 * _SECTOR):
        _write(sector, reserved + 7 * _SECTOR)


def run(job):
    """Put plan, overlay and, for a gzip file, extension into the reserved region. Power cut: harmless."""
    job.hole = None
    head = job.reserved + (_at_rest(job.reserved)[1][2] & 1) * _SECTOR
    extension = (job.reserved + 6 * _SECTOR,) + _extension(job) if job.is_gzip else (0, 0, 0)
    forget()
    sector = part("put").Sector(0, 0, job.buf)
    part("lay").lay(job, sector, (head, 0, 0) + extension)
    _write(sector, job.reserved + (3 if job.is_fallback else 2) * _SECTOR)
    write_overlay(job.reserved)
    if job.is_gzip:
        _write(part("blob").sector("inflate.bin", job.buf), job.reserved + 6 * _SECTOR)


def commit(job, starts):
    """The next start upgrades. Power cut: it will, or not."""
    try:
        state = _at_rest(job.reserved)
        fields = bytes((2, 1, state[1][2], 0, 1 if starts else 0xFF, min(starts, 32)))
        part("log").append(job.reserved, state, fields)
    except OSError as e:
        raise part("text").error(e.errno, "flash")


def resident_end():
    """Keep the firmware that runs: whether there was an upgrade to take back, or a trial to end."""
    log = part("log")
    found = log.config()
    if found[0] == 2:
        return False
    try:
        if found[0]:
            raise OSError(found[0])
        state = log.read(found[1])
        if not state or state[1][0] == 1:
            return False
        kind, _, head, _, _, starts = state[1]
        log.append(found[1], state, bytes((1, 4 if kind == 3 else 0, head, 0xFF, 0xFF, starts)))
    except OSError as e:
        raise part("text").error(e.errno, "bad_log")
    return True
