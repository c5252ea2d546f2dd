# The generic ESP8266 with molt, and with molt's flash map, as a board of MicroPython's own esp8266 port:
#
#   make -C <micropython>/ports/esp8266 BOARD_DIR=<molt>/micropython/boards/MOLT_ESP8266
#   make -C <micropython>/ports/esp8266 BOARD_DIR=<molt>/micropython/boards/MOLT_ESP8266 BOARD_VARIANT=FLASH_1M
#
# The first is for 2 MB of flash and more, the second for 1 MB. Nothing has to be built before.

USER_C_MODULES ?= $(realpath $(BOARD_DIR)/../..)
