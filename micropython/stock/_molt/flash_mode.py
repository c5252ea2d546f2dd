"""Flash parameters in an image's header."""


def is_flash_mode(header):
    """QIO to DOUT; size codes of the SDK up to 9, 16 MB."""
    return header[2] <= 3 and header[3] >> 4 <= 9 and header[3] & 15 in (0, 1, 2, 15)
