// The generic ESP8266 board; its flash map is molt's.

#include "boards/ESP8266_GENERIC/mpconfigboard.h"
