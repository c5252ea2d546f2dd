"""The image as a file: the image file itself, or what is in a gzip file."""


def source(job):
    """Of a gzip file always the same one, which stays open: its window would not find another place so large."""
    return job.unpacked or open(job.path, "rb")
