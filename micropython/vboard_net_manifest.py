# What the firmwares with a network freeze: what the others do, less the `network` module without a radio, and asyncio.

include("manifest_molt.py")
include("$(MPY_DIR)/extmod/asyncio")
freeze("$(PORT_DIR)/modules", ("_boot.py", "flashbdev.py"))
freeze("$(VPORT_DIR)/modules/$(VPORT_NAME)")
