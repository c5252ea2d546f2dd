"""Replace the firmware in place, from an image file on the device's own littlefs.

    import molt
    molt.fwupdate('firmware.bin')

The file is checked, the boot loader and the plan are put into sector 0, and the device resets. The boot loader does
the rest; a power cut during its work is made up for at the next start.

In the place of the module of firmwares with molt in them, and with its functions: fwupdate, check, plan, status, pending, cancel,
install, uninstall, confirm. The work is done in molt_upgrade.py, molt_ask.py and what they call, which are the same there; here they
take no memory but while they are at it, and a function has no more than its name. What it does and takes is said there.
"""

# In one text each: texts are given back, names are not.
_ASK = "check plan status pending cancel install uninstall confirm"
_MAP = "map regions user user_bdev migrate"
_MODULES = "molt_upgrade molt_map molt_chip"

# The parts of the package are there once: a call from a timer or from a progress function must not come in between.
_is_busy = False


def _call(module, name, args, options):
    # A function of its own: where a call was made from, something of what was called can stay.
    return getattr(__import__(module), name)(*args, **options)


def __getattr__(name):
    """A function that calls that of a module, and forgets the module."""
    place = name in _MAP.split() and 2 or name in _ASK.split() and 1 or 0
    if not place and name != "fwupdate":
        raise AttributeError(name)

    def call(*args, **options):
        import sys

        global _is_busy
        if _is_busy:
            raise OSError(16, "molt is at work: call it again when its last call has returned")
        is_here = sys.platform == "esp8266" and place < 2
        _is_busy = True
        try:
            if is_here:
                # Looks first whether the package is whole.
                import _molt

                is_here = hasattr(_molt, "do")
            if not is_here:
                _call(_MODULES.split()[1], "refuse", (), {})
            if place:
                return _molt.do(name, args, options)
            return _call(_MODULES.split()[0], name, args, options)
        finally:
            _is_busy = False
            for used in _MODULES.split():
                sys.modules.pop(used, None)

    return call
