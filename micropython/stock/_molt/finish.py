"""The end of a plan: which 64 KB blocks are erased as a whole, which of the filesystem's stay. src/upgrade/plan_build.c"""

from _molt import part

_SECTOR = const(4096)
_PER_BLOCK = const(16)

# Sectors of a 64 KB block that change, from which on it is erased as a whole.
_BLOCK_ERASE_MIN = const(5)


def _is_todo(job, step):
    return job.todo[step // 8] >> step % 8 & 1


def _set_todo(job, step):
    job.todo[step // 8] |= 1 << step % 8


def _fs_range(job, step):
    """(begin, end) of what a step of the filesystem erases."""
    verify = job.shape[1]
    end = job.fs_addr + job.fs_size
    if step == verify + 1:
        return job.fs_addr, min(job.fs_addr + 2 * _SECTOR, end)
    group = _PER_BLOCK * _SECTOR
    begin = (job.fs_addr // group + step - verify - 2) * group
    return max(begin, job.fs_addr), min(begin + group, end)


def spare(job, addr):
    """Leave the block of the filesystem that `addr` lies in as it is."""
    for step in range(job.shape[1] + 1, job.shape[2]):
        begin, end = _fs_range(job, step)
        if begin <= addr < end:
            job.todo[step // 8] &= ~(1 << step % 8)


def _finish(job):
    sectors, verify, steps = job.shape[:3]
    _set_todo(job, 0)
    _set_todo(job, verify)
    for first in range(0, sectors, _PER_BLOCK):
        step = 2 + first // _PER_BLOCK * (_PER_BLOCK + 1)
        block = range(step, step + min(_PER_BLOCK, sectors - first))
        if job.is_fallback:
            for step in block:
                if step != 2:
                    _set_todo(job, step)
        # The first block has the boot sector in it.
        if first and len(block) == _PER_BLOCK and sum(_is_todo(job, step) for step in block) >= _BLOCK_ERASE_MIN:
            for step in block:
                _set_todo(job, step)
            _set_todo(job, block[0] - 1)
    for step in range(verify + 1, steps):
        _set_todo(job, step)
    if job.erase_all:
        # What the image's first sector comes from is needed when all else is gone.
        addr = part("extent").addr
        off = i = 0
        while off < min(job.kept, job.file_size):
            begin, size = addr(job.extents, i)
            spare(job, begin)
            off += size
            i += 1


def _tally(job):
    """(sectors, equal, programmed, sector erases, 64 KB erases, whether nothing is to be done)"""
    sectors, verify, steps = job.shape[:3]
    # The boot sector is erased twice.
    sector_erases, block_erases, programmed = 2, 0, 1
    in_block = False
    for step in range(1, steps):
        is_todo = _is_todo(job, step)
        if step < verify and (step - 1) % (_PER_BLOCK + 1) == 0:
            in_block = is_todo
            block_erases += is_todo
        elif step < verify and is_todo:
            programmed += 1
            sector_erases += not in_block
        elif step > verify and is_todo:
            begin, end = _fs_range(job, step)
            is_block = end - begin == _PER_BLOCK * _SECTOR
            block_erases += is_block
            sector_erases += 0 if is_block else (end - begin) // _SECTOR
    in_place = programmed == 1 and not job.first[1] and not job.erase_all
    return sectors, sectors - programmed, programmed, sector_erases, block_erases, in_place


def run(job):
    """job.todo is what it will be but for what is saved, job.tally what there is to do."""
    _finish(job)
    job.tally = _tally(job)
