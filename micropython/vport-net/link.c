// lwIP on the virtual boards' network: see link.h.
#include "link.h"

#include <string.h>

#include "station.h"

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/tcp.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#define FRAME_MAX 1514
#define MESSAGES_AT_ONCE 4
#define TIMEOUTS_MS 10

struct netif link_netif;
static uint8_t message[1 + FRAME_MAX];

u32_t NET_CODE sys_now(void) {
    return mp_hal_ticks_ms();
}

void NET_CODE vnet_failed(const char *what) {
    int ets_printf(const char *format, ...);
    ets_printf("lwIP: %s\n", what);
    for (;;) {
    }
}

// A frame that the board cannot take at once is lost, as in the air.
static err_t NET_CODE send_frame(struct netif *netif, struct pbuf *p) {
    (void)netif;
    u16_t size = (u16_t)(p->tot_len - ETH_PAD_SIZE);
    if (size > FRAME_MAX) {
        return ERR_BUF;
    }
    message[0] = NET_FRAME;
    pbuf_copy_partial(p, message + 1, size, ETH_PAD_SIZE);
    vboard_net_send(message, size + 1);
    return ERR_OK;
}

#if LINK_REFUSES_CONNECTIONS
// Whether a frame asks for a connection: a SYN alone, in IPv4.
static bool NET_CODE is_connection_request(const uint8_t *frame, uint16_t size) {
    const uint8_t *ip = frame + SIZEOF_ETH_HDR - ETH_PAD_SIZE;
    uint16_t ip_size = (uint16_t)((ip[0] & 0xf) * 4);
    if (frame[12] != 8 || frame[13] != 0 || ip[9] != IP_PROTO_TCP || size < SIZEOF_ETH_HDR - ETH_PAD_SIZE + ip_size + TCP_HLEN) {
        return false;
    }
    return (ip[ip_size + 13] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

// The SDK's lwIP takes no connection while so many are there, those included that are being closed, but those not that only wait
// for the end of their time. lwIP 2.1 would close some of the former for it. [esp-open-lwip, tcp_listen_input()]
static bool NET_CODE has_room_for_connection(void) {
    int count = 0;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        count++;
    }
    return count < MEMP_NUM_TCP_PCB;
}
#endif

static void NET_CODE take_frame(uint16_t size) {
#if LINK_REFUSES_CONNECTIONS
    if (is_connection_request(message + 1, size) && !has_room_for_connection()) {
        return;
    }
#endif
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)(size + ETH_PAD_SIZE), PBUF_POOL);
    if (p == NULL) {
        return;  // no room: lost
    }
    pbuf_take_at(p, message + 1, size, ETH_PAD_SIZE);
    if (link_netif.input(p, &link_netif) != ERR_OK) {
        pbuf_free(p);
    }
}

static err_t NET_CODE set_up(struct netif *netif) {
    netif->name[0] = 'e';
    netif->name[1] = 'w';
    netif->mtu = 1500;
    netif->hwaddr_len = 6;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP;
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    return ERR_OK;
}

void NET_CODE link_start(const uint8_t mac[6]) {
    lwip_init();
    netif_add_noaddr(&link_netif, NULL, set_up, ethernet_input);
    netif_set_default(&link_netif);
    for (int i = 0; i < 6; i++) {
        link_netif.hwaddr[i] = ((volatile const uint8_t *)mac)[i];  // it may lie in mapped flash, which has words only
    }
    netif_set_up(&link_netif);
}

void NET_CODE link_send(char kind, const void *data, uint32_t size) {
    message[0] = (uint8_t)kind;
    memcpy(message + 1, data, size);
    vboard_net_send(message, size + 1);
}

void NET_CODE link_poll(void) {
    static uint32_t checked_ms;
    for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
        uint32_t size = vboard_net_receive(message, sizeof(message));
        if (size == 0) {
            break;
        }
        if (message[0] == NET_FRAME) {
            take_frame((uint16_t)(size - 1));
        } else {
            station_take(message[0], message + 1, size - 1);
        }
    }
    uint32_t now_ms = sys_now();
    if (now_ms - checked_ms >= TIMEOUTS_MS) {
        checked_ms = now_ms;
        sys_check_timeouts();
        station_check(now_ms);
    }
}
