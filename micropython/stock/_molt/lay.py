"""A plan as bytes, made and read: docs/format.md, "plan header"."""

import esp
from ustruct import pack, unpack_from

_SECTOR = const(4096)
_HEADER_SIZE = const(132)
_HEAD = const(3964)


def lay(job, sector, saved):
    """Put the plan into a sector. saved: address and CRC of the old first sector, address of the report; address, size and CRC
    of the extension."""
    _, verify, steps, todo, extents, journal, set_size, log_size = job.shape
    params = job.params[0] | job.params[1] << 8
    fs_size = job.fs_size if job.erase_all else 0
    header = (
        pack("<4s11I", b"MOLT", 2, esp.flash_size(), int(job.is_gzip), job.size, job.crc32, 0, 0, job.first[0], job.file_size, params,
             len(job.extents) // 2) + pack("<6I", *saved) +
        pack("<9I", job.fs_addr, fs_size, steps, verify, set_size, todo, extents, journal, log_size) + job.sha1)
    crc32 = job.sums.crc32
    crc = crc32(0, job.extents)
    if len(job.extents) % 4:
        crc = crc32(crc, b"\xff\xff")
    crc = crc32(crc32(crc, job.todo), header)
    sector.set(extents, job.extents)
    sector.set(todo, job.todo)
    sector.set(_HEAD, header + pack("<I", crc))


def is_spared(job, begin, size):
    """Whether the upgrade leaves these bytes of flash alone."""
    return begin >= job.shape[0] * _SECTOR and begin + size <= esp.flash_size()


def read_header(addr=0):
    """(version, image size, image CRC, bytes of filesystem to be erased, address and CRC of the saved first sector, offset of the
    extents, CRC of the plan) in the sector at `addr`. None where there is no plan: that is read twice."""
    for _ in range(2):
        header = esp.flash_read(addr + _SECTOR - _HEADER_SIZE, _HEADER_SIZE)
        if header[:4] == b"MOLT":
            words = unpack_from("<33I", header)
            return words[1], words[4], words[5], words[19], words[12], words[13], words[24], words[32]
    return None
