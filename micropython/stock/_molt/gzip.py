"""Of a gzip file what is known of an image file by its size."""

from _molt import part


def gzip(job):
    if job.is_gzip:
        part("measure").measure(job)
