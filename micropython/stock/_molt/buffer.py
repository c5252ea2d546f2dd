"""What to read an image into."""

import gc

# What else is needed meanwhile, and what lies in pieces too small.
_SPARE = const(4096)


def buffer(job):
    """64 bytes, and 4096 where there is plenty of room, 2048, 1024, or the job's own 512."""
    gc.collect()
    size = 4096
    # Of a gzip file unpacking takes the time, and the memory.
    while size > 512 and not job.is_gzip:
        if gc.mem_free() > 2 * size + _SPARE:
            try:
                return bytearray(64 + size)
            except MemoryError:
                pass
        size //= 2
    return job.buf
