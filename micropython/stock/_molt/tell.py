"""Progress, as it is said."""

from _molt import part


def tell(job, phase):
    """What is called with (job, bytes done, all), now and then; None where nobody wants to know."""
    if not job.verbose and not job.progress:
        return None
    if job.shown and job.shown[0] != phase:
        part("end").end(job, False)
    job.shown = [phase, -10, 0, "comparing" if phase == "compare" else "checking " + phase]
    return _tell


def _tell(job, done, total):
    """Prints, and calls the user's function, some ten times."""
    percent = done // (total // 100 + 1)
    phase, before, _, text = job.shown
    # A gzip file is gone through more than once.
    if percent >= before + 10 or percent < before:
        job.shown[1:3] = percent, total
        if job.verbose:
            print("\rmolt: %s %u%%  " % (text, percent), end="")
        if job.progress:
            job.progress(phase, done, total)
