// lwIP with the numbers that the esp32 port's IDF has [sdkconfig: CONFIG_LWIP_..., and port/include/lwipopts.h], as far as one without
// threads has them: sockets are MicroPython's own, over lwIP's callbacks.
#ifndef VNET_LWIPOPTS_H
#define VNET_LWIPOPTS_H

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
#define LWIP_STATS 0

#define TCP_MSS 1440
#define TCP_SND_BUF 5760
#define TCP_WND 5760
#define TCP_QUEUE_OOSEQ 1
#define TCP_LISTEN_BACKLOG 1
#define IP_FRAG 0
#define IP_REASSEMBLY 0
#define ARP_QUEUEING 1

#define MEM_ALIGNMENT 4
#define MEMP_NUM_PBUF 16
#define PBUF_POOL_SIZE 16
#define MEMP_NUM_TCP_PCB 16
#define MEMP_NUM_TCP_PCB_LISTEN 16
#define MEMP_NUM_TCP_SEG 32
#define LINK_REFUSES_CONNECTIONS 0

// IDF takes it from the heap.
#define MEM_SIZE 32768

// An IP header behind an Ethernet header would have no alignment.
#define ETH_PAD_SIZE 2

uint32_t esp_random(void);
#define LWIP_RAND() esp_random()

#endif  // VNET_LWIPOPTS_H
