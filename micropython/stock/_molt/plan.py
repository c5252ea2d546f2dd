"""The plan of a job: what it writes where, but for what is saved."""

from _molt import go


def plan(job):
    go(job, "flash", "fit", "begin", "reread", "compare", "finish", "tally")
    return job.tally
