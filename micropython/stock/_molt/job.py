"""What an upgrade begins with, and what its parts add: src/job/job.c, in its order. Only store() and commit() write, and who calls
them has saved what is to be saved."""

from _molt import forget, part


def job(job, path, fs_addr, fs_size, safe_check=True, erase_all=False, verbose=False, drop_frozen=False, is_fallback=False, progress=None):
    """`path` is inside the filesystem and, this being the root's, outside too.

    size, crc32, sha1  of the image; of a gzip file those of what is in it
    file_size, file_crc, extents  of the file
    kept        bytes of the file that the image's first sector comes from
    region      address of the reserved region in resident mode, else 0
    shape       of the plan: begin.py
    todo        of the plan: the steps that there is something to do in, a bit each
    shown       of the progress: phase, per cent, all bytes: tell.py
    """
    # Taken now, when there is one in one piece.
    job.buf = bytearray(64 + 512)
    job.path = path
    job.fs_addr = fs_addr
    job.fs_size = fs_size
    job.erase_all = erase_all
    job.safe_check = safe_check
    job.is_fallback = is_fallback
    job.verbose = verbose
    job.progress = progress
    job.shown = None
    job.sums = part("load").load()
    job.unpacked = None
    job.is_gzip = False
    try:
        with open(path, "rb") as f:
            job.is_gzip = f.read(2) == b"\x1f\x8b"
        if job.is_gzip:
            scrap = memoryview(job.buf)[64:]
            bits = part("look").look(path, scrap)
            forget()
            job.unpacked = part("inflate").File(open(path, "rb"), scrap)
            # The window takes its room now, when there is some in one piece.
            job.unpacked.begin(bits)
    except (EOFError, MemoryError, OSError):
        # It is said later, in its turn.
        pass
