// The radio, as a mailbox: messages to and from the access point that vboard/air is, one at a time and whole.
//
// A chip has no such thing; its radio is the vendor's, and closed. What a message means is between the program and the access point.
#ifndef VBOARD_ESP32C3_NET_H
#define VBOARD_ESP32C3_NET_H

#include <stdbool.h>
#include <stdint.h>

// Whether this board was started with a network: then its time is the world's.
bool net_is_there(void);

// A chip that resets is out of the network; the access point is told.
void net_reset(void);

// Until there is a message, or input at the UART, at most `us`.
void net_wait(uint32_t us);

#endif
