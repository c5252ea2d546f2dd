# 2 MB of flash and more, with molt's flash map.
include $(VPORT_DIR)/../boards/MOLT_ESP8266/mpconfigvariant.mk
