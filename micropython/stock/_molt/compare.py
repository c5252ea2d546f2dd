"""The image, compared with what is in flash: src/upgrade/prepare.c"""

import esp
from _molt import forget, part

_SECTOR = const(4096)
_PER_BLOCK = const(16)


def _read_image(job, f, half, off):
    """The image's bytes from `off` on, 0xFF behind its end."""
    size = max(0, min(len(half), job.size - off))
    if size and f.readinto(half[:size]) != size:
        raise OSError(84)
    for i in range(size, len(half)):
        half[i] = 0xFF


def _look_at_first(job, f, image, flash):
    """CRC of the first sector as it goes into flash, and whether another one is there."""
    crc = 0
    differs = False
    f.seek(0)
    for off in range(0, _SECTOR, len(image)):
        _read_image(job, f, image, off)
        if off == 0:
            image[2:4] = job.params
        esp.flash_read(job.present + off, flash)
        crc = job.sums.crc32(crc, image)
        differs = differs or image != flash
    return crc, differs


def _compare(job, f, image, flash, tell):
    job.first = _look_at_first(job, f, image, flash)
    if job.first != _look_at_first(job, f, image, flash):
        raise OSError(5)
    for sector in range(1, job.shape[0]):
        off = sector * _SECTOR
        f.seek(off)
        for at in range(off, off + _SECTOR, len(image)):
            _read_image(job, f, image, at)
            esp.flash_read(at, flash)
            if image != flash:
                step = 2 + sector // _PER_BLOCK * (_PER_BLOCK + 1) + sector % _PER_BLOCK
                job.todo[step // 8] |= 1 << step % 8
                break
        if tell:
            tell(job, off, job.size)


def compare(job):
    """job.todo: which sectors are to be written. job.first: of the first one. Raises OSError(5) where readings differ."""
    job.todo = bytearray(job.shape[6])
    tell = part("tell").tell(job, "compare")
    forget()
    view = memoryview(job.buf if job.is_gzip else part("buffer").buffer(job))[64:]
    half = len(view) // 2
    forget()
    with job.unpacked or open(job.path, "rb") as f:
        _compare(job, f, view[:half], view[half:], tell)
