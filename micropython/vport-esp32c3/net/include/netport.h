// What lwIP's link lies on, on the virtual ESP32-C3: see micropython/vport-net/link.h.
#ifndef VNET_NETPORT_H
#define VNET_NETPORT_H

#include <stdbool.h>
#include <stdint.h>

#define NET_CODE

uint32_t mp_hal_ticks_ms(void);

bool vboard_net_is_there(void);
bool vboard_net_send(const void *from, uint32_t size);
uint32_t vboard_net_receive(void *to, uint32_t size);

#endif  // VNET_NETPORT_H
