"""The image as a file: the image file itself, or what is in a gzip file."""

from _molt import part


def source(job):
    f = open(job.path, "rb")
    return part("inflate").File(job, f, job.bits) if job.is_gzip else f
