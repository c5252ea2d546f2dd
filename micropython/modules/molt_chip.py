"""What of an upgrade's Python is the ESP8266's own: where a filesystem is, and what is said of its flash."""

import esp
import _molt

# JEDEC id of a maker whose chips do not program bits but rewrite pages.
_PUYA = const(0x85)


def check_volume():
    """Raise OSError if there is no filesystem that a file could be on."""
    from flashbdev import bdev

    if bdev is None or bdev.blocks < 2:
        from molt_map import header_trouble

        raise OSError(19, header_trouble())


def place(device, is_littlefs, erase_all):
    """Address and size of the filesystem on this block device."""
    from flashbdev import FlashBdev, bdev

    if not is_littlefs and isinstance(device, FlashBdev):
        raise OSError(95, "the file is on FAT in the device's own flash; molt reads littlefs: save the files, and make the filesystem "
                      "again by vfs.umount('/'); vfs.VfsLfs2.mkfs(flashbdev.bdev), which erases it")
    if not is_littlefs:
        raise OSError(95, "the file has to be on the device's own littlefs (VfsLfs2); copy it there")
    if not isinstance(device, FlashBdev):
        raise OSError(95, "the file is on another volume than a littlefs in the device's own flash; copy it there")
    if device is not bdev and erase_all:
        raise ValueError("erase_all takes an image from the filesystem that is to be erased; copy it there")
    return device.start_sec * device.SEC_SIZE, device.blocks * device.SEC_SIZE


def check_trial(fallback):
    if not _molt.resident():
        raise ValueError("a fallback needs resident mode; molt.install() installs it")


def say_of_chip():
    if esp.flash_id() & 0xFF == _PUYA:
        print("molt: this flash chip (PUYA) rewrites whole pages: a power cut while a file is written can cost other files")


def say_risk(when):
    # As in inisetup.py and README.md; the boot loader's own part of it is in docs/design.md.
    print("molt: sector 0 is rewritten now" + when + "the power must not fail for some 60 ms, or nothing boots until the serial line is used")
