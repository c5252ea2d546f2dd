"""What stands behind molt.py beside fwupdate(): what is asked, taken back, installed; and what only some upgrades need."""

import uos
import _molt
from molt_upgrade import SAVED, open_job

_SECTOR = const(4096)

# Kinds of state in resident mode (src/resident/state.h).
_UPGRADE = const(2)
_TRIAL = const(3)

# Typical times in ms: sector erase, 64 KB block erase, 16 page programs with their read-back.
# Source: W25Q32JV data sheet.
_MS_SECTOR = const(45)
_MS_BLOCK = const(150)
_MS_PROGRAM = const(10)


def check(file_name):
    """Say what the image is, as a dict. Raises OSError(errno, sentence) if it is not whole.

    kind, chip, size, segments, crc32
    version     what a MicroPython calls itself, like os.uname().version; None where the image does not say
    filesystem  where the firmware will have its filesystem; None where it does not say
    """
    kind, chip, size, segments, crc, fs_addr, version = open_job(file_name)[0].image()
    return {"kind": kind, "chip": chip, "size": size, "segments": segments, "crc32": crc, "version": version,
            "filesystem": fs_addr}


def frozen_in_way(size):
    """Names of the dynamic frozen modules that an image of `size` bytes would run over."""
    # None where the firmware is built without.
    frozen = getattr(_molt, "frozen", None)
    extent = frozen and frozen.extent()
    if not extent or size <= extent[0]:
        return []
    return [name for name, _, addr, *_ in frozen.ls() if (addr & -4096) - 8192 < size]


def refuse_frozen(size):
    names = frozen_in_way(size)
    if names:
        raise OSError(
            27, "the new firmware (%u bytes) would run over the frozen modules %s: delete them with molt.frozen.delete() and "
            "add them again afterwards, or let them go with fwupdate(..., drop_frozen=True)" % (size, ", ".join(names))
        )


def plan(file_name, erase_all=False):
    """What an upgrade would do, as a dict. Raises OSError(errno, sentence) if the image is not whole.

    refused     whether fwupdate() would refuse it on this device; then `reason` is the sentence, and the rest is None
    sectors     of the image; of these `equal` are in place, and `programmed` are written
    in_place    whether all of them are, so that fwupdate() would do nothing
    erased      sectors; in `sector_erases` single ones and `block_erases` of 16 at a time
    seconds     of the boot loader's work, with typical figures of a flash chip
    """
    job = open_job(file_name, erase_all=erase_all)[0]
    keys = ("sectors", "equal", "programmed", "sector_erases", "block_erases", "in_place", "erased", "seconds")
    result = {key: None for key in keys}
    try:
        refuse_frozen(job.image()[2])
        tally = job.plan()
    except OSError as e:
        if e.errno == 5:
            raise
        result["refused"] = True
        result["reason"] = e.args[1]
        return result
    for key, count in zip(keys, tally):
        result[key] = count
    _, _, program, sector_erases, block_erases, _ = tally
    result["erased"] = sector_erases + 16 * block_erases
    result["seconds"] = (sector_erases * _MS_SECTOR + block_erases * _MS_BLOCK + program * _MS_PROGRAM) / 1000
    result["refused"] = False
    result["reason"] = None
    return result


def for_trial(trial_starts, erase_all, fallback):
    """Refuse a trial that could not end. True if it needs no file to fall back on."""
    from molt_chip import check_trial

    needs_none = check_trial(fallback)
    if not isinstance(trial_starts, int) or not 1 <= trial_starts <= 32:
        raise ValueError("trial_starts has to be a number from 1 to 32")
    if erase_all:
        raise ValueError("erase_all would erase the fallback's file; leave out one of them")
    return needs_none


def pending():
    """The size of the image that the next reset puts in, or None."""
    p = _molt.pending()
    return p and p[0]


def _say_rewrite(verbose):
    if verbose:
        from molt_chip import say_risk

        say_risk(": ")


def cancel(verbose=True):
    """Take back what fwupdate(..., reset=False) prepared. True if there was something.

    Not in resident mode: sector 0 is rewritten, and the power must not fail for some 60 ms.
    """
    if not _molt.pending():
        return False
    if _molt.resident():
        return _molt.resident_end()
    _say_rewrite(verbose)
    return _molt.cancel()


def install(force=False, verbose=True):
    """Put the resident boot loader into sector 0: from then on no flash operation of an upgrade can brick the device.

    The installation itself can: the power must not fail for the 60 ms that sector 0 is rewritten, once.

    force   overwrite what molt's reserved sectors hold, if that is not molt's
    """
    import molt_map

    place = molt_map.find("reserved")
    _say_rewrite(verbose)
    _molt.resident_install(*place, force)
    if verbose:
        print("molt: resident mode is installed")


def uninstall(verbose=True):
    """Put the firmware's own first sector back into sector 0. The power must not fail for some 60 ms."""
    if _molt.resident():
        _say_rewrite(verbose)
    _molt.resident_uninstall()
    if verbose:
        print("molt: resident mode is not installed any more")


def confirm():
    """Keep the firmware that is on trial. True if one was."""
    resident = _molt.resident()
    return bool(resident) and resident[1] == _TRIAL and _molt.resident_end()


def _package():
    """The folder that the package for firmwares without molt is in, where it is on a firmware that has molt in it. Else None."""
    for folder in ("/lib/", "/"):
        try:
            uos.stat(folder + "_molt/files.txt")
            return None if hasattr(_molt, "FOLDER") else folder
        except OSError:
            pass
    return None


def remove_package():
    """Remove the package for firmwares without molt: its files, by their list. True if it was there."""
    folder = _package()
    if not folder:
        return False
    with open(folder + "_molt/files.txt") as f:
        names = [line.split()[1] for line in f if " " in line]
    # The list is the last.
    for name in names + ["_molt/files.txt", "_molt"]:
        try:
            uos.remove(folder + name)
        except OSError:
            pass
    return True


def status():
    """What the last upgrade came to: None, or a dict.

    result    'ok', 'restored' (the file had changed: the old firmware was kept), 'pending'; in resident mode also
              'trial', 'confirmed', 'rolled back', None
    resumed   how often the power was cut while the boot loader worked (not in resident mode)
    crc32     of the image that was wanted (not in resident mode)
    resident  whether resident mode is installed
    starts    on trial: how many starts are left
    """
    folder = _package()
    if folder:
        print("molt: this firmware has molt in it; the package for firmwares without, in %s, is not needed any more: "
              "import molt_ask; molt_ask.remove_package()" % folder)
    resident = _molt.resident()
    if resident:
        _, kind, result, tally, trial_starts = resident
        status = {"resident": True, "result": (None, "ok", "restored", "rolled back", "confirmed")[result]}
        if kind == _TRIAL:
            status["result"] = "trial"
            status["starts"] = trial_starts - tally
        elif kind == _UPGRADE:
            status["result"] = "pending"
        return status
    report = None
    for root in [""] + ["/" + name for name in uos.listdir("/")]:
        # On whichever filesystem the image was.
        try:
            with open(root + "/" + SAVED, "rb") as f:
                f.seek(_SECTOR)
                report = report or _molt.report(f.read(16))
        except OSError:
            pass
    if not report:
        return None
    crc, result, starts = report
    if result == 0 and not _molt.pending():
        # It was taken back, or the power failed before the boot sector was written.
        return None
    return {
        "resident": False,
        "result": ("pending", "ok", "restored")[result],
        "resumed": max(0, starts - 1),
        "crc32": crc,
    }
