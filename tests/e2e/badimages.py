"""Images that are made for tests."""
import hashlib
import random
import struct


def with_md5(image):
    """A MicroPython image that was changed, its size word and its MD5 made right again."""
    return image[:-16] + hashlib.md5(image[4:-16]).digest()


def esp32_image():
    """One segment of IRAM, 24-byte header, checksum, appended SHA-256."""
    code = random.Random(2).randbytes(2000)
    head = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, 0x40080000) + struct.pack("<BBBBHBHHIB", 0xEE, 0, 0, 0, 0, 0, 0, 0xFFFF, 0, 1)
    data = head + struct.pack("<II", 0x40080000, len(code)) + code
    checksum = 0xEF
    for byte in code:
        checksum ^= byte
    data += bytes(15 - len(data) % 16) + bytes([checksum])
    return data + hashlib.sha256(data).digest()
