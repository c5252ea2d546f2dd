// What lwIP's link lies on, on the virtual ESP8266: see micropython/vport-net/link.h.
#ifndef VNET_NETPORT_H
#define VNET_NETPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "c_types.h"

#define NET_CODE ICACHE_FLASH_ATTR

uint32_t mp_hal_ticks_ms(void);

#define vboard_net_is_there ((bool (*)(void))0x4000ff50)
#define vboard_net_send ((bool (*)(const void *from, uint32_t size))0x4000ff60)
#define vboard_net_receive ((uint32_t(*)(void *to, uint32_t size))0x4000ff70)

#endif  // VNET_NETPORT_H
