"""The file of an upgrade: where the image is. What is wrong with the name has its sentence here, what is wrong with the place in the
chip's own molt_chip.py."""

import uos
import _molt


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
