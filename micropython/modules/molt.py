"""Replace the firmware in place, from an image file on the device's own littlefs.

    import molt
    molt.fwupdate('firmware.bin')

The file is checked, the boot loader and the plan are put into sector 0, and the device resets. The boot loader does
the rest; a power cut during its work is made up for at the next start.

Only what is for users has a name here, for help(molt) and tab completion; the work is done in molt_upgrade.py,
molt_ask.py, molt_file.py and molt_map.py, which take no memory but while they are at it. What a function does and takes is
said there.
"""

import molt_call

del molt_call
try:
    import sys
    from _molt import frozen

    # So that `import molt.frozen` finds it.
    sys.modules["molt.frozen"] = frozen
except ImportError:
    pass
del sys


def fwupdate(file_name, *args, **options):
    """Replace the firmware by the image in `file_name`."""
    from molt_call import call

    return call("molt_upgrade", "fwupdate", file_name, *args, **options)


def check(file_name):
    """Say what the image is."""
    from molt_call import call

    return call("molt_ask", "check", file_name)


def plan(file_name, *args, **options):
    """What an upgrade would do."""
    from molt_call import call

    return call("molt_ask", "plan", file_name, *args, **options)


def status():
    """What the last upgrade came to."""
    from molt_call import call

    return call("molt_ask", "status")


def pending():
    """The size of the image that the next reset puts in, or None."""
    from molt_call import call

    return call("molt_ask", "pending")


def cancel(*args, **options):
    """Take back what fwupdate(..., reset=False) prepared."""
    from molt_call import call

    return call("molt_ask", "cancel", *args, **options)


def install(*args, **options):
    """Put the resident boot loader into sector 0."""
    from molt_call import call

    return call("molt_ask", "install", *args, **options)


def uninstall(*args, **options):
    """Put the firmware's own first sector back into sector 0."""
    from molt_call import call

    return call("molt_ask", "uninstall", *args, **options)


def confirm():
    """Keep the firmware that is on trial."""
    from molt_call import call

    return call("molt_ask", "confirm")


def map():
    """Print what lies where in flash: a cell for each sector (small: free), and a line for each region."""
    import molt_map

    molt_map.show()


def regions():
    """What map() prints, for programs: a list of dicts with name, addr, size and used, from the beginning of flash on."""
    import molt_map

    return molt_map.regions()


def user():
    """(address, size) of the sectors that are the user's own, which molt never touches. Size 0: this map has none."""
    import molt_map

    return molt_map.find("user")


def user_bdev():
    """The user's own sectors as a block device: vfs.VfsLfs2.mkfs(), or readblocks(), writeblocks()."""
    import molt_map

    return molt_map.user_bdev()


def migrate():
    """Give the device molt's flash map. Raises OSError, with the way to go, where the filesystem would have to move."""
    import molt_map

    return molt_map.migrate()
