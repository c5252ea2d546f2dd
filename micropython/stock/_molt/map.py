"""What this package has to know of flash maps: src/map/map.c, of maps without molt."""

import esp

_SECTOR = const(4096)
_SIZE_OFF = const(0x8FFC)


def romfs():
    """Where a ROMFS partition begins, or 0."""
    try:
        from vfs import rom_ioctl
        from uctypes import addressof

        return addressof(rom_ioctl(2, 0)) - 0x40200000 if rom_ioctl(1) > 0 else 0
    except ImportError:
        return 0


def region(fs_addr):
    """The address of molt's reserved region where the filesystem begins at `fs_addr`; 0 where the map has none."""
    if fs_addr == 0xC0000:
        return 0xB6000
    if fs_addr < 0x100000 or romfs():
        return 0
    if fs_addr == 0x110000:
        return 0x108000
    # What a large firmware reaches into is not reserved.
    from ustruct import unpack

    end = unpack(b"<I", esp.flash_read(_SIZE_OFF, 4))[0] + 16
    return 0 if 0xF8000 < end <= 0x100000 else 0xF8000


def is_behind_yaota():
    """Whether the firmware lies behind the boot loader yaota8266, which the mask ROM starts. MicroPython's own build for it has its
    filesystem at 0xD4000; else MicroPython's esp.check_fw() goes by the header in sector 0: its boot8266 is one segment, and no MicroPython is."""
    return esp.flash_user_start() == 0xD4000 or esp.flash_read(0, 4)[:2] == b"\xe9\x01"
