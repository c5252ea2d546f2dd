"""Where an image file is: what fwupdate() asks before anything else, on a chip of the ESP32 family."""

import uos
import _molt
from esp32 import Partition
from molt_digest import check_digest, digest_of


def find(file_name, sha256, erase_all):
    """Of an image file: its path inside its filesystem, that one's address and size, where it is mounted. sha256: as the user has
    given it, or None."""
    wanted = digest_of(sha256) if sha256 else None
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
        check_digest(file_name, wanted)
    return path, addr, size, root.rstrip("/")
