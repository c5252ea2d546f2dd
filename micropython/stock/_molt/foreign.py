"""Images that are not MicroPython's: what is said of those for other chips, and the CRC of Arduino's."""

from _molt import part
from ustruct import unpack_from

_SIZE_OFF = const(0x1010)
_POLYNOMIAL = 0x04C11DB7

# The inverse of x, modulo the polynomial.
_X_BACK = 0x82608EDB

_CHIPS = ((0, ""), (2, "-S2"), (5, "-C3"), (9, "-S3"), (12, "-C2"), (13, "-C6"), (16, "-H2"), (18, "-P4"), (20, "-C61"),
          (23, "-C5"), (25, "-H21"), (28, "-H4"))


def refusal(header):
    """The error for an image, by its first 24 bytes, that begins with 0xEA or is for another chip."""
    error = part("text").error
    if header[0] == 0xEA:
        return error(95, "no_head")
    number = unpack_from(b"<H", header, 12)[0]
    for known, name in _CHIPS:
        if known == number:
            return error(95, "chip", " (ESP32%s)" % name)
    return error(84, "unknown_chip", " (at byte 12)")


def _table():
    table = bytearray(1024)
    for i in range(256):
        high = i << 8
        low = 0
        for _ in range(8):
            bit = high & 0x8000
            high = high << 1 & 0xFFFF | low >> 15
            low = low << 1 & 0xFFFF
            if bit:
                high ^= 0x04C1
                low ^= 0x1DB7
        table[4 * i] = high >> 8
        table[4 * i + 1] = high & 255
        table[4 * i + 2] = low >> 8
        table[4 * i + 3] = low & 255
    return table


def _multiply(a, b):
    """Polynomials over GF(2), modulo the CRC's."""
    product = 0
    for bit in range(31, -1, -1):
        product = product << 1 ^ ((1 << 32 | _POLYNOMIAL) if product >> 31 else 0)
        if b >> bit & 1:
            product ^= a
    return product


class ArduinoCrc:
    """CRC-32, high bit first, not inverted at the end; size and CRC in the image count as zeros. In plain Python."""

    def __init__(self, size):
        self._size = size
        self._high = self._low = 0xFFFF
        self._table = _table()

    def update(self, piece, off):
        table = self._table
        high = self._high
        low = self._low
        for i in range(min(len(piece), max(0, self._size - off))):
            byte = 0 if 0 <= off + i - _SIZE_OFF < 8 else piece[i]
            at = 4 * (high >> 8 ^ byte)
            high, low = ((high & 255) << 8 | low >> 8) ^ (table[at] << 8 | table[at + 1]), (
                (low & 255) << 8 ^ (table[at + 2] << 8 | table[at + 3]))
        self._high = high
        self._low = low

    def is_right(self, stored, params):
        """Whether it is `stored`, or is with other flash parameters in the header, such as a flashing tool writes."""
        difference = stored ^ (self._high << 16 | self._low)
        power = _X_BACK
        count = 8 * self._size
        while count:
            if count & 1:
                difference = _multiply(difference, power)
            power = _multiply(power, power)
            count >>= 1
        made = bytes((0, 0, params[0] ^ difference >> 8 & 255, params[1] ^ difference & 255))
        return difference >> 16 == 0 and part("flash_mode").is_flash_mode(made)
