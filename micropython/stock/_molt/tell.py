"""Progress, as it is said."""

from _molt import part


def tell(job, phase, text):
    """What is called with (bytes done, all): prints, and calls the user's function, some ten times and at a phase's end."""
    if not job.verbose and not job.progress:
        return lambda *_: None
    if job.shown and job.shown[0] != phase:
        part("end").end(job, False)
    job.shown = shown = [phase, -10, 0]

    def tell_some(done, total):
        percent = done // (total // 100 + 1)
        # A gzip file is gone through more than once.
        if percent >= shown[1] + 10 or percent < shown[1]:
            shown[1:] = percent, total
            if job.verbose:
                print("\rmolt: %s %u%%  " % (text, percent), end="")
            if job.progress:
                job.progress(phase, done, total)

    return tell_some
