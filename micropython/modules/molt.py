"""Replace the firmware in place, from an image file on the device's own littlefs.

    import molt
    molt.fwupdate('firmware.bin')

The file is checked, the boot loader and the plan are put into sector 0, and the device resets. The boot loader does
the rest; a power cut during its work is made up for at the next start.

Only what is for users has a name here, for help(molt) and tab completion; the work is done in molt_upgrade.py, molt_ask.py,
molt_file.py, molt_chip.py and molt_map.py. They are loaded now, so that later nothing has to be looked for on a filesystem.
"""

from molt_upgrade import fwupdate
from molt_ask import cancel, check, confirm, install, pending, plan, status, uninstall
import molt_chip
import molt_file

del molt_chip, molt_file

try:
    import sys
    from _molt import frozen

    # So that `import molt.frozen` finds it.
    sys.modules["molt.frozen"] = frozen
except ImportError:
    pass
del sys


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
