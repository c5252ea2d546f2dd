// What lwIP is on both virtual boards: without an operating system, by callbacks, for MicroPython's sockets. How much of everything there is
// says the port's lwipopts.h, which includes this.
#ifndef VNET_LWIPOPTS_COMMON_H
#define VNET_LWIPOPTS_COMMON_H

#include <stdint.h>

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_CALLBACK_API 1
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_DHCP 1
#define LWIP_DNS 1
#define LWIP_IGMP 1
#define LWIP_RAW 1
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_NETIF_LOOPBACK 0
#define LWIP_HAVE_LOOPIF 0
#define LWIP_TCP_KEEPALIVE 1
#define LWIP_IPV6 0

#define TCP_QUEUE_OOSEQ 1
#define IP_FRAG 0
#define IP_REASSEMBLY 0
#define ARP_QUEUEING 1
#define MEM_ALIGNMENT 4

// An IP header behind an Ethernet header would have no alignment, and the ESP8266 insists on it.
#define ETH_PAD_SIZE 2

#endif  // VNET_LWIPOPTS_COMMON_H
