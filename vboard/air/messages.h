// Messages between a program on a board and the access point that stands for the network: a byte that says which, then what is named.
#ifndef VBOARD_AIR_MESSAGES_H
#define VBOARD_AIR_MESSAGES_H

#define NET_FRAME 'F'   // either way: an Ethernet frame
#define NET_JOIN 'J'    // to the access point: name, 0, password, 0
#define NET_LEAVE 'L'   // to the access point
#define NET_SCAN 'Q'    // to it, with nothing; and its answer: its name
#define NET_STATUS 'S'  // from it: a byte, one of
#define NET_JOINED 0
#define NET_WRONG_PASSWORD 2  // numbers of the SDK's station status
#define NET_NOT_FOUND 3       // no such access point; the answer to a join, or the one joined is gone

#endif
