"""The boot sector of a job: src/job/job.c without resident mode."""

from _molt import forget, part


def boot(job):
    """Make the boot sector. Nothing counts yet."""
    job.boot = part("blob").sector("/loader.bin", job.buf)
    job.boot.set(2, job.params)
    forget()
    part("lay").lay(job, job.boot, job.head)
