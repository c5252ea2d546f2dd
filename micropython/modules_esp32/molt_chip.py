"""What of an upgrade's Python is the ESP32 family's own: where a filesystem is."""

from esp32 import Partition
import _molt


def check_volume():
    """Where a filesystem is says its partition, at place()."""


def place(device, is_littlefs, erase_all):
    """Address and size of the filesystem on this block device."""
    if not isinstance(device, Partition):
        raise OSError(95, "the file is not on a filesystem in the device's own flash; copy it there")
    if not is_littlefs:
        raise OSError(95, "the file is on FAT, and molt reads littlefs: save the files, and make the filesystem again by "
                      "vfs.VfsLfs2.mkfs(), which erases it")
    _, _, addr, size, _, is_encrypted = device.info()
    if is_encrypted:
        raise OSError(95, "the file is on an encrypted partition, and molt's loader reads it as it is; copy it to another one")
    return addr, size


def check_trial(fallback):
    """Raise ValueError if there cannot be a trial. True if it needs no file: with OTA slots there is the firmware that runs now."""
    if _molt.slots():
        if fallback is not True:
            raise ValueError("with OTA slots a trial falls back on the firmware that runs now: fallback=True")
        return True
    trouble = _molt.standby()
    if trouble[0]:
        raise ValueError("a fallback needs molt's loader: %s" % trouble[0])
    if not trouble[4]:
        raise ValueError("a fallback needs three sectors between boot loader and partition table, and there are two: upgrade without one")


def say_of_chip():
    """Nothing is known of flash chips that these modules are made with."""


def say_risk(when):
    """There is no moment at which the power must not fail."""
