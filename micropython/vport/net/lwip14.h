// Read before network_wlan.c: it is written for lwIP 1.4, where this function returns an address and no pointer.
#include "lwip/dns.h"

#define dns_getserver(index) (*dns_getserver(index))
