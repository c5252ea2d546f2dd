# What the firmwares of the virtual board freeze: molt, of the port what a start needs, a `network` module without a radio,
# and a module by which one firmware can be told from another. The rest of what the port freezes is not in the source
# package.

include("manifest_molt.py")
freeze("$(PORT_DIR)/modules", ("_boot.py", "flashbdev.py"))
freeze("$(VPORT_DIR)/modules", "network.py")
freeze("$(VPORT_DIR)/modules/$(VPORT_NAME)")
