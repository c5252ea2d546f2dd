"""From here on the next reset upgrades."""

from _molt import forget, part


def commit(job, tries):
    forget()
    try:
        if job.region:
            part("activate").activate(job, tries)
            return
        # What may be needed when sector 0 is gone is there before.
        part("sector")
        put_back = part("put_back").put_back
        # Power cut: fatal for some 60 ms.
        if not part("put").put(job.boot, 0):
            put_back(job.sums, *job.head[:2], job.buf)
            raise part("text").error(5, "flash")
    finally:
        forget()
