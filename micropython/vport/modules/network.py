# The radio that is not there: as much of `network` as the port's inisetup.py uses.

AUTH_WPA_WPA2_PSK = 4


class WLAN:
    IF_STA = 0
    IF_AP = 1

    def __init__(self, interface):
        pass

    def active(self, is_active=False):
        return False

    def config(self, *name, **settings):
        return b"\x5e\xcf\x7f\x82\x66\x00" if name == ("mac",) else None
