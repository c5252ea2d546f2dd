"""The boot sector as bytes, made and read: docs/format.md, "plan header"."""

import esp
from ustruct import pack, unpack_from

_SECTOR = const(4096)
_HEADER_SIZE = const(132)
_HEAD = const(3964)


def _read_loader(loader, view):
    """Read the boot loader's file to the beginning of `view`, of 64 bytes more than a sector: how many bytes. Twice: what is read
    wrong must not go where the chip starts from."""
    size = loader.readinto(view[:_SECTOR])
    again = view[_SECTOR:]
    loader.seek(0)
    for off in range(0, size, 64):
        count = loader.readinto(again)
        if again[:count] != view[off:off + count] or count != min(64, size - off):
            raise OSError(5)
    return size


def lay(job, plan, sums, buf, loader, saved):
    """Make the boot sector in the first 4096 bytes of `buf`. plan: Plan.result(). saved: address and CRC of the old first sector,
    address of the report. OSError(5) where the loader reads otherwise the second time."""
    todo_off, extents_off, journal_off, log_size, step_count, verify_step, first_crc, params, todo = plan
    view = memoryview(buf)
    size = _read_loader(loader, view)
    for i in range(size, todo_off):
        buf[i] = 0xFF
    buf[2:4] = params
    buf[extents_off:extents_off + len(job.extents)] = job.extents
    buf[todo_off:_HEAD] = todo
    buf[_HEAD:_HEAD + 48] = pack("<4s11I", b"MOLT", 2, esp.flash_size(), 0, job.size, job.crc32, 0, 0, first_crc, job.size,
                                 params[0] | params[1] << 8, len(job.extents) // 2)
    fs_size = job.fs_size if job.erase_all else 0
    buf[_HEAD + 48:_HEAD + 108] = pack("<15I", saved[0], saved[1], saved[2], 0, 0, 0, job.fs_addr, fs_size, step_count, verify_step,
                                       len(todo), todo_off, extents_off, journal_off, log_size)
    buf[_HEAD + 108:_HEAD + 128] = job.sha1
    buf[_HEAD + 128:_SECTOR] = pack("<I", sums.crc32(0, view[extents_off:_HEAD + 128]))


def is_spared(job, begin, size):
    """Whether the upgrade leaves these bytes of flash alone."""
    return begin >= (job.size + _SECTOR - 1) // _SECTOR * _SECTOR and begin + size <= esp.flash_size()


def read_header():
    """(version, image size, image CRC, bytes of filesystem to be erased, address and CRC of the saved first sector, offset of the
    extents, CRC of the plan) in sector 0. None where there is no plan: that is read twice."""
    for _ in range(2):
        header = esp.flash_read(_SECTOR - _HEADER_SIZE, _HEADER_SIZE)
        if header[:4] == b"MOLT":
            words = unpack_from("<33I", header)
            return words[1], words[4], words[5], words[19], words[12], words[13], words[24], words[32]
    return None
