# 2 MB of flash and more, with a ROMFS partition.
include boards/ESP8266_GENERIC/mpconfigvariant_FLASH_2M_ROMFS.mk
