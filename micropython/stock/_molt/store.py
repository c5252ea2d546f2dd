"""The plan of a job, put where the boot loader finds it."""

from _molt import go


def store(job, name):
    """What the boot loader will need is in flash, and right. Nothing counts yet."""
    job.saved_name = name
    if job.region:
        go(job, "flash", "slots", "carriers")
    else:
        go(job, "flash", "saved_at", "head", "boot")
