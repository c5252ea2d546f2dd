"""A plan's beginning: what collides is refused. src/upgrade/plan_build.c, and the order of src/job/job.c. Writes nothing."""

import esp
import uos
from _molt import FOLDER, part

_SECTOR = const(4096)
_PAGE = const(256)
_PER_BLOCK = const(16)
_HEADER_SIZE = const(132)
_LOG_MIN = const(32)
_MAPPED_SIZE = const(0x100000)
_RESERVED_SIZE = const(8 * 4096)


def _refused(*words):
    return part("text").refused(*words)


def _kept(job):
    """Where regions begin that an image may not reach into: ROMFS, what is behind the filesystem, molt's own."""
    addrs = [job.fs_addr + job.fs_size]
    romfs = part("map").romfs()
    if romfs:
        addrs.append(romfs)
    if job.region:
        addrs.append(job.region)
    return addrs


def _check_target(job, end):
    size = job.size
    if size == 0:
        raise _refused(27, "empty_image", 1, 0)
    if size > esp.flash_size():
        raise _refused(27, "past_flash", size, esp.flash_size())
    if size > _MAPPED_SIZE:
        raise _refused(27, "past_mapped", size, _MAPPED_SIZE)
    if end > job.fs_addr:
        raise _refused(27, "into_filesystem", end, job.fs_addr)
    for addr in _kept(job):
        if end > addr:
            raise _refused(27, "into_reserved", end, addr)


def _fs_steps(job):
    if not job.erase_all:
        return 0
    group = _PER_BLOCK * _SECTOR
    return (job.fs_addr + job.fs_size - 1) // group - job.fs_addr // group + 2


def _shape(job, sectors, loader_size):
    """(sectors, step that verifies, steps, offsets of to-do set, extents and journal, sizes of a set and of the log)"""
    verify = 1 + (sectors + _PER_BLOCK - 1) // _PER_BLOCK * (_PER_BLOCK + 1)
    steps = verify + 1 + _fs_steps(job)
    set_size = (steps + 32) // 32 * 4
    count = len(job.extents) // 2
    todo = _SECTOR - _HEADER_SIZE - set_size
    extents = todo - (count + 1) // 2 * 4
    size = set_size + _LOG_MIN
    log_size = _LOG_MIN
    journal = extents - size
    if count and journal >= loader_size and size <= _PAGE:
        # A page of their own for journal and log if there is one, else one page that both are in.
        page_end = extents // _PAGE * _PAGE
        if page_end >= loader_size + _PAGE:
            journal = page_end - _PAGE
            log_size = _PAGE - set_size
        elif extents - page_end < size:
            journal = page_end - size
        if journal >= loader_size:
            return sectors, verify, steps, todo, extents, journal, set_size, log_size
    raise _refused(28, "too_many_extents", count, _SECTOR)


def _check_extents(job, end):
    addr = part("extent").addr
    for i in range(len(job.extents) // 2 - 1, -1, -1):
        begin = addr(job.extents, i)[0]
        if begin < end:
            raise _refused(34, "overlaps_source", end, begin)
        if begin >= esp.flash_size():
            raise _refused(34, "past_flash", begin, esp.flash_size())


def begin(job):
    """params: header bytes 2 and 3 of the device; the plan's shape. Raises OSError with its sentence."""
    params = esp.flash_read(0, 4)
    # Read twice: with wrong ones it would not start again.
    if params != esp.flash_read(0, 4):
        raise OSError(5)
    job.params = params[2:4]
    sectors = (job.size + _SECTOR - 1) // _SECTOR
    _check_target(job, sectors * _SECTOR)
    job.shape = _shape(job, sectors, 0 if job.region else uos.stat(FOLDER + "/loader.bin")[6])
    if job.image_fs and job.image_fs != job.fs_addr and not job.erase_all:
        raise _refused(95, "other_map", job.image_fs, job.fs_addr)
    _check_extents(job, sectors * _SECTOR)
