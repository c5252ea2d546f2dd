"""Replace the firmware in place, from an image file on the device's own littlefs.

    import molt
    molt.install()                  # once
    molt.fwupdate('firmware.bin')

The file is checked, the plan is stored, the firmware's first byte is broken, and the device resets. The chip's boot loader then
starts molt's loader, which does the rest; a power cut during its work is made up for at the next start.

Where the partition table has OTA slots nothing is installed: the image is written into the slot that does not run, and started
from there after the reset.
"""

from molt_upgrade import fwupdate
from molt_ask import check, pending, plan
import molt_chip
import molt_file
import _molt

del molt_chip, molt_file

try:
    import sys
    from _molt import frozen

    # So that `import molt.frozen` finds it.
    sys.modules["molt.frozen"] = frozen
except ImportError:
    pass
del sys


def install(verbose=True):
    """Put molt's loader into the gap in front of the partition table, and its row behind the table's end. Once in the life of a
    device: the power must not fail while its last 4 bytes are programmed, some 50 microseconds."""
    addr = _molt.standby_install()
    if verbose:
        print("molt: the standby loader is installed at 0x%x" % addr)


def uninstall(verbose=True):
    """Take the loader's row out of the partition table again. Nothing boots differently then."""
    _molt.standby_uninstall()
    if verbose:
        print("molt: the standby loader is not installed any more")


def standby():
    """None if molt's loader is installed and whole, else what is in the way of it, in words."""
    return _molt.standby()[0]


def slots():
    """None where the partition table has no OTA slots. Else the number of the one that runs, None for the factory partition; the
    number of the one that an upgrade goes to; its size."""
    return _molt.slots()


def regions():
    """What lies where in flash: a list of dicts with name, addr, size and used, from the beginning of flash on."""
    import molt_map

    return molt_map.regions()


def confirm():
    """Keep the firmware that is on trial. True if one was."""
    return _molt.confirm()


def status():
    """What the last upgrade came to: None, or a dict.

    result    'ok', 'restored' (the file had changed: the old firmware was kept), 'pending', 'trial', 'confirmed', 'rolled back'
    resumed   how often the power was cut while molt's loader worked
    crc32     of the image that was wanted
    resident  False
    starts    on trial: how many starts are left; with OTA slots there is one
    counted   on trial: whether the boot loader counts this one; if not it does not do rollback, or what it noted was torn
    """
    found = _molt.outcome()
    if not found or not (found[0] or found[3]):
        return None
    outcome, starts, crc, on_trial, left, is_counted = found
    result = {"resident": False, "crc32": crc, "resumed": max(0, starts - 1)}
    result["result"] = (None, "pending", "ok", "restored", "rolled back", "confirmed")[outcome]
    if on_trial:
        result.update({"result": "trial", "starts": left, "counted": is_counted})
    return result


def cancel(verbose=True):
    """Take back what fwupdate(..., reset=False) prepared; in standby mode the next reset puts the firmware's first byte back. True if
    there was something."""
    is_done = _molt.cancel()
    if is_done and verbose:
        print("molt: taken back" + ("" if _molt.slots() else "; reset before the next fwupdate()"))
    return is_done
