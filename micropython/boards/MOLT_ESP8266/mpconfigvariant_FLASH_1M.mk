# 1 MB of flash: the generic board's settings, molt's flash map.

MOLT_BOARD := $(patsubst %/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))
FROZEN_MANIFEST ?= $(MOLT_BOARD)/manifest.py
include boards/ESP8266_GENERIC/mpconfigvariant_FLASH_1M.mk
LD_FILES = $(MOLT_BOARD)/../molt_1MiB.ld
