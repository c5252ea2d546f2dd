// The ESP8266 as a target.
#ifndef MOLT_ESP8266_TARGET_H
#define MOLT_ESP8266_TARGET_H

#include "molt/target.h"

extern const molt_target_t molt_esp8266;

#endif
