# What the port freezes for 1 MB, and molt. Of the port's modules all but `inisetup`, whose place molt's takes.

include("../../manifest.py")
freeze("$(PORT_DIR)/modules", ("apa102.py", "espnow.py", "port_diag.py"))
require("bundle-networking")
require("dht")
require("ds18x20")
require("neopixel")
require("onewire")
