// Configuration of MicroPython for the virtual ESP8266: that of MicroPython's own esp8266 port, less what
// needs a source that the MicroPython source package does not contain (axTLS), or where VPORT_NET is not set a radio.

#include "mpconfigport.h"

#if !VPORT_NET
#undef MICROPY_PY_NETWORK
#define MICROPY_PY_NETWORK (0)
#undef MICROPY_PY_LWIP
#define MICROPY_PY_LWIP (0)
#undef MICROPY_PY_LWIP_SOCK_RAW
#define MICROPY_PY_LWIP_SOCK_RAW (0)
#undef MICROPY_PY_WEBSOCKET
#define MICROPY_PY_WEBSOCKET (0)
#undef MICROPY_PY_WEBREPL
#define MICROPY_PY_WEBREPL (0)
#else
// At a prompt and in asyncio the board waits, so that the host's processor rests.
void vport_wait(int timeout_ms);
#undef MICROPY_INTERNAL_WFE
#define MICROPY_INTERNAL_WFE(TIMEOUT_MS) vport_wait(TIMEOUT_MS)
#endif
#undef MICROPY_PY_CRYPTOLIB
#define MICROPY_PY_CRYPTOLIB (0)

// The hardware random number generator's register is outside the board's memory.
#undef MICROPY_MPHALPORT_H
#define MICROPY_MPHALPORT_H "mphalvport.h"
#undef MICROPY_PY_RANDOM_SEED_INIT_FUNC
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC (vport_random())
uint32_t vport_random(void);
