"""The file, held to its blocks: src/upgrade/prepare.c"""

import esp
from _molt import forget, part


def reread(job):
    """The file, read through its extents, has its CRC-32. OSError(5) with the sentence where it has not."""
    if not job.safe_check:
        return
    view = memoryview(part("buffer").buffer(job))[64:]
    tell = part("tell").tell(job, "file")
    forget()
    addr = part("extent").addr
    crc32 = job.sums.crc32
    done = crc = 0
    for i in range(len(job.extents) // 2):
        begin, size = addr(job.extents, i)
        end = begin + min(size, job.file_size - done)
        if tell:
            tell(job, done, job.file_size)
        while begin < end:
            size = min(len(view), end - begin)
            # Flash is read by whole words.
            esp.flash_read(begin, view[:size + 3 & ~3])
            crc = crc32(crc, view[:size])
            begin += size
            done += size
    if crc != job.file_crc:
        raise part("text").error(5, "bad_extents")
