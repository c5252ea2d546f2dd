# What the port freezes for 2 MB and more, and molt.

include("../../manifest.py")
include("$(PORT_DIR)/boards/ESP8266_GENERIC/manifest_2MiB.py")
