"""Progress, as it is said."""

from _molt import part


def tell(job, phase):
    """What is called with (job, bytes done, all), now and then; None where nobody wants to know."""
    if not job.verbose and not job.progress:
        return None
    if job.shown and job.shown[0] != phase:
        part("end").end(job, False)
    job.shown = [phase, -10, 0]
    return _tell


def _tell(job, done, total):
    """Prints, and calls the user's function, some ten times."""
    percent = done // (total // 100 + 1)
    phase, before, _ = job.shown
    # A gzip file is gone through more than once.
    if percent >= before + 10 or percent < before:
        job.shown[1:] = percent, total
        if job.verbose:
            text = "\rmolt: comparing %u%%  " if phase == "compare" else "\rmolt: checking %s %%u%%%%  " % phase
            print(text % percent, end="")
        if job.progress:
            job.progress(phase, done, total)
