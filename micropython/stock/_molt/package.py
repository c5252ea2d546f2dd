"""Whether the package has arrived as a whole: each of its files has the SHA-256 that the list says."""


def check():
    """Raises OSError(84, sentence) where a file is missing or another one."""
    from uhashlib import sha256
    from ubinascii import hexlify
    from _molt import FOLDER

    # What stands before "_molt": "/lib/", or nothing.
    above = FOLDER[:-5]
    buf = bytearray(256)
    view = memoryview(buf)
    try:
        with open(FOLDER + "/files.txt") as names:
            end = ""
            for line in names:
                if line == "end\n":
                    return
                digest, end = line.split()
                whole = sha256()
                with open(above + end, "rb") as f:
                    while True:
                        size = f.readinto(buf)
                        if not size:
                            break
                        whole.update(view[:size])
                if hexlify(whole.digest()).decode() != digest:
                    raise OSError
        end = "files.txt"
    except OSError:
        pass
    raise OSError(84, "molt's package is not whole: %s is missing or damaged; install it again" % (end or "files.txt"))
