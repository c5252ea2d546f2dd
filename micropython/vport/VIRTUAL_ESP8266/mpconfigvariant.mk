# 2 MB of flash and more.
include boards/ESP8266_GENERIC/mpconfigvariant.mk
