"""In the place of molt's flash maps, on a firmware without molt: what is asked of them there."""


def header_trouble():
    """The sentence for a device that has no filesystem."""
    import esp

    size = esp.flash_size() // 1024
    return "this firmware has no filesystem on a flash of %u KB: write another firmware by the serial line" % size


def refuse():
    """Say what is not to be had: nothing on another chip, nor where this package takes the place of the firmware's own molt; here the
    flash map."""
    import sys
    import _molt

    if sys.platform != "esp8266":
        raise OSError(95, "this package is for the ESP8266; an %s upgrades by its own OTA partitions (esp32.Partition)" % sys.platform)
    if not hasattr(_molt, "do"):
        raise OSError(95, "this firmware has molt in it, and the package for firmwares without is in its way: import molt_ask; "
                      "molt_ask.remove_package(), and restart")
    raise OSError(95, "the flash map is a part of firmwares with molt in them; molt.fwupdate() makes this one such a firmware")


def find(kind):
    """(address, size) of the region that molt reserves for resident mode; (0, 0) where the map has none."""
    if kind != "reserved":
        refuse()
    from flashbdev import bdev
    from _molt import forget, part

    if not bdev:
        raise OSError(19, header_trouble())
    addr = part("map").region(bdev.start_sec * 4096)
    forget()
    return addr, 8 * 4096 if addr else 0
