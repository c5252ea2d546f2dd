"""What an upgrade with erase_all erases of the filesystem: src/upgrade/plan_build.c"""

_SECTOR = const(4096)
_PER_BLOCK = const(16)


def fs_range(job, step):
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
        begin, end = fs_range(job, step)
        if begin <= addr < end:
            job.todo[step // 8] &= ~(1 << step % 8)
