"""What the boot loader has left behind."""


def report(data):
    """None, or (image CRC, 0 pending | 1 done | 2 restored, starts of the boot loader)"""
    from ustruct import unpack

    if len(data) < 16 or data[:4] != b"MRP1":
        return None
    crc, starts, result = unpack(b"<4x3I", data)
    count = 0
    for bit in range(32):
        count += not starts >> bit & 1
    return crc, 2 if result >> 16 != 0xFFFF else 1 if result & 0xFFFF != 0xFFFF else 0, count
