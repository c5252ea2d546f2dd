"""HTTP for molt_web.py: requests as they come in, limited in size, and who may make them."""

import gc
import time
import uos
from ubinascii import hexlify, unhexlify

from molt_intake import Body, Refused, hmac, read_head, same, sha256

_NONCE_SECONDS = const(600)
_COUNTS_MAX = const(4)
KEY_FILE = "/molt_web.key"
_WANTED = (b"host", b"origin", b"authorization", b"content-length", b"content-type", b"transfer-encoding", b"expect")


# ---- the password

def set_password(password):
    """Keep what a password is checked with. It is the A1 of RFC 7616: user and realm are `molt`."""
    if len(password) < 8:
        raise ValueError("a password has at least 8 characters")
    with open(KEY_FILE, "wb") as f:
        f.write(hexlify(sha256(b"molt:molt:", password.encode())))


def load_key():
    try:
        with open(KEY_FILE, "rb") as f:
            key = unhexlify(f.read(64))
        if len(key) == 32:
            return key
    except (OSError, ValueError):
        pass
    raise ValueError("there is no password; molt_web.set_password('...') sets one, and nothing is served without")


class Guard:
    """Who knows the password. A nonce is a time and a MAC of it, so nothing is kept of those who only ask; of those who have
    proved themselves with one, how far they have counted."""

    def __init__(self, key):
        self.key = key
        self.renew()

    def renew(self):
        """From now on no nonce is good that was given before."""
        self.secret = uos.urandom(32)
        self.counts = []  # [nonce, highest count, bit n: that count less n was there], newest last

    def nonce(self):
        text = b"%08x" % time.ticks_ms()
        return text + hexlify(hmac(self.secret, text)[:8])

    def _is_fresh(self, nonce):
        if len(nonce) != 24 or not same(hmac(self.secret, nonce[:8])[:8], unhexlify(nonce[8:])):
            return False
        return 0 <= time.ticks_diff(time.ticks_ms(), int(nonce[:8], 16)) < _NONCE_SECONDS * 1000

    def _take_count(self, nonce, count):
        """Each count of a nonce is good for one request. Those that a browser sends side by side may come in any order."""
        for known in self.counts:
            if known[0] == nonce:
                ahead = count - known[1]
                if ahead > 0:
                    known[1] = count
                    known[2] = (known[2] << min(ahead, 16) | 1) & 0xFFFF
                elif ahead <= -16 or known[2] >> -ahead & 1:
                    return False
                else:
                    known[2] |= 1 << -ahead
                return True
        if len(self.counts) >= _COUNTS_MAX:
            # None is forgotten while its nonce is good.
            self.renew()
            return False
        # These stay: where nothing has been collected they would lie in the middle of what a check wants in one piece.
        gc.collect()
        self.counts.append([bytes(nonce), count, 1])
        return True

    def admit(self, method, uri, header):
        """None if the header proves the password for this request, else whether only the nonce was not good any more."""
        try:
            kind, rest = header.split(b" ", 1)
            if kind == b"Molt":
                nonce, count, proof = rest.strip().split(b":")
                wanted = hmac(self.key, b" ".join((method, uri, nonce, count)))
            elif kind == b"Digest":
                nonce, count, proof, wanted = self._digest(method, uri, rest)
            else:
                return False
            if not same(unhexlify(proof), wanted):
                return False
            if self._is_fresh(nonce) and self._take_count(nonce, int(count, 16)):
                return None
            return True
        except (ValueError, KeyError):
            return False

    def _digest(self, method, uri, rest):
        """RFC 7616, SHA-256, qop=auth: what browsers do by themselves."""
        fields = {}
        for item in rest.split(b","):
            name, value = item.split(b"=", 1)
            fields[name.strip()] = value.strip().strip(b'"')
        if fields[b"uri"] != uri or fields[b"username"] != b"molt" or fields[b"qop"] != b"auth":
            raise ValueError
        a2 = hexlify(sha256(method, b":", uri))
        nonce, count = fields[b"nonce"], fields[b"nc"]
        text = b":".join((hexlify(self.key), nonce, count, fields[b"cnonce"], b"auth", a2))
        return nonce, count, fields[b"response"], sha256(text)


# ---- requests

def _cut(text, mark):
    """bytes.partition(), which the port is built without."""
    at = text.find(mark)
    return (text[:at], mark, text[at + 1:]) if at >= 0 else (text, b"", b"")


def _unquote(text):
    if b"%" not in text:
        return text.decode()
    parts = text.split(b"%")
    return (parts[0] + b"".join(unhexlify(p[:2]) + p[2:] for p in parts[1:])).decode()


class Request(Body):
    """A request: method, uri (bytes), path (str), query and headers; and what comes of its body."""

    is_proved = False  # that whoever sends it knows the password

    def __init__(self, method, uri, headers, stream, rest=b""):
        path, _, query = _cut(uri, b"?")
        self.method = method
        self.uri = uri
        self.headers = headers
        length = headers.get(b"content-length", b"0")
        super().__init__(stream, rest, int(length) if length.isdigit() else 0)
        self.query = {}
        try:
            self.path = _unquote(path)
            for item in query.split(b"&"):
                name, _, value = _cut(item, b"=")
                self.query[_unquote(name)] = _unquote(value)
        except (ValueError, IndexError, UnicodeError):
            raise Refused(400, "the address cannot be read")

    def expect_body(self, most):
        if self.headers.get(b"transfer-encoding"):
            raise Refused(411, "send the body with a Content-Length, not in chunks")
        try:
            self.left = int(self.headers[b"content-length"])
        except (KeyError, ValueError):
            raise Refused(411, "send the body with a Content-Length")
        if not 0 <= self.left <= most:
            raise Refused(413, "the body is too large: at most %u bytes" % most)
        if self.headers.get(b"expect"):
            self.stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return self.left


async def read_request(stream):
    """The request, with what has come of its body already. None where the client has said nothing and gone."""
    head = await read_head(stream, _WANTED)
    if not head:
        return None
    words = head[0].split(b" ")
    if len(words) != 3 or words[2][:7] != b"HTTP/1." or words[1][:1] != b"/":
        raise Refused(400, "this is no HTTP request")
    return Request(words[0], words[1], head[1], stream, head[2])


_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
            408: "Request Timeout", 409: "Conflict", 411: "Length Required", 413: "Content Too Large", 415: "Unsupported Media Type",
            422: "Unprocessable Content", 500: "Internal Server Error", 431: "Request Header Fields Too Large", 503: "Service Unavailable",
            507: "Insufficient Storage"}


def answer_head(status, kind, size=None, extra=b""):
    text = "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Type: " % (status, _REASONS[status])
    text = text.encode() + kind + b"\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
    text += b"Referrer-Policy: same-origin\r\n" + extra
    if size is not None:
        text += b"Content-Length: %u\r\n" % size
    return text + b"\r\n"
