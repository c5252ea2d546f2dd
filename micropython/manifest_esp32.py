# What a firmware of the esp32 port with molt freezes: all that the port's own boards/manifest.py does, and molt.
include("$(PORT_DIR)/boards/manifest.py")
include("manifest_molt_esp32.py")
