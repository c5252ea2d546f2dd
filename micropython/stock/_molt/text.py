"""Errors with their sentences, which are in a file: nobody needs them but who is refused."""


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
