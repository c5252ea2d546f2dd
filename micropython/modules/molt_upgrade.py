"""What stands behind molt.fwupdate(). On a firmware without molt every line of it is heap for as long as an upgrade is prepared, so
sentences and what takes lines are in molt_file.py and molt_ask.py.

The modules in C are imported by names that nothing on sys.path can take: uos is always the firmware's own, whatever
os.py a program has.
"""

import gc
import _molt

# The file that holds what the boot loader may need: the old first sector and its report.
SAVED = "molt.head"

# Upgrades that were prepared: a progress function may do so itself, while another is at work.
prepared = 0


def _do(module, name, *args):
    """Call a function of another module. On a firmware without molt its memory is needed afterwards, and it is forgotten."""
    if hasattr(_molt, "do"):
        return _molt.do(name, args)
    return getattr(__import__(module), name)(*args)


def open_job(file_name, wanted=None, **options):
    """The upgrade object for a file, and the mount point of its filesystem. wanted: the file's SHA-256, or None."""
    path, addr, size, root = _do("molt_file", "find", file_name, wanted, options.get("erase_all"))
    return _molt.Upgrade(path, addr, size, **options), root


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
    fallback    resident mode, and standby mode: the new firmware is on trial; unless it calls molt.confirm() within `trial_starts`
                starts (1 to 32), the boot loader puts in the image of this file. A delta file has to lead from the
                new firmware back to the present one. With OTA slots True: unless it calls molt.confirm() in its first start,
                the firmware that runs now starts again
    drop_frozen delete the dynamic frozen modules that the new firmware would run over; else they are a reason to refuse
    progress    progress(phase, done, total) is called now and then: phase 'image', 'file', 'compare', in bytes, and
                'write', in steps, with OTA slots in bytes. What it raises stops the upgrade, before anything is written if not in 'write'
    sha256      what the file's SHA-256 has to be (of the file as it is named, packed or not): hexadecimal or bytes

    Files that are open for writing on a littlefs are flushed before the reset. Where every sector of the image is in place
    already nothing is written, there is no reset, and it returns False; with erase_all it goes on.
    """
    global prepared

    if _molt.pending():
        _do("molt_file", "already")
    before = prepared
    trial = None
    if fallback is not None and not _do("molt_ask", "for_trial", trial_starts, erase_all, fallback):
        job = open_job(fallback, is_fallback=True, safe_check=safe_check, verbose=verbose, drop_frozen=drop_frozen)[0]
        trial = _do("molt_file", "say_image", job, fallback, None, drop_frozen, False)
        job.plan()
        # The heap has room for one upgrade object, and for none that is still where a call had its arguments.
        job = None
        max(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        gc.collect()
    job, root = open_job(file_name, sha256, erase_all=erase_all, safe_check=safe_check, verbose=verbose, drop_frozen=drop_frozen,
                         progress=progress)
    _do("molt_file", "say_image", job, file_name, trial, drop_frozen, verbose)
    if not _do("molt_file", "say_plan", job.plan(), erase_all, verbose):
        return False
    saves = job.saved_size() > 0
    if saves and progress:
        progress("write", 0, 2)
    if prepared == before:
        _do("molt_file", "prepare", job, file_name, saves and root + "/" + SAVED, trial, progress)
    if prepared != before:
        # A progress function has prepared another: its saved file is not to be written over, nor its sector 0 to be saved.
        _do("molt_file", "already")
    if not hasattr(_molt, "do"):
        # The engine in Python takes no delta files.
        _do("molt_file", "stash", job, root + "/molt.stash")
    job.store(SAVED)
    if trial:
        job = None
        max(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        gc.collect()
        # It was checked before anything was written.
        job, root = open_job(fallback, safe_check=False, verbose=verbose, drop_frozen=True, is_fallback=True)
        if _do("molt_file", "say_image", job, fallback, None, True, False) != trial:
            raise OSError(84, "the file to fall back on has changed since it was checked; copy it again")
        job.plan()
        if not hasattr(_molt, "do"):
            _do("molt_file", "stash", job, root + "/molt.back")
        job.store(SAVED)
    if verbose and saves:
        _do("molt_chip", "say_risk", ", and by the boot loader once more at its end: both times ")
    job.commit(0 if fallback is None else trial_starts)
    prepared += 1
    # From here on there is nothing to be loaded: it must not fail any more.
    if progress:
        progress("write", 2, 2)
    if verbose:
        print("molt: prepared" + (", restarting" if reset else "; the next reset upgrades"))
    if reset:
        import umachine

        _molt.flush()
        umachine.reset()
    return True
