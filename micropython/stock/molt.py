"""Replace the firmware in place, from an image file on the device's own littlefs.

    import molt
    molt.fwupdate('firmware.bin')

The file is checked, the boot loader and the plan are put into sector 0, and the device resets. The boot loader does
the rest; a power cut during its work is made up for at the next start.

In the place of the module of firmwares with molt in them, and with its functions: fwupdate, check, plan, status, pending, cancel,
install, uninstall, confirm. The work is done in molt_upgrade.py, molt_ask.py, molt_file.py, molt_say.py and molt_chip.py, which are the same
there; here they take no memory but while they are at it, and a function has no more than its name. What it does and takes is said there.
"""

_ASK = "check plan status pending cancel install uninstall confirm"
_MAP = "map regions user user_bdev migrate"


def _call(module, name, args, options):
    # A function of its own: where a call was made from, something of what was called can stay.
    return getattr(__import__(module), name)(*args, **options)


def __getattr__(name):
    """A function that calls that of a module, and forgets the module."""
    module = "molt_upgrade" if name == "fwupdate" else "molt_ask"
    if name in _MAP.split():
        module = "molt_map"
    elif name != "fwupdate" and name not in _ASK.split():
        raise AttributeError(name)

    def call(*args, **options):
        import sys

        try:
            if sys.platform != "esp8266" or module == "molt_map":
                _call("molt_map", "refuse", (), {})
            return _call(module, name, args, options)
        finally:
            for used in (module, "molt_upgrade", "molt_chip", "molt_map"):
                sys.modules.pop(used, None)

    return call
