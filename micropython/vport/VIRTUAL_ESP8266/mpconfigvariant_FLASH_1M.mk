# 1 MB of flash.
include boards/ESP8266_GENERIC/mpconfigvariant_FLASH_1M.mk
