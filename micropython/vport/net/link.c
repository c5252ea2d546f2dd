// lwIP on the virtual board's network: frames in and out, lwIP's time and memory. What is on the SDK's side of lwIP on a chip.

#include <string.h>

#include "link.h"
#include "mem.h"
#include "sdk/sdk.h"
#include "user_interface.h"

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/mem.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip.h"
#include "lwip/prot/tcp.h"
#include "lwip/stats.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

// The board's own, where a chip has nothing. [vboard/esp8266/board.h has the messages]
#define vboard_net_send ((bool (*)(const void *from, uint32_t size))0x4000ff60)
#define vboard_net_receive ((uint32_t(*)(void *to, uint32_t size))0x4000ff70)

#define FRAME_MAX 1514
#define MESSAGES_AT_ONCE 4
#define TIMEOUTS_MS 10

struct netif link_netif;
static uint8_t message[1 + FRAME_MAX];

uint32_t mp_hal_ticks_ms(void);

u32_t ICACHE_FLASH_ATTR sys_now(void) {
    return mp_hal_ticks_ms();
}

void ICACHE_FLASH_ATTR vnet_failed(const char *what) {
    int ets_printf(const char *format, ...);
    ets_printf("lwIP: %s\n", what);
    for (;;) {
    }
}

// A frame that the board cannot take at once is lost, as in the air.
static err_t ICACHE_FLASH_ATTR send_frame(struct netif *netif, struct pbuf *p) {
    (void)netif;
    u16_t size = (u16_t)(p->tot_len - ETH_PAD_SIZE);
    if (size > FRAME_MAX) {
        return ERR_BUF;
    }
    message[0] = 'F';
    pbuf_copy_partial(p, message + 1, size, ETH_PAD_SIZE);
    vboard_net_send(message, size + 1);
    return ERR_OK;
}

// Whether a frame asks for a connection: a SYN alone, in IPv4.
static bool ICACHE_FLASH_ATTR is_connection_request(const uint8_t *frame, uint16_t size) {
    const uint8_t *ip = frame + SIZEOF_ETH_HDR - ETH_PAD_SIZE;
    uint16_t ip_size = (uint16_t)((ip[0] & 0xf) * 4);
    if (frame[12] != 8 || frame[13] != 0 || ip[9] != IP_PROTO_TCP || size < SIZEOF_ETH_HDR - ETH_PAD_SIZE + ip_size + TCP_HLEN) {
        return false;
    }
    return (ip[ip_size + 13] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

// The SDK's lwIP takes no connection while so many are there, those included that are being closed, but those not that only wait
// for the end of their time. lwIP 2.1 would close some of the former for it. [esp-open-lwip, tcp_listen_input()]
static bool ICACHE_FLASH_ATTR has_room_for_connection(void) {
    int count = 0;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        count++;
    }
    return count < MEMP_NUM_TCP_PCB;
}

static void ICACHE_FLASH_ATTR take_frame(uint16_t size) {
    if (is_connection_request(message + 1, size) && !has_room_for_connection()) {
        return;
    }
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)(size + ETH_PAD_SIZE), PBUF_POOL);
    if (p == NULL) {
        return;  // no room: lost
    }
    pbuf_take_at(p, message + 1, size, ETH_PAD_SIZE);
    if (link_netif.input(p, &link_netif) != ERR_OK) {
        pbuf_free(p);
    }
}

static err_t ICACHE_FLASH_ATTR set_up(struct netif *netif) {
    netif->name[0] = 'e';
    netif->name[1] = 'w';
    netif->mtu = 1500;
    netif->hwaddr_len = 6;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP;
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    return ERR_OK;
}

void ICACHE_FLASH_ATTR sdk_net_start(void) {
    lwip_init();
    netif_add_noaddr(&link_netif, NULL, set_up, ethernet_input);
    netif_set_default(&link_netif);
    wifi_start();
}

void ICACHE_FLASH_ATTR link_send(char kind, const void *data, uint32_t size) {
    message[0] = (uint8_t)kind;
    memcpy(message + 1, data, size);
    vboard_net_send(message, size + 1);
}

void ICACHE_FLASH_ATTR sdk_net_poll(void) {
    static uint32_t checked_ms;
    for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
        uint32_t size = vboard_net_receive(message, sizeof(message));
        if (size == 0) {
            break;
        }
        if (message[0] == 'F') {
            take_frame((uint16_t)(size - 1));
        } else {
            wifi_take(message[0], message + 1, size - 1);
        }
    }
    uint32_t now_ms = sys_now();
    if (now_ms - checked_ms >= TIMEOUTS_MS) {
        checked_ms = now_ms;
        sys_check_timeouts();
        wifi_check(now_ms);
    }
}

uint32 ICACHE_FLASH_ATTR system_get_free_heap_size(void) {
    return MEM_SIZE - lwip_stats.mem.used;
}

void *ICACHE_FLASH_ATTR os_malloc(size_t size) {
    return mem_malloc((mem_size_t)size);
}

void ICACHE_FLASH_ATTR os_free(void *ptr) {
    mem_free(ptr);
}
