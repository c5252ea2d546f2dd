"""An upgrade in resident mode: its plan. src/resident/resident.c"""

from _molt import FOLDER, forget, part

_SECTOR = const(4096)


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


def slots(job):
    """Put the plan into the reserved region. Power cut: harmless."""
    # Of the firmware that is replaced: for a fallback not the present one.
    head = job.region + ((part("state").at_rest(job.region)[1][2] ^ bool(job.is_fallback)) & 1) * _SECTOR
    extension = (job.region + 6 * _SECTOR,) + _extension(job) if job.is_gzip else (0, 0, 0)
    forget()
    sector = part("sector").Sector(0, 0, job.buf)
    part("lay").lay(job, sector, (head, 0, 0) + extension)
    forget()
    if not part("put").put(sector, job.region + (3 if job.is_fallback else 2) * _SECTOR):
        raise OSError(5)
