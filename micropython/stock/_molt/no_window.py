"""What is said where the heap has no room for a larger window."""

from _molt import part


def no_window(bits):
    """The window of so many bits found none; the one before did not do, or the file is damaged."""
    text = part("text").error(12, "window").args[1] % (32, (1 << bits - 1) // 1024)
    return OSError(12, text + "; or else " + part("text").error(84, "bad_gzip").args[1])
