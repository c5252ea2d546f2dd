// A station: see station.h.
#include "station.h"

#include <string.h>

#include "link.h"

#include "lwip/dhcp.h"
#include "lwip/sys.h"

#define RETRY_MS 1000
#define SCAN_MS 1500

static struct {
    uint8_t status;
    bool is_wanted, is_joined, is_static;
    uint32_t tried_ms;
    char name[STATION_NAME_MAX], password[STATION_PASSWORD_MAX];
    void (*scan_done)(const uint8_t *name, uint32_t size);
    uint32_t scan_ms;
} station;

static void NET_CODE join(uint32_t now_ms) {
    char text[STATION_NAME_MAX + STATION_PASSWORD_MAX + 2];
    memset(text, 0, sizeof(text));
    memcpy(text, station.name, sizeof(station.name));
    size_t size = strlen(text) + 1;
    memcpy(text + size, station.password, sizeof(station.password));
    size += strlen(text + size) + 1;
    station.tried_ms = now_ms;
    link_send(NET_JOIN, text, size);
}

static void NET_CODE on_link_lost(uint8_t status) {
    station.status = status;
    station.is_joined = false;
    if (!station.is_static) {
        dhcp_release_and_stop(&link_netif);
    }
    netif_set_link_down(&link_netif);
}

static void NET_CODE on_joined(void) {
    station.is_joined = true;
    station.status = LINK_CONNECTING;
    netif_set_link_up(&link_netif);
    if (!station.is_static) {
        dhcp_start(&link_netif);
    }
}

static void NET_CODE finish_scan(const uint8_t *name, uint32_t size) {
    void (*done)(const uint8_t *, uint32_t) = station.scan_done;
    station.scan_done = NULL;
    done(name, size <= STATION_NAME_MAX ? size : 0);
}

void NET_CODE station_take(uint8_t kind, const uint8_t *data, uint32_t size) {
    if (kind == NET_SCAN && station.scan_done != NULL) {
        finish_scan(data, size);
    } else if (kind == NET_STATUS && size == 1 && station.is_wanted) {
        if (data[0] == NET_JOINED) {
            on_joined();
        } else {
            on_link_lost(data[0]);
        }
    }
}

void NET_CODE station_check(uint32_t now_ms) {
    if (station.scan_done != NULL && now_ms - station.scan_ms >= SCAN_MS) {
        finish_scan(NULL, 0);
    }
    if (!station.is_wanted) {
        return;
    }
    if (!station.is_joined && now_ms - station.tried_ms >= RETRY_MS) {
        join(now_ms);
        if (!vboard_net_is_there()) {
            station.status = LINK_NOT_FOUND;
        }
    }
    if (station.is_joined) {
        bool has_address = station.is_static || dhcp_supplied_address(&link_netif);
        station.status = has_address ? LINK_GOT_ADDRESS : LINK_CONNECTING;
    }
}

void NET_CODE station_connect(const char *name, const char *password) {
    station_disconnect();
    strncpy(station.name, name, sizeof(station.name));
    strncpy(station.password, password, sizeof(station.password));
    station.is_wanted = true;
    station.status = LINK_CONNECTING;
    join(sys_now());
}

void NET_CODE station_disconnect(void) {
    if (station.is_wanted) {
        link_send(NET_LEAVE, NULL, 0);
        on_link_lost(LINK_IDLE);
    }
    station.is_wanted = false;
}

uint8_t NET_CODE station_status(void) {
    return station.status;
}

uint32_t NET_CODE station_name(char name[STATION_NAME_MAX]) {
    uint32_t size = 0;
    while (size < STATION_NAME_MAX && station.name[size] != '\0') {
        name[size] = station.name[size];
        size++;
    }
    return size;
}

bool NET_CODE station_is_joined(void) {
    return station.is_joined;
}

void NET_CODE station_set_static(bool is_static) {
    station.is_static = is_static;
    if (is_static) {
        dhcp_release_and_stop(&link_netif);
    } else if (station.is_joined) {
        dhcp_start(&link_netif);
    }
}

bool NET_CODE station_is_static(void) {
    return station.is_static;
}

void NET_CODE station_scan(void (*done)(const uint8_t *name, uint32_t size)) {
    station.scan_done = done;
    station.scan_ms = sys_now();
    link_send(NET_SCAN, NULL, 0);
}
