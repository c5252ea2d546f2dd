// lwIP on the virtual boards' network: frames in and out, and lwIP's time. What is on the vendor's side of lwIP on a chip.
//
// A port's netport.h has what it lies on: NET_CODE, an attribute of code; mp_hal_ticks_ms(); and the board's own functions
// vboard_net_is_there(), vboard_net_send() and vboard_net_receive(). Its lwipopts.h says with
// LINK_REFUSES_CONNECTIONS whether its lwIP is the old one that takes no connection while all its places are taken.
#ifndef VNET_LINK_H
#define VNET_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "../../vboard/air/messages.h"
#include "lwip/netif.h"
#include "netport.h"

extern struct netif link_netif;

// Begin, once.
void link_start(const uint8_t mac[6]);

// Take what has come, and see to what is due; to be called often.
void link_poll(void);

// A message to the access point.
void link_send(char kind, const void *data, uint32_t size);

#endif  // VNET_LINK_H
