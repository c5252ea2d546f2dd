# What a firmware with molt freezes. In a manifest of your own:
#
#   include("<molt>/micropython/manifest.py")
#   freeze("$(PORT_DIR)/modules", ("apa102.py", "espnow.py", "port_diag.py"))
#   require("ntptime")   # and whatever else the port's own boards/manifest.py requires
#
# Of the port's modules these two are frozen here by name, and not `inisetup`, whose place molt's takes.

freeze("$(PORT_DIR)/modules", ("_boot.py", "flashbdev.py"))
freeze("modules")
