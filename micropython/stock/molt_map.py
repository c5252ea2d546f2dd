"""In the place of molt's flash maps, on a firmware without molt: what is asked of them there."""


def header_trouble():
    """The sentence for a device that has no filesystem."""
    import esp

    size = esp.flash_size() // 1024
    return "this firmware has no filesystem on a flash of %u KB: write another firmware by the serial line" % size


def show(*_):
    raise OSError(95, "the flash map is a part of firmwares with molt in them; molt.fwupdate() makes this one such a firmware")


regions = find = user_bdev = migrate = show
