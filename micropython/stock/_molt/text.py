"""Errors with their sentences, which are in a file: nobody needs them but who is refused."""

from _molt import part


def error(errno, name, tail=""):
    """OSError(errno, sentence): the sentence of that name, and `tail` behind it."""
    from _molt import FOLDER

    text = name
    with open(FOLDER + "/sentences.txt") as f:
        for line in f:
            if line.startswith(name + " "):
                text = line[len(name) + 1:].rstrip()
    return OSError(errno, text + tail)


def refused(errno, name, need, limit):
    return error(errno, name, " (0x%x against 0x%x)" % (need, limit))


def bad(defect, off):
    """The error for a damaged image."""
    return error(84, defect, " (at byte %u)" % off)


def explained(job, e, name):
    """An error with its sentence: the one it has, or that of this name. Progress ends."""
    part("end").clear(job)
    job.shown = None
    if len(e.args) > 1:
        return e
    # 22 is what the littlefs of MicroPython 1.26 says of ".." in the root.
    names = {2: "no_file", 20: "not_a_directory", 21: "a_directory", 22: "a_directory", 95: "inline", 84: "fs_damaged"}
    return error(e.errno, names.get(e.errno, name))
