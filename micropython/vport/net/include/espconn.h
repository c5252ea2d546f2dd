// network_wlan.c alone includes this header of the SDK, and uses nothing of it.

#include "lwip/ip_addr.h"

// It has one of its own; lwIP 1.4, for which it is written, has none.
#undef IPADDR_STRLEN_MAX
