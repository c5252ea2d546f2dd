# What a stock firmware with a network freezes: what stock-A does, less the `network` module without a radio, and asyncio.

include("$(MPY_DIR)/extmod/asyncio")
freeze("$(PORT_DIR)/modules", ("_boot.py", "flashbdev.py"))
freeze("$(VPORT_DIR)/modules/$(VPORT_NAME)")
