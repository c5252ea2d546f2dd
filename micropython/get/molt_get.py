"""Bring molt's package onto a board that has a network, from any web server: mip.install() on an ESP8266 takes single files only.

    import mip
    mip.install("http://192.168.1.2/mip/molt_get.mpy")
    import molt_get
    molt_get.get("http://192.168.1.2/mip/")

Each file is held to its SHA-256 in the package's list before it has its name. What is there and right is not fetched again.
"""

import os
import socket
from binascii import hexlify

_LIST = "_molt/files.txt"
_END = "end-of-list\n"
_PIECE = const(512)
_SECONDS = const(15)  # without a byte


def _opened(url):
    """A socket from which comes what the server has at this address, behind the answer's head."""
    if not url.startswith("http://"):
        raise ValueError("an address begins with http://; there is no TLS here whose certificates are checked")
    host, path = (url[7:] + "/").split("/", 1)
    name, port = (host + ":80").split(":")[:2]
    s = socket.socket()
    try:
        s.settimeout(_SECONDS)
        s.connect(socket.getaddrinfo(name, int(port))[0][-1])
        s.write(("GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n" % (path[:-1], host)).encode())
        line = s.readline()
        if b" 200 " not in line:
            raise OSError(2, "%s: the server says %s" % (url, line))
        while line not in (b"\r\n", b"\n", b""):
            line = s.readline()
    except BaseException:
        s.close()
        raise
    return s


def _copy(source, sink):
    """The SHA-256 of what comes from one stream and goes into another."""
    from hashlib import sha256

    digest = sha256()
    buf = memoryview(bytearray(_PIECE))
    while True:
        size = source.readinto(buf)
        if not size:
            return hexlify(digest.digest()).decode()
        digest.update(buf[:size])
        if sink:
            sink.write(buf[:size])


def _is_right(path, digest):
    try:
        with open(path, "rb") as f:
            return _copy(f, None) == digest
    except OSError:
        return False


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass


def _make_folder(path):
    try:
        os.mkdir(path)
    except OSError as e:
        if e.errno != 17:
            raise


def _fetch(url, path, digest):
    """A file, which has its name when it is whole."""
    part = path + ".part"
    s = _opened(url)
    try:
        with open(part, "wb") as f:
            found = _copy(s, f)
        if found != digest:
            raise OSError(84, "%s: this is not the file of the list, or it came cut short; try again" % url)
        # Over a file that is there.
        os.rename(part, path)
    except BaseException:
        _remove(part)
        raise
    finally:
        s.close()


def _listed(data):
    """Digest and name of each file of the list."""
    try:
        text = data.decode()
        pairs = [line.split(" ") for line in text.split("\n")[:-2]]
        # A name stays in the folder.
        if text.endswith(_END) and all(len(digest) == 64 and name[:1] != "/" and ".." not in name for digest, name in pairs):
            return pairs
    except ValueError:
        pass
    raise OSError(84, "the list of files is cut short, or another file; try again")


def get(url, target="/lib", sha256=None):
    """Bring the package whose files are below `url` into the folder `target`. Returns how many files were fetched. sha256: of the
    list, 64 hexadecimal digits, for who does not trust the network. Raises OSError: then the package is not whole, says so when it is
    used, and another call goes on."""
    if not url.endswith("/"):
        url += "/"
    s = _opened(url + _LIST)
    try:
        text = s.read()
    finally:
        s.close()
    if sha256:
        import hashlib

        if hexlify(hashlib.sha256(text).digest()).decode() != sha256.lower():
            raise OSError(84, "the list of files is not the one expected")
    pairs = _listed(text)
    _make_folder(target)
    _make_folder(target + "/_molt")
    list_path = target + "/" + _LIST
    wanted = [pair for pair in pairs if not _is_right(target + "/" + pair[1], pair[0])]
    if wanted:
        # Without the list the package says that it is not whole.
        _remove(list_path)
    for digest, name in wanted:
        print("molt_get:", name)
        _fetch(url + name, target + "/" + name, digest)
    with open(list_path + ".part", "wb") as f:
        f.write(text)
    os.rename(list_path + ".part", list_path)
    return len(wanted)
