// The radio, for the rest of the board.
#ifndef VBOARD_ROM_NET_H
#define VBOARD_ROM_NET_H

// The host's descriptor of the link to the access point; negative: this board was started without a network.
int net_descriptor(void);

// A chip that resets is out of the network; the access point is told.
void net_reset(void);

#endif
