// The radio, for the rest of the board.
#ifndef VBOARD_ROM_NET_H
#define VBOARD_ROM_NET_H

#include <stdint.h>

// The host's descriptor of the link to the access point; negative: this board was started without a network.
int net_descriptor(void);

// Write what goes at once; so many bytes, or negative. (host.c)
int host_try_write(int fd, const void *buffer, uint32_t size);

// A chip that resets is out of the network; the access point is told.
void net_reset(void);

#endif
