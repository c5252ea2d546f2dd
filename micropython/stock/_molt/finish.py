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


def finish(job):
    """job.todo is what it will be but for what is saved."""
    job.unpacked = None
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
            part("spare").spare(job, begin)
            off += size
            i += 1
