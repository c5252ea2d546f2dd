// In place of ports/esp8266/prebuilt/esp8266_delta_rest.h where a firmware takes no delta files (MOLT_DELTA=0): nothing.
#include <stdint.h>

__extension__ static const uint8_t esp8266_delta_rest[0];
