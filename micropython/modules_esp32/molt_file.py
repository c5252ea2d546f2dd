"""Where an image file is: what fwupdate() asks before anything else, on a chip of the ESP32 family."""

import uos
import _molt
from esp32 import Partition


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
    wanted = _digest(sha256) if sha256 else None
    if not isinstance(file_name, str):
        raise TypeError("the image file is named by a str")
    if not file_name.rstrip("/"):
        raise OSError(21, "this is a directory; name the image file in it")
    if not file_name.startswith("/"):
        file_name = uos.getcwd().rstrip("/") + "/" + file_name
    root, path, device, is_littlefs = _molt.lookup(file_name)
    if not isinstance(device, Partition):
        raise OSError(95, "the file is not on a filesystem in the device's own flash; copy it there")
    if not is_littlefs:
        raise OSError(95, "the file is on FAT, and molt reads littlefs: save the files, and make the filesystem again by "
                      "vfs.VfsLfs2.mkfs(), which erases it")
    _, _, addr, size, _, is_encrypted = device.info()
    if is_encrypted:
        raise OSError(95, "the file is on an encrypted partition, and molt's loader reads it as it is; copy it to another one")
    _molt.flush()
    uos.sync()
    if wanted:
        _check_digest(file_name, wanted)
    return path, addr, size, root.rstrip("/")


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
    """Nothing is known of flash chips that these modules are made with."""


def say_risk(when):
    """There is no moment at which the power must not fail."""
