"""The SHA-256 of a file."""


def sha256(f):
    """The digest of an open file's bytes, from where it is to its end."""
    from uhashlib import sha256

    digest = sha256()
    view = memoryview(bytearray(512))
    while True:
        size = f.readinto(view)
        if not size:
            return digest.digest()
        digest.update(view[:size])
