"""Progress, at a phase's end."""


def clear(job):
    """Take the last line away."""
    if job.verbose and job.shown:
        print("\r                             \r", end="")


def end(job, is_last):
    """The user's function is called once more, with all bytes."""
    if is_last:
        clear(job)
    phase, _, total = job.shown
    job.shown = None
    if job.progress:
        job.progress(phase, total, total)
