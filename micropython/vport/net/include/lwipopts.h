// lwIP as MicroPython's esp8266 port has it: the numbers are those of esp-open-lwip, the lwIP that the port's tool chain builds
// for the SDK [its include/lwipopts.h]. That one is lwIP 1.4, this is 2.1, so there are some of its options' names besides.
#ifndef VNET_LWIPOPTS_H
#define VNET_LWIPOPTS_H

#include "lwipopts_common.h"

#define TCP_MSS 536
#define TCP_SND_BUF (2 * TCP_MSS)
#define TCP_WND (4 * TCP_MSS)
#define TCP_LISTEN_BACKLOG 0
#define ETHARP_TRUST_IP_MAC 0

#define MEMP_NUM_PBUF 10
#define PBUF_POOL_SIZE 10
#define MEMP_NUM_TCP_PCB 5  // of the SDK, espconn_tcp_get_max_con()
#define MEMP_NUM_TCP_PCB_LISTEN 2
#define LINK_REFUSES_CONNECTIONS 1  // where those are taken [esp-open-lwip, tcp_listen_input()]
#define MEMP_NUM_ARP_QUEUE 10
#define MEMP_NUM_REASSDATA 0
#define MEMP_NUM_FRAG_PBUF 0

// What is sent waits here. On a chip it comes from the SDK's heap, which the radio lives on, too; of that there is no figure but
// that programs run out of it. Five connections can have all that they may send.
#define MEM_SIZE 8192

// esp.freemem() is made of it.
#define LWIP_STATS 1
#define LWIP_STATS_DISPLAY 0
#define MEM_STATS 1
#define LINK_STATS 0
#define ETHARP_STATS 0
#define IP_STATS 0
#define IPFRAG_STATS 0
#define ICMP_STATS 0
#define IGMP_STATS 0
#define UDP_STATS 0
#define TCP_STATS 0
#define MEMP_STATS 0
#define SYS_STATS 0

uint32_t vport_random(void);
#define LWIP_RAND() vport_random()

#endif  // VNET_LWIPOPTS_H
