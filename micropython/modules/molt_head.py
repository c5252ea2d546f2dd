"""What fwupdate() does before it writes: what the boot loader may need is saved."""

import uos
import _molt


def prepare(job, file_name, path, trial, progress, verbose):
    """Save what the boot loader may need to the file `path`, if there is one; delete frozen modules that are in the way."""
    if path:
        if file_name.rsplit("/", 1)[-1] == path.rsplit("/", 1)[-1]:
            raise ValueError("the present first sector is saved in a file of that name; rename the image")
        if progress:
            progress("write", 0, 2)
        _save(job, path)
    if progress:
        progress("write", 1, 2)
    if hasattr(_molt, "frozen"):
        from molt_ask import delete_frozen

        size = job.image()[2]
        delete_frozen(max(size, trial[0]) if trial else size)


def _save(job, path):
    """Write what the boot loader may need to the file `path`."""
    buf = bytearray(64)
    off = 0
    f = None
    saved = job.saved
    try:
        with open(path, "wb") as f:
            while True:
                n = saved(off, buf)
                if not n:
                    break
                f.write(memoryview(buf)[:n])
                off += n
    except OSError as e:
        if f:
            try:
                uos.remove(path)
            except OSError:
                pass
        if e.errno == 28:
            raise OSError(28, "%s (8 KB) cannot be written; remove a file to make room" % path)
        raise OSError(e.errno, "%s cannot be written; mount its filesystem for writing, and have no directory of that name" % path)
    uos.sync()
