"""How a firmware comes in, for molt_web.py, which is sent one, and molt_pull.py, which fetches one: heads and bodies of HTTP
messages, the file that grows on the filesystem, and what it is held against while it comes and when it is here."""

import gc
import hashlib
import uos
from ubinascii import hexlify

import _molt
import molt

try:
    from esp32 import Partition
except ImportError:
    Partition = None  # an ESP8266

_HEAD_MAX = const(2048)  # bytes of a message's first line and headers
_PIECE = const(536)  # bytes of a body that are held at a time: lwIP has no more in one piece
_SYNC = const(65536)  # bytes after which a file is made to survive a power cut
_PART = ".part"
_HEAD = const(24)  # bytes of a file that say whether it can be an image, or a delta file
_CHIP = const(12)  # where in an ESP32's image its chip's number is, of two bytes
# What molt.check() and molt.plan() raise where the file is to blame: EINVAL, EFBIG, MOLT_ERR_CORRUPT, EOPNOTSUPP.
_OF_FILE = (22, 27, 84, 95)
_BUSY = const(16)
# Words of what molt.plan() gives as a reason where the device is, or where the file lies.
_OF_DEVICE = ("already prepared", "on trial", "taken back", "too many pieces", " lies where", "boot loader is")
# Their first bytes.
DELTA = b"MDL1"
GZIP = b"\x1f\x8b"


def _image_max():
    """Bytes of the largest image: what an ESP8266 maps, or what an image's partition has."""
    if Partition is None:
        return 0x100000
    try:
        return molt.slots()[2]
    except (OSError, TypeError):  # there are none, or something is in the way, which obstacle() says
        return Partition(Partition.RUNNING).info()[3]


IMAGE_MAX = _image_max()


def obstacle():
    """What keeps this device from any upgrade, in words; None: nothing. (An ESP8266's image says it.)"""
    try:
        return None if Partition is None or molt.slots() else molt.standby()
    except OSError as e:
        return sentence(e)


def _chip():
    """An ESP32's number, as its image's header has it."""
    number = bytearray(2)
    Partition(Partition.RUNNING).readblocks(0, number, _CHIP)
    return int.from_bytes(number, "little")


def family():
    """What ESP Web Tools call this chip. [chip numbers: esp_chip_id_t of IDF]"""
    if Partition is None:
        return "ESP8266"
    number = _chip()
    return "ESP32" + {0: "", 2: "-S2", 5: "-C3", 9: "-S3", 12: "-C2", 13: "-C6", 16: "-H2", 18: "-P4", 20: "-C61", 23: "-C5"}.get(number, "-%u" % number)


class Refused(Exception):
    """Something is not carried out: HTTP status, sentence, further fields of an answer."""

    def __init__(self, status, sentence, fields=None):
        self.status = status
        self.fields = fields or {}
        self.fields["error"] = sentence


class Unfit(Refused):
    """A file is no image for this device, however often it comes."""


def sentence(error):
    """What an exception says to a person. Raises nothing: where there is no memory for the sentence, that is one."""
    try:
        if isinstance(error, Refused):
            return error.fields["error"]
        if isinstance(error, OSError) and len(error.args) < 2:
            return "the device says OSError %r" % (error.args[0] if error.args else "")
        if not isinstance(error, MemoryError):
            return str(error.args[-1]) if error.args else repr(error)
    except MemoryError:
        pass
    return "the device has not enough memory for this; let its program hold less, or restart it"


# ---- digests

def sha256(*parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part)
    return h.digest()


def hmac(key, text):
    """HMAC-SHA256 [RFC 2104] with a key of 32 bytes."""
    return sha256(bytes(b ^ 0x5C for b in key) + b"\x5c" * 32, sha256(bytes(b ^ 0x36 for b in key) + b"\x36" * 32, text))


def same(a, b):
    """Whether two digests are the same, in a time that does not depend on where they differ."""
    differs = len(a) ^ len(b)
    for x, y in zip(a, b):
        differs |= x ^ y
    return not differs


# ---- HTTP messages

async def read_head(stream, wanted):
    """The first line, those headers that are wanted, as {lower-case name: value} in bytes, and what has come of the body already.
    None where the other side has said nothing and gone."""
    head = b""
    while True:
        piece = await stream.read(512)
        if not piece:
            if head:
                raise Refused(400, "the head of the message is cut short")
            return None
        head += piece
        end = head.find(b"\r\n\r\n")
        if end >= 0:
            break
        if len(head) > _HEAD_MAX:
            raise Refused(431, "the headers are too long: at most %u bytes" % _HEAD_MAX)
    lines = head[:end].split(b"\r\n")
    headers = {}
    for line in lines[1:]:
        colon = line.find(b":")
        name = line[:colon].lower()
        if colon > 0 and name in wanted:
            if name in headers:
                raise Refused(400, "a header is there twice")
            headers[name] = line[colon + 1:].strip()
    return lines[0], headers, head[end + 4:]


class Body:
    """The body of a message: `left` bytes have not been taken, of which `rest` came with the head."""

    def __init__(self, stream, rest, left):
        self.stream = stream
        self.rest = rest
        self.left = left
        self.touch = None

    async def readinto(self, view):
        """Some bytes of the body; how many."""
        n = min(len(view), self.left)
        if self.rest:
            n = min(n, len(self.rest))
            view[:n] = self.rest[:n]
            self.rest = self.rest[n:]
        elif n:
            n = await self.stream.readinto(view[:n]) or 0
            if not n:
                raise OSError(104)
        self.left -= n
        if self.touch:
            self.touch()
        return n

    async def read_all(self):
        """All that is left, of a body that is short."""
        data = bytearray(self.left)
        view = memoryview(data)
        n = 0
        while self.left:
            n += await self.readinto(view[n:])
        return data


# ---- the file

def remove(path):
    try:
        uos.remove(path)
    except OSError:
        pass


def size_of(path):
    """Bytes of a file; 0 where there is none."""
    try:
        return uos.stat(path)[6]
    except OSError:
        return 0


def room():
    """Free and all bytes of the filesystem."""
    s = uos.statvfs("/")
    return s[3] * s[0], s[2] * s[0]


def room_wanted(size):
    """What has to be free for an image of so many bytes: with the boot sector's file, and littlefs's own blocks."""
    return size + size // 400 + 5 * 4096


class Part:
    """A file that is not whole: its name says what it will be, its size how far it is.

    way     who fetches it or is sent it
    """

    def __init__(self, way, sha256, size):
        self.sha256 = sha256
        self.size = size
        self.path = "/%s-%s-%u%s" % (way, sha256[:16], size, _PART)
        self.begun = 0  # times, from its first byte on

    def got(self):
        return size_of(self.path)


def parts(way):
    """Names of the files of this way that are not whole."""
    return [e[0] for e in uos.ilistdir("/") if e[0].startswith(way + "-") and e[0].endswith(_PART)]


def remove_parts(way, but=""):
    """Remove the files of this way that are not whole, but the one of this path."""
    for name in parts(way):
        if "/" + name != but:
            remove("/" + name)


def check_beginning(head, size):
    """Refuse what cannot be an image of this chip by its first bytes. The rest is checked when it is here."""
    if size > IMAGE_MAX:
        raise Unfit(413, "the file has %u bytes, and no image has more than %u" % (size, IMAGE_MAX))
    if head[:2] == GZIP:
        return
    if head[:4] == DELTA:
        if int.from_bytes(head[12:16], "little") != size:
            raise Unfit(415, "the delta file is cut short, or something is behind it: its header says %u bytes, and it has %u; send it again, whole"
                        % (int.from_bytes(head[12:16], "little"), size))
        if int.from_bytes(head[20:24], "little") > IMAGE_MAX:
            raise Unfit(415, "the delta file makes an image of more than %u bytes, and none is larger; make it of images for this chip" % IMAGE_MAX)
        return
    if not head or head[0] != 0xE9 and (head[0] != 0xEA or Partition):
        raise Unfit(415, "this is no firmware image: one begins with the byte 0xE9 (0x1F where it is packed, MDL1 for a delta file), this file with 0x%02X"
                    % (head[0] if head else 0))
    if Partition:
        number = int.from_bytes(head[_CHIP:_CHIP + 2], "little")
        if number != _chip():
            raise Unfit(415, "the image is for another chip, not for the %s: its header says number %u" % (family(), number))
        return
    vaddr = int.from_bytes(head[8:12], "little")
    if head[0] == 0xE9 and not (0x40100000 <= vaddr < 0x40140000 or 0x3FFE8000 <= vaddr < 0x40000000):
        raise Unfit(415, "the image is for another chip, not for the ESP8266: its first segment is for 0x%08x" % vaddr)


async def receive(body, path, offset, image_size=None):
    """Write a body to a file, from offset on. What was written stays if the other side goes.

    image_size  of the whole file, if it has to be an image; then nothing is written of one that cannot be
    """
    gc.collect()
    view = memoryview(bytearray(_PIECE))
    since = n = 0
    if image_size is not None and offset == 0:
        # Its beginning has to be here before a file is made of it.
        while n < _HEAD and body.left:
            n += await body.readinto(view[n:])
        check_beginning(view[:n], image_size)
    with open(path, "ab" if offset else "wb") as f:
        while n or body.left:
            n = n or await body.readinto(view)
            f.write(view[:n])
            since += n
            n = 0
            if since >= _SYNC:
                f.flush()
                since = 0


def check_digest(path, sha256):
    """Remove a file that has another SHA-256 than these hexadecimal digits, and raise Refused."""
    with open(path, "rb") as f:
        found = hexlify(_molt.sha256(f)).decode()
    if found != sha256:
        remove(path)
        raise Refused(422, "what has come is not what was sent: its SHA-256 is another; send it again")


def accept(path):
    """What judge() says of an image. It is removed, and Unfit raised, if it is none for this chip and map. Refused: that is not known, or
    the device is not in a state for it; the file stays. (None is 409, by which page and push go on with an upload.)"""
    try:
        plan = judge(path)
    except OSError as e:
        is_certain = e.errno in _OF_FILE
        if is_certain and not obstacle():
            remove(path)
            raise Unfit(422, sentence(e))
        raise Refused(422 if is_certain or e.errno == _BUSY else 503, sentence(e))
    reason = plan["reason"]
    if not plan["refused"] or "drop_frozen" in reason:
        return plan
    for words in _OF_DEVICE:
        if words in reason:
            raise Refused(422, reason)
    remove(path)
    raise Unfit(422, reason)


def judge(path):
    """What molt.check() and molt.plan() say of an image."""
    gc.collect()
    plan = molt.check(path)
    gc.collect()
    plan.update(molt.plan(path))
    return plan


def kind_of(path):
    """DELTA, of a file that makes an image and holds none; GZIP; or None, also where there is no file."""
    if not size_of(path):
        return None
    with open(path, "rb") as f:
        head = f.read(4)
    return DELTA if head == DELTA else GZIP if head[:2] == GZIP else None


def runs(path, is_sure=False):
    """Whether the image in a file, or the one that a delta file makes, is the firmware that runs. is_sure: raise OSError where that
    cannot be told now."""
    try:
        gc.collect()
        return bool(molt.plan(path)["in_place"])
    except OSError as e:
        if is_sure and size_of(path) and e.errno not in _OF_FILE:
            raise e
        return False


def holds_firmware(path, is_sure=False):
    """Whether a file has the image of the firmware that runs in it, so that one can fall back on it. is_sure: see runs()."""
    return size_of(path) > 0 and kind_of(path) != DELTA and runs(path, is_sure)


def reset():
    import umachine

    _molt.flush()
    umachine.reset()
