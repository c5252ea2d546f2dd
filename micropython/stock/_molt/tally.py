"""What there is to do in a plan: src/upgrade/plan_build.c"""

from _molt import part

_SECTOR = const(4096)
_PER_BLOCK = const(16)


def tally(job):
    """job.tally: (sectors, equal, programmed, sector erases, 64 KB erases, whether nothing is to be done)"""
    sectors, verify, steps = job.shape[:3]
    # The boot sector is erased twice.
    sector_erases, block_erases, programmed = 2, 0, 1
    in_block = False
    for step in range(1, steps):
        is_todo = job.todo[step // 8] >> step % 8 & 1
        if step < verify and (step - 1) % (_PER_BLOCK + 1) == 0:
            in_block = is_todo
            block_erases += is_todo
        elif step < verify and is_todo:
            programmed += 1
            sector_erases += not in_block
        elif step > verify and is_todo:
            begin, end = part("spare").fs_range(job, step)
            is_block = end - begin == _PER_BLOCK * _SECTOR
            block_erases += is_block
            sector_erases += 0 if is_block else (end - begin) // _SECTOR
    in_place = programmed == 1 and not job.first[1] and not job.erase_all
    job.tally = sectors, sectors - programmed, programmed, sector_erases, block_erases, in_place
