"""The part that sums, which stays: native code as it comes, or from its source where it is another MicroPython's, or slow.py where no
IRAM is left for it."""

import _molt


def _load(name):
    try:
        return _molt.part(name)
    except (MemoryError, OSError):
        return None


def load():
    _molt.sums = _molt.sums or _load("sums") or _load("sums_source") or _load("slow")
    if not _molt.sums:
        raise MemoryError
    return _molt.sums
