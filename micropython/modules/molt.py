"""Replace the firmware in place, from an image file on the device's own littlefs.

    import molt
    molt.fwupdate('firmware.bin')

The file is checked, the boot loader and the plan are put into sector 0, and the device resets. The boot loader does
the rest; a power cut during its work is made up for at the next start.
"""

import gc
import os
import _molt
from _molt import frozen
from micropython import const

# The file that holds what the boot loader may need: the old first sector and its report.
_SAVED = "molt.head"
_SECTOR = const(4096)

# Kinds of state in resident mode (include/molt/state.h).
_UPGRADE = const(2)
_TRIAL = const(3)

# Typical times in ms: sector erase, 64 KB block erase, 16 page programs with their read-back.
# Source: W25Q32JV data sheet.
_MS_SECTOR = const(45)
_MS_BLOCK = const(150)
_MS_PROGRAM = const(10)


def _open(file_name, **options):
    """The upgrade object for a file, and the mount point of its filesystem."""
    from flashbdev import FlashBdev, bdev

    if not isinstance(file_name, str):
        raise TypeError("the image file is named by a str")
    if not file_name.rstrip("/"):
        raise OSError(21, "this is a directory; name the image file in it")
    if not file_name.startswith("/"):
        file_name = os.getcwd().rstrip("/") + "/" + file_name
    root, path, device = _molt.lookup(file_name)
    if not isinstance(device, FlashBdev):
        raise ValueError("the file is on another volume than a littlefs in the device's own flash; copy it there")
    if device is not bdev and options.get("erase_all"):
        raise ValueError("erase_all takes an image from the filesystem that is to be erased; copy it there")
    os.sync()
    addr = device.start_sec * device.SEC_SIZE
    job = _molt.Upgrade(path, addr, device.blocks * device.SEC_SIZE, **options)
    return job, root.rstrip("/")


def check(file_name):
    """Say what the image is. Raises ValueError or OSError, with a sentence, if it is not whole."""
    kind, chip, size, segments, crc, fs_addr = _open(file_name)[0].image()
    return {"kind": kind, "chip": chip, "size": size, "segments": segments, "crc32": crc, "filesystem": fs_addr}


def _frozen_in_way(size):
    """Names of the dynamic frozen modules that an image of `size` bytes would run over."""
    extent = frozen.extent()
    if not extent or size <= extent[0]:
        return []
    return [name for name, _, addr, *_ in frozen.ls() if (addr & -4096) - 8192 < size]


def _refuse_frozen(size):
    names = _frozen_in_way(size)
    if names:
        raise ValueError(
            "the new firmware (%u bytes) would run over the frozen modules %s: delete them with molt.frozen.delete() and "
            "add them again afterwards, or let them go with fwupdate(..., drop_frozen=True)" % (size, ", ".join(names))
        )


def plan(file_name, erase_all=False):
    """What an upgrade would do: sectors, erases, seconds, and in `overlaps` what is in the way."""
    job = _open(file_name, erase_all=erase_all)[0]
    try:
        _refuse_frozen(job.image()[2])
        sectors, equal, program, sector_erases, block_erases = job.plan()
    except ValueError as e:
        return {"overlaps": str(e)}
    ms = sector_erases * _MS_SECTOR + block_erases * _MS_BLOCK + program * _MS_PROGRAM
    return {
        "sectors": sectors,
        "equal": equal,
        "programmed": program,
        "erased": sector_erases + 16 * block_erases,
        "sector_erases": sector_erases,
        "block_erases": block_erases,
        "seconds": ms / 1000,
        "overlaps": None,
    }


def _save(job, path):
    """Write what the boot loader may need to the file `path`."""
    buf = bytearray(256)
    off = 0
    f = None
    try:
        with open(path, "wb") as f:
            while True:
                n = job.saved(off, buf)
                if not n:
                    break
                f.write(memoryview(buf)[:n])
                off += n
    except OSError as e:
        if f:
            try:
                os.remove(path)
            except OSError:
                pass
        if e.errno == 28:
            raise OSError(28, "%s (8 KB) cannot be written; remove a file to make room" % path)
        raise OSError(e.errno, "%s cannot be written; mount its filesystem for writing, and have no directory of that name" % path)
    os.sync()


def _check_trial(fallback, trial_starts, erase_all, **options):
    """Refuse a trial that could not end in the image of the file `fallback`. That image's size and CRC."""
    if not _molt.resident():
        raise ValueError("a fallback needs resident mode; molt.install() installs it")
    if not isinstance(trial_starts, int) or not 1 <= trial_starts <= 32:
        raise ValueError("trial_starts has to be a number from 1 to 32")
    if erase_all:
        raise ValueError("erase_all would erase the fallback's file; leave out one of them")
    job = _open(fallback, whole_image=True, **options)[0]
    _, _, size, _, crc, _ = job.image()
    if not options["drop_frozen"]:
        _refuse_frozen(size)
    job.plan()
    return size, crc


def fwupdate(file_name, erase_all=False, safe_check=True, verbose=True, reset=True, drop_frozen=False,
             fallback=None, trial_starts=3):
    """Replace the firmware by the image in `file_name`. Resets and so does not return.

    erase_all   erase the filesystem too, at the end
    safe_check  check the image's structure, checksum and MD5, and that the file's blocks hold the file;
                without it only what is needed not to destroy the device
    reset       False: prepare only; the next reset, whoever makes it, upgrades. Leave the image file and
                molt.head alone until then. esp.DFU() resets, molt.cancel() takes it back.
    fallback    resident mode: the new firmware is on trial; unless it calls molt.confirm() within `trial_starts`
                starts (1 to 32), the boot loader puts in the image of this file
    drop_frozen delete the dynamic frozen modules that the new firmware would run over; else they are a reason to refuse
    """
    if _molt.pending():
        raise OSError(16, "an upgrade is prepared already; esp.DFU() carries it out, molt.cancel() takes it back")
    trial = None
    if fallback is not None:
        trial = _check_trial(fallback, trial_starts, erase_all, safe_check=safe_check, verbose=verbose, drop_frozen=drop_frozen)
        # The heap has room for one upgrade object.
        gc.collect()
    job, root = _open(file_name, erase_all=erase_all, safe_check=safe_check, verbose=verbose, drop_frozen=drop_frozen)
    kind, _, size, _, crc, _ = job.image()
    if not drop_frozen:
        _refuse_frozen(size)
    if trial == (size, crc):
        raise ValueError("the fallback is the same image, and no way back; name a file with another one")
    if verbose:
        print("molt: %s: %s, %u bytes, crc32 %08x" % (file_name, kind, size, crc))
    sectors, equal, program, sector_erases, block_erases = job.plan()
    if verbose:
        print("molt: %u of %u sectors differ, the filesystem is %s" % (
            program, sectors, "ERASED" if erase_all else "left alone"))
    resident = job.is_resident()
    if not resident:
        if file_name.rsplit("/", 1)[-1] == _SAVED:
            raise ValueError("the present first sector is saved in a file of that name; rename the image")
        _save(job, root + "/" + _SAVED)
    for name in _frozen_in_way(max(size, trial[0]) if trial else size):
        frozen.delete(name)
    if resident:
        job.store(0)
        if trial:
            job = None
            gc.collect()
            # It was checked before anything was written.
            job = _open(fallback, safe_check=False, verbose=verbose, drop_frozen=True, whole_image=True)[0]
            job.plan()
            job.store(1)
        _molt.resident_commit(trial_starts if trial else 0)
    else:
        job.install(_SAVED)
    if verbose:
        print("molt: prepared" + (", restarting" if reset else "; the next reset upgrades"))
    if reset:
        import machine

        machine.reset()


def pending():
    """The size of the image that the next reset puts in, or None."""
    p = _molt.pending()
    return p and p[0]


def cancel():
    """Take back what fwupdate(..., reset=False) prepared. True if there was something."""
    if _molt.resident():
        return bool(_molt.pending()) and _molt.resident_end()
    return _molt.cancel()


def install(force=False):
    """Put the resident boot loader into sector 0: from then on no flash operation of an upgrade can brick the device.

    The installation itself can: the power must not fail for the 60 ms that sector 0 is rewritten, once.

    force   overwrite what molt's reserved sectors hold, if that is not molt's
    """
    import molt_map

    _molt.resident_install(*molt_map.find("reserved"), force)


def uninstall():
    """Put the firmware's own first sector back into sector 0. The power must not fail for some 60 ms."""
    _molt.resident_uninstall()


def confirm():
    """Keep the firmware that is on trial. True if one was."""
    resident = _molt.resident()
    return bool(resident) and resident[1] == _TRIAL and _molt.resident_end()


def status():
    """What the last upgrade came to: None, or a dict.

    result    'ok', 'restored' (the file had changed: the old firmware was kept), 'pending'; in resident mode also
              'trial', 'confirmed', 'rolled back', None
    resumed   how often the power was cut while the boot loader worked (not in resident mode)
    crc32     of the image that was wanted (not in resident mode)
    resident  whether resident mode is installed
    starts    on trial: how many starts are left
    """
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
    for root in [""] + ["/" + name for name in os.listdir("/")]:
        # On whichever filesystem the image was.
        try:
            with open(root + "/" + _SAVED, "rb") as f:
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


def map():
    """Print what lies where in flash: a cell for each sector (small: free), and a line for each region."""
    import molt_map

    molt_map.show()


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
