"""Of a gzip file what is known of an image file by its size."""

from _molt import forget, part


def gzip(job):
    if not job.is_gzip:
        return
    # Before all else, and after find.py, which needs as much: what the window takes it keeps to the end.
    try:
        scrap = memoryview(job.buf)[64:]
        bits = part("look").look(job.path, scrap)
        forget()
        job.unpacked = part("inflate").File(open(job.path, "rb"), scrap)
        job.unpacked.begin(bits)
    except (EOFError, MemoryError, OSError):
        # measure.py says it.
        pass
    forget()
    part("measure").measure(job)
