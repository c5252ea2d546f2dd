// molt's core, compiled here so that its code lies in this folder's objects: see micropython.mk.

#include "ports/esp8266/flash.c"
#include "ports/esp8266/molt_esp8266.c"
