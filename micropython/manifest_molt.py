# molt's own modules, and nothing of the port's. For a manifest that names what it wants of the port by itself:
#
#   include("<molt>/micropython/manifest_molt.py")
#   freeze("$(PORT_DIR)/modules", ("_boot.py", "flashbdev.py"))
#
# `_boot` and `flashbdev` are needed to start. The port's `inisetup` must not be frozen: molt's takes its place.

freeze("modules")
