"""CRC of a gzip file itself, to which its blocks are held later."""

from _molt import part


def recheck(job):
    if not job.is_gzip:
        return
    tell = part("tell").tell(job, "image")
    job.file_crc = 0
    view = memoryview(part("buffer").buffer(job))
    with open(job.path, "rb") as f:
        for off in range(0, job.file_size, len(view)):
            piece = view[:f.readinto(view)]
            job.file_crc = job.sums.crc32(job.file_crc, piece)
            if tell:
                tell(job, off, job.file_size)
