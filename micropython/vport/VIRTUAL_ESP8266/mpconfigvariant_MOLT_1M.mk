# 1 MB of flash, with molt's flash map.
include $(VPORT_DIR)/../boards/MOLT_ESP8266/mpconfigvariant_FLASH_1M.mk
