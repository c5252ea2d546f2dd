"""Replace the firmware in place, from an image file on the device's own littlefs.

    import molt
    molt.fwupdate('firmware.bin')

The file is checked, the boot loader and the plan are put into sector 0, and the device resets. The boot loader does
the rest; a power cut during its work is made up for at the next start.

In the place of the module of firmwares with molt in them. The work is done in molt_upgrade.py, molt_ask.py, molt_file.py and
molt_chip.py, which are the same there; here they take no memory but while they are at it. What a function does and takes is
said there.
"""


def _call(module, name, *args, **options):
    """Call a function of a module, and forget the module."""
    import sys

    if sys.platform != "esp8266":
        raise OSError(95, "this package is for the ESP8266; an %s upgrades by its own OTA partitions (esp32.Partition)" % sys.platform)
    try:
        return getattr(__import__(module), name)(*args, **options)
    finally:
        for used in (module, "molt_upgrade", "molt_chip"):
            sys.modules.pop(used, None)


def fwupdate(file_name, *args, **options):
    """Replace the firmware by the image in `file_name`."""
    return _call("molt_upgrade", "fwupdate", file_name, *args, **options)


def check(file_name):
    """Say what the image is."""
    return _call("molt_ask", "check", file_name)


def plan(file_name, *args, **options):
    """What an upgrade would do."""
    return _call("molt_ask", "plan", file_name, *args, **options)


def status():
    """What the last upgrade came to."""
    return _call("molt_ask", "status")


def pending():
    """The size of the image that the next reset puts in, or None."""
    return _call("molt_ask", "pending")


def cancel(*args, **options):
    """Take back what fwupdate(..., reset=False) prepared."""
    return _call("molt_ask", "cancel", *args, **options)


def install(*args, **options):
    """Put the resident boot loader into sector 0."""
    return _call("molt_ask", "install", *args, **options)


def uninstall(*args, **options):
    """Put the firmware's own first sector back into sector 0."""
    return _call("molt_ask", "uninstall", *args, **options)


def confirm():
    """Keep the firmware that is on trial."""
    return _call("molt_ask", "confirm")


def map():
    """Raises OSError: the flash map is a part of firmwares with molt in them."""
    import molt_map

    molt_map.show()


regions = user = user_bdev = migrate = map
