"""The first start of a device: make its filesystem. Called by _boot.py when nothing can be mounted.

Takes the place of the port's module of this name, because it is where `fwupdate` is looked for. A filesystem is
made only on flash that is blank where a filesystem begins, in both of littlefs's first blocks: any other trouble
(not enough heap, a damaged volume) must not cost the user's files.
"""

import vfs
import network
from flashbdev import bdev
from molt import fwupdate


def wifi():
    from ubinascii import hexlify

    ap = network.WLAN(network.WLAN.IF_AP)
    mac = hexlify(ap.config("mac")[-3:])
    ap.config(ssid=b"MicroPython-" + mac, security=network.AUTH_WPA_WPA2_PSK, key=b"micropythoN")


def is_blank():
    buf = bytearray(512)
    for block in range(2):
        for off in range(0, bdev.SEC_SIZE, len(buf)):
            bdev.readblocks(block, buf, off)
            if any(b != 0xFF for b in buf):
                return False
    return True


def setup():
    if bdev.blocks < 2:
        from molt_map import header_trouble

        print("molt: " + header_trouble())
        return vfs
    if not is_blank():
        print("molt: the filesystem at 0x%x cannot be mounted and is left as it is." % (bdev.start_sec * bdev.SEC_SIZE))
        print("vfs.mount(flashbdev.bdev, '/') tries again; vfs.VfsLfs2.mkfs(flashbdev.bdev) makes an empty one.")
        return vfs
    print("Performing initial setup")
    wifi()
    vfs.VfsLfs2.mkfs(bdev)
    vfs.mount(vfs.VfsLfs2(bdev), "/")
    with open("boot.py", "w") as f:
        f.write("# Executed at every start, before main.py.\nimport gc\n\ngc.collect()\n")
    return vfs
