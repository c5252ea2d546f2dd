# What the firmwares of the virtual board freeze: molt, a `network` module without a radio, and a module by which one
# firmware can be told from another.

include("manifest.py")
freeze("$(VPORT_DIR)/modules", "network.py")
freeze("$(VPORT_DIR)/modules/$(VPORT_NAME)")
