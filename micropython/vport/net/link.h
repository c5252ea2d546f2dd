// Between the two halves of the virtual SDK's network: lwIP's link (link.c) and the radio's functions (wifi.c).
#ifndef VNET_LINK_H
#define VNET_LINK_H

#include <stdint.h>

#include "lwip/netif.h"

extern struct netif link_netif;

// A message to the access point.
void link_send(char kind, const void *data, uint32_t size);

void wifi_start(void);
void wifi_take(uint8_t kind, const uint8_t *data, uint32_t size);  // a message from it
void wifi_check(uint32_t now_ms);

#endif  // VNET_LINK_H
