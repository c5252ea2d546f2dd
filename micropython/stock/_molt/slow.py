"""The sums of sums.py in plain Python, for where no IRAM is left for native code. Some hundred times slower.

Numbers of 32 bits are long integers here; those of 16, of which CRC-32 is made, are not.
"""

from ustruct import pack, unpack_from

# Nothing of the mask ROM is called: digest.py.
rom = None

_ONES = 0xFFFFFFFF

# Of RFC 1321: floor(2**32 * abs(sin(i))) for i from 1 to 64, little-endian; rotations.
_MD5_SINES = (
    b"\x78\xa4\x6a\xd7\x56\xb7\xc7\xe8\xdb\x70\x20\x24\xee\xce\xbd\xc1\xaf\x0f\x7c\xf5\x2a\xc6\x87\x47\x13\x46\x30\xa8"
    b"\x01\x95\x46\xfd\xd8\x98\x80\x69\xaf\xf7\x44\x8b\xb1\x5b\xff\xff\xbe\xd7\x5c\x89\x22\x11\x90\x6b\x93\x71\x98\xfd"
    b"\x8e\x43\x79\xa6\x21\x08\xb4\x49\x62\x25\x1e\xf6\x40\xb3\x40\xc0\x51\x5a\x5e\x26\xaa\xc7\xb6\xe9\x5d\x10\x2f\xd6"
    b"\x53\x14\x44\x02\x81\xe6\xa1\xd8\xc8\xfb\xd3\xe7\xe6\xcd\xe1\x21\xd6\x07\x37\xc3\x87\x0d\xd5\xf4\xed\x14\x5a\x45"
    b"\x05\xe9\xe3\xa9\xf8\xa3\xef\xfc\xd9\x02\x6f\x67\x8a\x4c\x2a\x8d\x42\x39\xfa\xff\x81\xf6\x71\x87\x22\x61\x9d\x6d"
    b"\x0c\x38\xe5\xfd\x44\xea\xbe\xa4\xa9\xcf\xde\x4b\x60\x4b\xbb\xf6\x70\xbc\xbf\xbe\xc6\x7e\x9b\x28\xfa\x27\xa1\xea"
    b"\x85\x30\xef\xd4\x05\x1d\x88\x04\x39\xd0\xd4\xd9\xe5\x99\xdb\xe6\xf8\x7c\xa2\x1f\x65\x56\xac\xc4\x44\x22\x29\xf4"
    b"\x97\xff\x2a\x43\xa7\x23\x94\xab\x39\xa0\x93\xfc\xc3\x59\x5b\x65\x92\xcc\x0c\x8f\x7d\xf4\xef\xff\xd1\x5d\x84\x85"
    b"\x4f\x7e\xa8\x6f\xe0\xe6\x2c\xfe\x14\x43\x01\xa3\xa1\x11\x08\x4e\x82\x7e\x53\xf7\x35\xf2\x3a\xbd\xbb\xd2\xd7\x2a"
    b"\x91\xd3\x86\xeb"
)
_MD5_ROTATIONS = (b"\x07\x0c\x11\x16", b"\x05\x09\x0e\x14", b"\x04\x0b\x10\x17", b"\x06\x0a\x0f\x15")


def _table():
    table = bytearray(1024)
    for i in range(256):
        low = i
        high = 0
        for _ in range(8):
            bit = low & 1
            low = low >> 1 | (high & 1) << 15
            high >>= 1
            if bit:
                low ^= 0x8320
                high ^= 0xEDB8
        table[4 * i:4 * i + 4] = pack("<HH", low, high)
    return table


_crc_table = _table()


def crc32(crc, data):
    """CRC-32 as zlib's, of what `crc` is of and of `data` behind it."""
    table = _crc_table
    low = ~crc & 0xFFFF
    high = ~(crc >> 16) & 0xFFFF
    for byte in data:
        i = (low ^ byte) & 255
        i *= 4
        low = (low >> 8 | (high & 255) << 8) ^ (table[i] | table[i + 1] << 8)
        high = high >> 8 ^ (table[i + 2] | table[i + 3] << 8)
    return (~high & 0xFFFF) << 16 | ~low & 0xFFFF


def xor(data):
    """All bytes of `data`, one on the other."""
    x = 0
    for byte in data:
        x ^= byte
    return x


def _rotate(x, count):
    return (x << count | x >> 32 - count) & _ONES


class _Hash:
    """What MD5 and SHA-1 have in common: blocks of 64 bytes, and a length at the end."""

    def __init__(self, state):
        self._state = state
        self._rest = b""
        self._size = 0

    def update(self, data):
        self._size += len(data)
        begin = 0
        if self._rest:
            begin = min(64 - len(self._rest), len(data))
            self._rest += bytes(data[:begin])
            if len(self._rest) < 64:
                return
            self._add(self._rest, 0)
        while begin + 64 <= len(data):
            self._add(data, begin)
            begin += 64
        self._rest = bytes(data[begin:])

    def digest(self):
        size = 8 * self._size
        self.update(b"\x80" + bytes((55 - self._size) % 64))
        self.update(pack(self._order + "Q", size))
        return pack(self._order + str(len(self._state)) + "I", *self._state)


class _Md5(_Hash):
    _order = "<"

    def _add(self, data, begin):
        words = unpack_from(b"<16I", data, begin)
        a, b, c, d = self._state
        for i in range(64):
            turn = i >> 4
            if turn == 0:
                f, k = b & c | (b ^ _ONES) & d, i
            elif turn == 1:
                f, k = d & b | (d ^ _ONES) & c, 5 * i + 1
            elif turn == 2:
                f, k = b ^ c ^ d, 3 * i + 5
            else:
                f, k = c ^ (b | d ^ _ONES), 7 * i
            f = f + a + unpack_from(b"<I", _MD5_SINES, 4 * i)[0] + words[k & 15] & _ONES
            a, d, c, b = d, c, b, b + _rotate(f, _MD5_ROTATIONS[turn][i & 3]) & _ONES
        self._state = [x + y & _ONES for x, y in zip(self._state, (a, b, c, d))]


class _Sha1(_Hash):
    _order = ">"

    def _add(self, data, begin):
        words = list(unpack_from(b">16I", data, begin))
        a, b, c, d, e = self._state
        for i in range(80):
            if i >= 16:
                words[i & 15] = _rotate(words[i + 13 & 15] ^ words[i + 8 & 15] ^ words[i + 2 & 15] ^ words[i & 15], 1)
            turn = i // 20
            if turn == 0:
                f, k = b & c | (b ^ _ONES) & d, 0x5A827999
            elif turn == 2:
                f, k = b & c | b & d | c & d, 0x8F1BBCDC
            else:
                f, k = b ^ c ^ d, 0x6ED9EBA1 if turn == 1 else 0xCA62C1D6
            f = f + _rotate(a, 5) + e + k + words[i & 15] & _ONES
            e, d, c, b, a = d, c, _rotate(b, 30), a, f
        self._state = [x + y & _ONES for x, y in zip(self._state, (a, b, c, d, e))]


def md5():
    return _Md5([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476])


def sha1():
    try:
        # Where the firmware has TLS.
        from uhashlib import sha1

        return sha1()
    except ImportError:
        pass
    return _Sha1([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0])
