"""What stands behind molt.fwupdate(). On a firmware without molt every line of it is heap: the rest is in molt_ask.py.

The modules in C are imported by names that nothing on sys.path can take: uos is always the firmware's own, whatever
os.py a program has.
"""

import gc
import _molt

# The file that holds what the boot loader may need: the old first sector and its report.
SAVED = "molt.head"
# Of a delta file: what it needs beside itself, with a number behind.
STASH = "molt.stash"


def _call(module, name, args):
    # A function of its own: where a call was made from, something of what was called can stay.
    return getattr(__import__(module), name)(*args)


def _do(module, name, *args):
    """Call a function of molt_file.py or molt_chip.py. On a firmware without molt their memory is needed afterwards, and they are
    forgotten."""
    import sys

    is_kept = "molt_file" in sys.modules
    try:
        return _call(module, name, args)
    finally:
        if not is_kept:
            sys.modules.pop("molt_file", None)
            sys.modules.pop("molt_chip", None)
            gc.collect()


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
    fallback    resident mode: the new firmware is on trial; unless it calls molt.confirm() within `trial_starts`
                starts (1 to 32), the boot loader puts in the image of this file
    drop_frozen delete the dynamic frozen modules that the new firmware would run over; else they are a reason to refuse
    progress    progress(phase, done, total) is called now and then: phase 'image', 'file', 'compare', in bytes, and
                'write', in steps. What it raises stops the upgrade, before anything is written if not in 'write'
    sha256      what the file's SHA-256 has to be (of the file as it is named, packed or not): hexadecimal or bytes

    Files that are open for writing on a littlefs are flushed before the reset. Where every sector of the image is in place
    already nothing is written, there is no reset, and it returns False; with erase_all it goes on.
    """
    tell = progress or (lambda phase, done, total: None)
    if _molt.pending():
        raise OSError(16, "an upgrade is already prepared; a reset carries it out, molt.cancel() takes it back")
    trial = None
    if fallback is not None:
        from molt_ask import check_trial

        trial = check_trial(fallback, trial_starts, erase_all, safe_check=safe_check, verbose=verbose, drop_frozen=drop_frozen)
        # The heap has room for one upgrade object.
        gc.collect()
    job, root = open_job(file_name, sha256, erase_all=erase_all, safe_check=safe_check, verbose=verbose, drop_frozen=drop_frozen,
                         progress=progress)
    kind, _, size, _, crc, _, _ = job.image()
    has_frozen = hasattr(_molt, "frozen")
    if has_frozen and not drop_frozen:
        from molt_ask import refuse_frozen

        refuse_frozen(size)
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
    if verbose:
        _do("molt_chip", "say_of_chip")
    if saves:
        if file_name.rsplit("/", 1)[-1] == SAVED:
            raise ValueError("the present first sector is saved in a file of that name; rename the image")
        tell("write", 0, 2)
        _do("molt_file", "save", job, root + "/" + SAVED)
    if hasattr(job, "stash_count") and job.stash_count():
        _do("molt_file", "save_stash", job, root + "/" + STASH)
        job.find_stash(STASH, bytearray(4096))
    tell("write", 1, 2)
    if has_frozen:
        from molt_ask import frozen_in_way

        for name in frozen_in_way(max(size, trial[0]) if trial else size):
            _molt.frozen.delete(name)
    job.store(SAVED)
    if trial:
        job = None
        gc.collect()
        # It was checked before anything was written.
        job = open_job(fallback, safe_check=False, verbose=verbose, drop_frozen=True, is_fallback=True)[0]
        job.plan()
        job.store(SAVED)
    if verbose and saves:
        _do("molt_chip", "say_risk", ", and by the boot loader once more at its end: both times ")
    job.commit(trial_starts if trial else 0)
    tell("write", 2, 2)
    if verbose:
        print("molt: prepared" + (", restarting" if reset else "; the next reset upgrades"))
    if reset:
        import umachine

        _molt.flush()
        umachine.reset()
    return True
