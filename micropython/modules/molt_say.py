"""What fwupdate() says of an upgrade."""

import _molt


def already():
    raise OSError(16, "an upgrade is already prepared; a reset carries it out, molt.cancel() takes it back")


def identity(job, drop_frozen):
    """Size and CRC of an image. Raises OSError if it would run over frozen modules that are to stay."""
    _, _, size, _, crc, _, _ = job.image()
    if not drop_frozen and hasattr(_molt, "frozen"):
        from molt_ask import refuse_frozen

        refuse_frozen(size)
    return size, crc


def say_image(job, file_name, trial, drop_frozen, verbose):
    """What the image is. trial: size and CRC of what would be fallen back on, which must be another one."""
    size, crc = identity(job, drop_frozen)
    if trial == (size, crc):
        raise ValueError("the fallback is the same image, and no way back; name a file with another one")
    if verbose:
        print("molt: %s: %s, %u bytes, crc32 %08x" % (file_name, job.image()[0], size, crc))


def say_plan(tally, erase_all, verbose):
    """What is to be done. False: nothing."""
    sectors, _, program, _, _, in_place = tally
    if not verbose:
        return not in_place
    if in_place:
        print("molt: this firmware is in place already; nothing is written, and there is no reset")
        return False
    filesystem = "the filesystem is ERASED" if erase_all else "the filesystem is left alone"
    print("molt: %u of %u sectors differ, %s" % (program, sectors, filesystem))
    from molt_chip import say_of_chip

    say_of_chip()
    return True
