"""What stands behind molt.py: its functions on upgrades, and their helpers.

The modules in C are imported by names that nothing on sys.path can take: uos is always the firmware's own, whatever
os.py a program has.
"""

import esp
import gc
import uos
import _molt

# The file that holds what the boot loader may need: the old first sector and its report.
_SAVED = "molt.head"
_SECTOR = const(4096)

# Kinds of state in resident mode (src/resident/state.h).
_UPGRADE = const(2)
_TRIAL = const(3)

# Typical times in ms: sector erase, 64 KB block erase, 16 page programs with their read-back.
# Source: W25Q32JV data sheet.
_MS_SECTOR = const(45)
_MS_BLOCK = const(150)
_MS_PROGRAM = const(10)


# As in inisetup.py and README.md; the boot loader's own part of it is in docs/design.md.
# JEDEC id of a maker whose chips do not program bits but rewrite pages.
_PUYA = 0x85
_RISK = "the power must not fail for some 60 ms, or nothing boots until the serial line is used"


def _frozen():
    """The frozen modules' functions; None where the firmware is built without."""
    return getattr(_molt, "frozen", None)


def _digest(sha256):
    """An expected SHA-256 as bytes."""
    if isinstance(sha256, str):
        from ubinascii import unhexlify

        sha256 = unhexlify(sha256.strip())
    if len(sha256) != 32:
        raise ValueError("sha256 is 64 hexadecimal digits, or 32 bytes")
    return bytes(sha256)


def _check_digest(file_name, wanted):
    from ubinascii import hexlify

    with open(file_name, "rb") as f:
        found = _molt.sha256(f)
    if found != wanted:
        raise OSError(84, "the file's SHA-256 is %s, not the one expected: this is another file, or a damaged one; copy it again"
                      % hexlify(found).decode())


def _open(file_name, wanted=None, **options):
    """The upgrade object for a file, and the mount point of its filesystem. wanted: the file's SHA-256, or None."""
    from flashbdev import FlashBdev, bdev

    if not isinstance(file_name, str):
        raise TypeError("the image file is named by a str")
    if bdev is None or bdev.blocks < 2:
        from molt_map import header_trouble

        raise OSError(19, header_trouble())
    if not file_name.rstrip("/"):
        raise OSError(21, "this is a directory; name the image file in it")
    if not file_name.startswith("/"):
        file_name = uos.getcwd().rstrip("/") + "/" + file_name
    root, path, device, is_littlefs = _molt.lookup(file_name)
    if not is_littlefs and isinstance(device, FlashBdev):
        raise OSError(95, "the file is on FAT in the device's own flash; molt reads littlefs: save the files, and make the filesystem "
                      "again by vfs.umount('/'); vfs.VfsLfs2.mkfs(flashbdev.bdev), which erases it")
    if not is_littlefs:
        raise OSError(95, "the file has to be on the device's own littlefs (VfsLfs2); copy it there")
    if not isinstance(device, FlashBdev):
        raise OSError(95, "the file is on another volume than a littlefs in the device's own flash; copy it there")
    if device is not bdev and options.get("erase_all"):
        raise ValueError("erase_all takes an image from the filesystem that is to be erased; copy it there")
    _molt.flush()
    uos.sync()
    if wanted:
        _check_digest(file_name, wanted)
    addr = device.start_sec * device.SEC_SIZE
    job = _molt.Upgrade(path, addr, device.blocks * device.SEC_SIZE, **options)
    return job, root.rstrip("/")


def check(file_name):
    """Say what the image is, as a dict. Raises OSError(errno, sentence) if it is not whole.

    kind, chip, size, segments, crc32
    version     what a MicroPython calls itself, like os.uname().version; None where the image does not say
    filesystem  where the firmware will have its filesystem; None where it does not say
    """
    kind, chip, size, segments, crc, fs_addr, version = _open(file_name)[0].image()
    return {"kind": kind, "chip": chip, "size": size, "segments": segments, "crc32": crc, "version": version,
            "filesystem": fs_addr}


def _frozen_in_way(size):
    """Names of the dynamic frozen modules that an image of `size` bytes would run over."""
    frozen = _frozen()
    extent = frozen and frozen.extent()
    if not extent or size <= extent[0]:
        return []
    return [name for name, _, addr, *_ in frozen.ls() if (addr & -4096) - 8192 < size]


def _refuse_frozen(size):
    names = _frozen_in_way(size)
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
    job = _open(file_name, erase_all=erase_all)[0]
    keys = ("sectors", "equal", "programmed", "sector_erases", "block_erases", "in_place", "erased", "seconds")
    result = {key: None for key in keys}
    try:
        _refuse_frozen(job.image()[2])
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


def _save(job, path):
    """Write what the boot loader may need to the file `path`."""
    buf = bytearray(64)
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
                uos.remove(path)
            except OSError:
                pass
        if e.errno == 28:
            raise OSError(28, "%s (8 KB) cannot be written; remove a file to make room" % path)
        raise OSError(e.errno, "%s cannot be written; mount its filesystem for writing, and have no directory of that name" % path)
    uos.sync()


def _check_trial(fallback, trial_starts, erase_all, **options):
    """Refuse a trial that could not end in the image of the file `fallback`. That image's size and CRC."""
    if not _molt.resident():
        raise ValueError("a fallback needs resident mode; molt.install() installs it")
    if not isinstance(trial_starts, int) or not 1 <= trial_starts <= 32:
        raise ValueError("trial_starts has to be a number from 1 to 32")
    if erase_all:
        raise ValueError("erase_all would erase the fallback's file; leave out one of them")
    job = _open(fallback, is_fallback=True, **options)[0]
    _, _, size, _, crc, _, _ = job.image()
    if not options["drop_frozen"]:
        _refuse_frozen(size)
    job.plan()
    return size, crc


def fwupdate(file_name, erase_all=False, safe_check=True, verbose=True, reset=True, drop_frozen=False,
             fallback=None, trial_starts=3, progress=None, sha256=None):
    """Replace the firmware by the image in `file_name`. Resets and so does not return, unless reset=False. Raises
    OSError(errno, sentence) for what is wrong with file, image or device, ValueError for wrong arguments; then
    nothing has changed.

    erase_all   erase the filesystem too, at the end
    safe_check  check the image's structure, checksum and MD5, and that the file's blocks hold the file;
                without it only what is needed not to destroy the device
    reset       False: prepare only; the next reset, whoever makes it, upgrades. Leave the image file and
                molt.head alone until then. esp.DFU() resets, molt.cancel() takes it back.
    fallback    resident mode: the new firmware is on trial; unless it calls molt.confirm() within `trial_starts`
                starts (1 to 32), the boot loader puts in the image of this file
    drop_frozen delete the dynamic frozen modules that the new firmware would run over; else they are a reason to refuse
    progress    progress(phase, done, total) is called now and then: phase 'image', 'file', 'compare', in bytes, and
                'write', in steps. What it raises stops the upgrade, before anything is written if not in 'write'
    sha256      what the file's SHA-256 has to be (of the file as it is named, packed or not): hexadecimal or bytes

    Files that are open for writing on a littlefs are flushed before the reset. Where every sector of the image is in place
    already nothing is written, there is no reset, and it returns False; with erase_all it goes on.
    """
    wanted = _digest(sha256) if sha256 else None
    tell = progress or (lambda phase, done, total: None)
    if _molt.pending():
        raise OSError(16, "an upgrade is already prepared; esp.DFU() carries it out, molt.cancel() takes it back")
    trial = None
    if fallback is not None:
        trial = _check_trial(fallback, trial_starts, erase_all, safe_check=safe_check, verbose=verbose, drop_frozen=drop_frozen)
        # The heap has room for one upgrade object.
        gc.collect()
    job, root = _open(file_name, wanted, erase_all=erase_all, safe_check=safe_check, verbose=verbose, drop_frozen=drop_frozen,
                      progress=progress)
    kind, _, size, _, crc, _, _ = job.image()
    if not drop_frozen:
        _refuse_frozen(size)
    if trial == (size, crc):
        raise ValueError("the fallback is the same image, and no way back; name a file with another one")
    if verbose:
        print("molt: %s: %s, %u bytes, crc32 %08x" % (file_name, kind, size, crc))
    sectors, equal, program, sector_erases, block_erases, in_place = job.plan()
    if in_place:
        if verbose:
            print("molt: this firmware is in place already; nothing is written, and there is no reset")
        return False
    if verbose:
        print("molt: %u of %u sectors differ, the filesystem is %s" % (
            program, sectors, "ERASED" if erase_all else "left alone"))
    saves = job.saved_size() > 0
    if verbose and esp.flash_id() & 0xFF == _PUYA:
        print("molt: this flash chip (PUYA) rewrites whole pages: a power cut while a file is written can cost other files")
    if saves:
        if file_name.rsplit("/", 1)[-1] == _SAVED:
            raise ValueError("the present first sector is saved in a file of that name; rename the image")
        tell("write", 0, 2)
        _save(job, root + "/" + _SAVED)
    tell("write", 1, 2)
    for name in _frozen_in_way(max(size, trial[0]) if trial else size):
        _frozen().delete(name)
    job.store(_SAVED)
    if trial:
        job = None
        gc.collect()
        # It was checked before anything was written.
        job = _open(fallback, safe_check=False, verbose=verbose, drop_frozen=True, is_fallback=True)[0]
        job.plan()
        job.store(_SAVED)
    if verbose and saves:
        print("molt: sector 0 is rewritten now, and by the boot loader once more at its end: both times " + _RISK)
    job.commit(trial_starts if trial else 0)
    tell("write", 2, 2)
    if verbose:
        print("molt: prepared" + (", restarting" if reset else "; the next reset upgrades"))
    if reset:
        import umachine

        _molt.flush()
        umachine.reset()
    return True


def pending():
    """The size of the image that the next reset puts in, or None."""
    p = _molt.pending()
    return p and p[0]


def _rewrite(verbose):
    if verbose:
        print("molt: sector 0 is rewritten now: " + _RISK)


def cancel(verbose=True):
    """Take back what fwupdate(..., reset=False) prepared. True if there was something.

    Not in resident mode: sector 0 is rewritten, and the power must not fail for some 60 ms.
    """
    if not _molt.pending():
        return False
    if _molt.resident():
        return _molt.resident_end()
    _rewrite(verbose)
    return _molt.cancel()


def install(force=False, verbose=True):
    """Put the resident boot loader into sector 0: from then on no flash operation of an upgrade can brick the device.

    The installation itself can: the power must not fail for the 60 ms that sector 0 is rewritten, once.

    force   overwrite what molt's reserved sectors hold, if that is not molt's
    """
    import molt_map

    _rewrite(verbose)
    _molt.resident_install(*molt_map.find("reserved"), force)
    if verbose:
        print("molt: resident mode is installed")


def uninstall(verbose=True):
    """Put the firmware's own first sector back into sector 0. The power must not fail for some 60 ms."""
    _rewrite(verbose)
    _molt.resident_uninstall()
    if verbose:
        print("molt: resident mode is not installed any more")


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
    for root in [""] + ["/" + name for name in uos.listdir("/")]:
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
