"""The files of an upgrade: where the image is, what fwupdate() asks before anything else, what it says of them, and what is saved
before it writes. What is wrong with the name has its sentence here, what is wrong with the place in the chip's own molt_chip.py.

On a firmware without molt each of these functions is loaded by itself: tools/mip."""

import uos
import _molt


def _digest(sha256):
    """An expected SHA-256 as bytes."""
    try:
        if isinstance(sha256, str):
            from ubinascii import unhexlify

            sha256 = unhexlify(sha256.strip())
        if len(sha256) == 32:
            return bytes(sha256)
    except (TypeError, ValueError):
        pass
    raise ValueError("sha256 is 64 hexadecimal digits, or 32 bytes")


def _check_digest(file_name, wanted):
    from ubinascii import hexlify

    with open(file_name, "rb") as f:
        found = _molt.sha256(f)
    if found != wanted:
        raise OSError(84, "the file's SHA-256 is %s, not the one expected: this is another file, or a damaged one; copy it again"
                      % hexlify(found).decode())


def find(file_name, sha256, erase_all):
    """Of an image file: its path inside its filesystem, that one's address and size, where it is mounted. sha256: as the user has
    given it, or None."""
    import molt_chip

    wanted = _digest(sha256) if sha256 else None
    if not isinstance(file_name, str):
        raise TypeError("the image file is named by a str")
    molt_chip.check_volume()
    if not file_name.rstrip("/"):
        raise OSError(21, "this is a directory; name the image file in it")
    if not file_name.startswith("/"):
        file_name = uos.getcwd().rstrip("/") + "/" + file_name
    root, path, device, is_littlefs = _molt.lookup(file_name)
    addr, size = molt_chip.place(device, is_littlefs, erase_all)
    _molt.flush()
    uos.sync()
    if wanted:
        _check_digest(file_name, wanted)
    return path, addr, size, root.rstrip("/")


def already():
    raise OSError(16, "an upgrade is already prepared; a reset carries it out, molt.cancel() takes it back")


def say_image(job, file_name, trial, drop_frozen, verbose):
    """Size and CRC of an image; verbose: say what it is. trial: those of what would be fallen back on, which must be another one. Raises
    OSError if the image would run over frozen modules that are to stay."""
    kind, _, size, _, crc, _, _ = job.image()
    if not drop_frozen and hasattr(_molt, "frozen"):
        from molt_ask import refuse_frozen

        refuse_frozen(size)
    if trial and hasattr(_molt, "standby"):
        job.put_on_trial()
    if trial and trial[:2] == (size, crc):
        raise ValueError("the fallback is the same image, and no way back; name a file with another one")
    if verbose:
        print("molt: %s: %s, %u bytes, crc32 %08x" % (file_name, kind, size, crc))
    if trial and trial[2] and trial[2] != job.sha1():
        raise ValueError("the delta file to fall back on does not lead back from this image; make it with `molt delta` of the same two files")
    # The engine in Python takes no delta files.
    return size, crc, None if hasattr(_molt, "do") else job.base()


def say_plan(tally, erase_all, verbose):
    """What is to be done. False: nothing."""
    sectors, _, program, _, _, in_place = tally
    if not verbose:
        return not in_place
    if in_place:
        print("molt: this firmware is in place already; nothing is written, and there is no reset")
        return False
    filesystem = "the filesystem is ERASED" if erase_all else "the filesystem is left alone"
    print("molt: %u of %u sectors differ, %s" % (program, sectors, filesystem))
    from molt_chip import say_of_chip

    say_of_chip()
    return True


def prepare(job, file_name, path, trial, progress):
    """Save what the boot loader may need to the file `path`, if there is one; delete frozen modules that are in the way."""
    if path:
        if file_name.rsplit("/", 1)[-1] == path.rsplit("/", 1)[-1]:
            raise ValueError("the present first sector is saved in a file of that name; rename the image")
        _save(job, path)
    if progress:
        progress("write", 1, 2)
    if hasattr(_molt, "frozen"):
        from molt_ask import frozen_in_way

        size = job.image()[2]
        for name in frozen_in_way(max(size, trial[0]) if trial else size):
            _molt.frozen.delete(name)


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


def stash(job, path):
    """Of a delta file, and of a fallback in standby mode: write the files of a sector each that it needs beside itself: path with a number
    behind."""
    import gc

    count = job.stash_count()
    if not count:
        return
    try:
        for i in range(count):
            with open(path + str(i), "wb") as f:
                f.write(job.stash(i))
            gc.collect()
    except OSError as e:
        if e.errno == 28:
            raise OSError(28, "%u more files of 4 KB are needed (%s0 and so on); remove files to make room" % (count, path))
        raise
    uos.sync()
    job.find_stash(path.rsplit("/", 1)[-1])
