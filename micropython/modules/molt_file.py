"""Where an image file is: what fwupdate() asks before anything else. What is wrong with name or place has its sentence here. And
what it says and saves before it writes."""

import esp
import uos
import _molt

# JEDEC id of a maker whose chips do not program bits but rewrite pages.
_PUYA = const(0x85)


def _digest(sha256):
    """An expected SHA-256 as bytes."""
    if isinstance(sha256, str):
        from ubinascii import unhexlify

        sha256 = unhexlify(sha256.strip())
    if len(sha256) != 32:
        raise ValueError("sha256 is 64 hexadecimal digits, or 32 bytes")
    return bytes(sha256)


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
    from flashbdev import FlashBdev, bdev

    wanted = _digest(sha256) if sha256 else None
    if not isinstance(file_name, str):
        raise TypeError("the image file is named by a str")
    if bdev is None or bdev.blocks < 2:
        from molt_map import header_trouble

        raise OSError(19, header_trouble())
    if not file_name.rstrip("/"):
        raise OSError(21, "this is a directory; name the image file in it")
    if not file_name.startswith("/"):
        file_name = uos.getcwd().rstrip("/") + "/" + file_name
    root, path, device, is_littlefs = _molt.lookup(file_name)
    if not is_littlefs and isinstance(device, FlashBdev):
        raise OSError(95, "the file is on FAT in the device's own flash; molt reads littlefs: save the files, and make the filesystem "
                      "again by vfs.umount('/'); vfs.VfsLfs2.mkfs(flashbdev.bdev), which erases it")
    if not is_littlefs:
        raise OSError(95, "the file has to be on the device's own littlefs (VfsLfs2); copy it there")
    if not isinstance(device, FlashBdev):
        raise OSError(95, "the file is on another volume than a littlefs in the device's own flash; copy it there")
    if device is not bdev and erase_all:
        raise ValueError("erase_all takes an image from the filesystem that is to be erased; copy it there")
    _molt.flush()
    uos.sync()
    if wanted:
        _check_digest(file_name, wanted)
    return path, device.start_sec * device.SEC_SIZE, device.blocks * device.SEC_SIZE, root.rstrip("/")


def save(job, path):
    """Write what the boot loader may need to the file `path`."""
    buf = bytearray(64)
    off = 0
    f = None
    try:
        with open(path, "wb") as f:
            while True:
                n = job.saved(off, buf)
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


def say_of_chip():
    if esp.flash_id() & 0xFF == _PUYA:
        print("molt: this flash chip (PUYA) rewrites whole pages: a power cut while a file is written can cost other files")


def say_risk(when):
    # As in inisetup.py and README.md; the boot loader's own part of it is in docs/design.md.
    print("molt: sector 0 is rewritten now" + when + "the power must not fail for some 60 ms, or nothing boots until the serial line is used")
