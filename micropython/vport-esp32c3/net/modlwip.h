// Read before modlwip.c: its close() takes the callbacks from a listening socket, too, which has none and no place for them. lwIP asserts
// that nobody does; the esp32 port, whose sockets are IDF's, does not.
#include "lwip/tcp.h"

static inline void vnet_tcp_err(struct tcp_pcb *pcb, tcp_err_fn call) {
    if (pcb->state != LISTEN) {
        tcp_err(pcb, call);
    }
}

static inline void vnet_tcp_recv(struct tcp_pcb *pcb, tcp_recv_fn call) {
    if (pcb->state != LISTEN) {
        tcp_recv(pcb, call);
    }
}

#define tcp_err vnet_tcp_err
#define tcp_recv vnet_tcp_recv
