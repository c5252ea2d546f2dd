# 2 MB of flash and more: the generic board's settings, molt's flash map.

MOLT_BOARD := $(patsubst %/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))
FROZEN_MANIFEST ?= $(MOLT_BOARD)/manifest_2MiB.py
include boards/ESP8266_GENERIC/mpconfigvariant.mk
LD_FILES = $(MOLT_BOARD)/../molt_2MiB.ld
