# What is frozen into a firmware for the virtual ESP32-C3: the esp32 port's own start-up modules, as they are, and a module by
# which a firmware can be told from another.

freeze("$(MPY_DIR)/ports/esp32/modules", ("_boot.py", "flashbdev.py", "inisetup.py"))
freeze("$(PORT_DIR)/modules/$(VPORT_NAME)")
