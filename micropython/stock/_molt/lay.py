"""A plan as bytes: docs/format.md, "plan header"."""

import esp
from ustruct import pack

_HEAD = const(3964)


def lay(job, sector, saved):
    """Put the plan into a sector. saved: address and CRC of the old first sector, address of the report; address, size and CRC
    of the extension."""
    _, verify, steps, todo, extents, journal, set_size, log_size = job.shape
    params = job.params[0] | job.params[1] << 8
    fs_size = job.fs_size if job.erase_all else 0
    header = (
        pack(b"<4s11I", b"MOLT", 2, esp.flash_size(), int(job.is_gzip), job.size, job.crc32, 0, 0, job.first[0], job.file_size, params,
             len(job.extents) // 2) + pack(b"<6I", *saved) +
        pack(b"<9I", job.fs_addr, fs_size, steps, verify, set_size, todo, extents, journal, log_size) + job.sha1)
    crc32 = job.sums.crc32
    crc = crc32(0, job.extents)
    if len(job.extents) % 4:
        crc = crc32(crc, b"\xff\xff")
    crc = crc32(crc32(crc, job.todo), header)
    sector.set(extents, job.extents)
    sector.set(todo, job.todo)
    sector.set(_HEAD, header + pack(b"<I", crc))
