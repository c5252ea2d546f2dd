// lwIP with the numbers that the esp32 port's IDF has [sdkconfig: CONFIG_LWIP_..., and port/include/lwipopts.h], as far as one without
// threads has them: sockets are MicroPython's own, over lwIP's callbacks.
#ifndef VNET_LWIPOPTS_H
#define VNET_LWIPOPTS_H

#include "lwipopts_common.h"

#define LWIP_STATS 0

#define TCP_MSS 1440
#define TCP_SND_BUF 5760
#define TCP_WND 5760
#define TCP_LISTEN_BACKLOG 1

#define MEMP_NUM_PBUF 16
#define PBUF_POOL_SIZE 16
#define MEMP_NUM_TCP_PCB 16
#define MEMP_NUM_TCP_PCB_LISTEN 16
#define MEMP_NUM_TCP_SEG 32
#define LINK_REFUSES_CONNECTIONS 0

// IDF takes it from the heap.
#define MEM_SIZE 32768

uint32_t esp_random(void);
#define LWIP_RAND() esp_random()

#endif  // VNET_LWIPOPTS_H
