// The esp8266 port's hardware layer with another source of random numbers.

#include "esp_mphal.h"

#undef WDEV_HWRNG
#define WDEV_HWRNG (&(uint32_t){ vport_random() })
