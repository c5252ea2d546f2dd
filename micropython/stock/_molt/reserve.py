"""The place of a gzip file's window."""

from _molt import sweep

# What it takes beside the window.
_STATE_SIZE = const(1400)


def reserve(job, bits):
    """Keep the place of a window, in one piece, until it is needed: later there may be none."""
    job.hole = None
    sweep()
    try:
        job.hole = bytearray(_STATE_SIZE), bytearray(1 << bits)
    except MemoryError:
        job.hole = None
