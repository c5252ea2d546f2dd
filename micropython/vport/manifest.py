# What is frozen into a firmware for the virtual ESP8266: the port's own start-up modules, as they are, a
# `network` module for them to configure, and a module by which a firmware can be told from another.

freeze("$(PORT_DIR)/modules", ("_boot.py", "flashbdev.py", "inisetup.py"))
freeze("$(VPORT_DIR)/modules", "network.py")
freeze("$(VPORT_DIR)/modules/$(VPORT_NAME)")
