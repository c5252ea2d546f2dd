"""GET for molt_pull.py, from any byte of a file on: HTTP/1.1, because some servers do no ranges for 1.0; one request for each
connection. What comes in chunks is refused: its length is not known."""

import asyncio
import time

from molt_intake import Body, Refused, read_head

_SECONDS = const(15)  # without a byte, and a connection is given up
_NO_NAME = const(-2)  # of getaddrinfo()
_WANTED = (b"content-length", b"content-range", b"location")


class Broken(Refused):
    """The other side was not reached, or went. Another try may do."""

    def __init__(self, sentence):
        super().__init__(503, sentence)


def split_url(url):
    """Host, port and path."""
    if url[:7] != "http://":
        raise Refused(400, "%s: an address begins with http://; there is no TLS here whose certificates are checked" % url)
    url = url.split("#")[0]
    end = _end_of_host(url)
    host, path = url[7:end], url[end:]
    if path[:1] != "/":
        path = "/" + path
    port = "80"
    at = host.find(":")
    if at >= 0:
        host, port = host[:at], host[at + 1:]
    if not host or not port.isdigit() or any(c <= " " for c in url):
        raise Refused(400, "%r is no address" % url)
    return host, int(port), path


def _end_of_host(url):
    return (url.split("?")[0] + "/").find("/", 7)


def join_url(base, path):
    """The address that a path in the file at `base` means."""
    if "://" in path.split("?")[0]:
        return path
    base = base.split("#")[0].split("?")[0]
    end = _end_of_host(base)
    if path[:1] == "/":
        return base[:end] + path
    return (base if end < len(base) else base + "/").rsplit("/", 1)[0] + "/" + path


def _silent(host):
    return Broken("%s says nothing for %u s" % (host, _SECONDS))


def _broken(host, error):
    if error.errno == _NO_NAME:
        return Broken("the name %s is not known; is there a network?" % host)
    return Broken("%s cannot be reached, or the connection broke off (error %r)" % (host, error.errno))


async def soon(host, awaitable):
    """What another side's answer is, if it comes in time."""
    try:
        return await asyncio.wait_for(awaitable, _SECONDS)
    except asyncio.TimeoutError:
        raise _silent(host)
    except OSError as e:
        raise _broken(host, e)


class Answer(Body):
    """What a server answers: `offset` of the first byte, and `size` of the whole."""

    def __init__(self, host, stream):
        super().__init__(stream, b"", 0)
        self.host = host
        self.offset = 0
        self.size = 0
        self.is_late = False

    async def readinto(self, view):
        self.last = time.ticks_ms()
        try:
            return await super().readinto(view)
        except OSError as e:
            raise _broken(self.host, e)

    async def watched(self, awaitable):
        """The result of what reads this, as long as something comes. (A timeout for each piece would take longer than the piece.)"""
        watcher = asyncio.create_task(self._watch(asyncio.current_task()))
        try:
            return await awaitable
        except asyncio.CancelledError as e:
            if self.is_late:
                raise _silent(self.host)
            raise e
        finally:
            watcher.cancel()

    async def _watch(self, reader):
        self.last = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), self.last) < _SECONDS * 1000:
            await asyncio.sleep(1)
        self.is_late = True
        reader.cancel()

    def close(self):
        self.stream.s.close()


async def connect(host, port):
    """A stream."""
    return (await soon(host, asyncio.open_connection(host, port)))[0]


async def get(url, offset=0):
    """The Answer, from byte `offset` on if the server can do that. Whoever asks closes it."""
    host, port, path = split_url(url)
    answer = Answer(host, await connect(host, port))
    try:
        answer.stream.write(("GET %s HTTP/1.1\r\nHost: %s:%u\r\nConnection: close\r\n%s\r\n" % (
            path, host, port, "Range: bytes=%u-\r\n" % offset if offset else "")).encode())
        await soon(host, answer.stream.drain())
        head = await soon(host, read_head(answer.stream, _WANTED))
        if not head:
            raise Broken("%s says nothing" % host)
        _read_answer(answer, url, *head)
        return answer
    except BaseException as e:
        answer.close()
        raise e


def _read_answer(answer, url, line, headers, rest):
    status = line.split(b" ")[1:2]
    if line[:7] != b"HTTP/1." or status not in ([b"200"], [b"206"]):
        to = headers.get(b"location")
        raise Refused(502, "%s: the server answers `%s`%s" % (url, line.decode(), to and ", it is at " + to.decode() or ""))
    try:
        answer.left = answer.size = int(headers[b"content-length"])
        answer.rest = rest
        if status == [b"206"]:
            # bytes FIRST-LAST/ALL
            place, size = headers[b"content-range"].split(b" ")[-1].split(b"/")
            answer.offset, answer.size = int(place.split(b"-")[0]), int(size)
    except (KeyError, ValueError):
        raise Refused(502, "%s: the server does not say how long it is" % url)
    if answer.left < 0 or answer.offset < 0 or answer.offset + answer.left != answer.size:
        raise Refused(502, "%s: the server says lengths that do not fit together" % url)
