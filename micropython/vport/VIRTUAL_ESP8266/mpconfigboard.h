// The generic ESP8266 board, unchanged.

#include "boards/ESP8266_GENERIC/mpconfigboard.h"
