// The radio's functions of the SDK, over the access point that a board started with a network has in reach.
//
// A station joins it by name and password, gets an address by lwIP's DHCP, tries again each second where it is refused or thrown
// out, as the SDK does. The access point of the device itself has its settings, and nobody in it.

#include <string.h>

#include "link.h"
#include "radio.h"
#include "user_interface.h"

#include "lwip/dhcp.h"
#include "lwip/sys.h"

#define vboard_net_is_there ((bool (*)(void))0x4000ff50)

#define RETRY_MS 1000
#define SCAN_MS 1500
#define RSSI (-50)

static struct {
    uint8 mode;
    uint8 status;  // STATION_...
    bool is_wanted, is_joined, has_static_address;
    uint32_t tried_ms;
    struct station_config station;
    struct softap_config ap;
    struct ip_info ap_address;
    scan_done_cb_t scan_done;
    uint32_t scan_ms;
    uint8 channel, phy;
    enum sleep_type sleep;
} wifi = { .mode = SOFTAP_MODE, .channel = 1, .phy = PHY_MODE_11N, .sleep = MODEM_SLEEP_T };

void ICACHE_FLASH_ATTR wifi_start(void) {
    static const uint8_t mac[6] = { 0x5c, 0xcf, 0x7f, 0x82, 0x66, 0x00 };
    for (int i = 0; i < 6; i++) {
        link_netif.hwaddr[i] = ((volatile const uint8_t *)mac)[i];
    }
    IP4_ADDR(&wifi.ap_address.ip, 192, 168, 4, 1);
    IP4_ADDR(&wifi.ap_address.netmask, 255, 255, 255, 0);
    wifi.ap_address.gw = wifi.ap_address.ip;
    wifi.ap.channel = 1;
    wifi.ap.authmode = AUTH_OPEN;
    netif_set_up(&link_netif);
}

// --- joining and leaving ----------------------------------------------------------------------------------

static void ICACHE_FLASH_ATTR join(uint32_t now_ms) {
    char text[sizeof(wifi.station.ssid) + sizeof(wifi.station.password) + 2];
    memset(text, 0, sizeof(text));
    memcpy(text, wifi.station.ssid, sizeof(wifi.station.ssid));
    size_t size = strlen(text) + 1;
    memcpy(text + size, wifi.station.password, sizeof(wifi.station.password));
    size += strlen(text + size) + 1;
    wifi.tried_ms = now_ms;
    link_send('J', text, size);
}

static void ICACHE_FLASH_ATTR on_link_lost(uint8 status) {
    wifi.status = status;
    wifi.is_joined = false;
    if (!wifi.has_static_address) {
        dhcp_release_and_stop(&link_netif);
    }
    netif_set_link_down(&link_netif);
}

static void ICACHE_FLASH_ATTR on_joined(void) {
    wifi.is_joined = true;
    wifi.status = STATION_CONNECTING;
    netif_set_link_up(&link_netif);
    if (!wifi.has_static_address) {
        dhcp_start(&link_netif);
    }
}

static void ICACHE_FLASH_ATTR finish_scan(const uint8_t *name, uint32_t size) {
    struct bss_info found;
    memset(&found, 0, sizeof(found));
    scan_done_cb_t done = wifi.scan_done;
    wifi.scan_done = NULL;
    if (size > 0 && size <= sizeof(found.ssid)) {
        memcpy(found.ssid, name, size);
        found.ssid_len = (uint8)size;
        found.channel = 6;
        found.rssi = RSSI;
        found.authmode = AUTH_WPA2_PSK;
    }
    done(found.ssid_len > 0 ? &found : NULL, OK);
}

void ICACHE_FLASH_ATTR wifi_take(uint8_t kind, const uint8_t *data, uint32_t size) {
    if (kind == 'Q' && wifi.scan_done != NULL) {
        finish_scan(data, size);
    } else if (kind == 'S' && size == 1 && wifi.is_wanted) {
        if (data[0] == 0) {
            on_joined();
        } else {
            on_link_lost(data[0]);
        }
    }
}

void ICACHE_FLASH_ATTR wifi_check(uint32_t now_ms) {
    if (wifi.scan_done != NULL && now_ms - wifi.scan_ms >= SCAN_MS) {
        finish_scan(NULL, 0);
    }
    if (!wifi.is_wanted) {
        return;
    }
    if (!wifi.is_joined && now_ms - wifi.tried_ms >= RETRY_MS) {
        join(now_ms);
        if (!vboard_net_is_there()) {
            wifi.status = STATION_NO_AP_FOUND;
        }
    }
    if (wifi.is_joined) {
        bool has_address = wifi.has_static_address || dhcp_supplied_address(&link_netif);
        wifi.status = has_address ? STATION_GOT_IP : STATION_CONNECTING;
    }
}

bool ICACHE_FLASH_ATTR wifi_station_connect(void) {
    if (!(wifi.mode & STATION_MODE)) {
        return false;
    }
    wifi_station_disconnect();
    wifi.is_wanted = true;
    wifi.status = STATION_CONNECTING;
    join(sys_now());
    return true;
}

bool ICACHE_FLASH_ATTR wifi_station_disconnect(void) {
    if (wifi.is_wanted) {
        link_send('L', NULL, 0);
        on_link_lost(STATION_IDLE);
    }
    wifi.is_wanted = false;
    return true;
}

uint8 ICACHE_FLASH_ATTR wifi_station_get_connect_status(void) {
    return wifi.status;
}

sint8 ICACHE_FLASH_ATTR wifi_station_get_rssi(void) {
    return wifi.is_joined ? RSSI : 31;  // 31: there is none
}

// As the SDK's, the result comes later.
bool ICACHE_FLASH_ATTR wifi_station_scan(struct scan_config *config, scan_done_cb_t done) {
    (void)config;
    wifi.scan_done = done;
    wifi.scan_ms = sys_now();
    link_send('Q', NULL, 0);
    return true;
}

// --- settings -----------------------------------------------------------------------------------------------

uint8 ICACHE_FLASH_ATTR wifi_get_opmode(void) {
    return wifi.mode;
}

bool ICACHE_FLASH_ATTR wifi_set_opmode(uint8 mode) {
    if (!(mode & STATION_MODE)) {
        wifi_station_disconnect();
    }
    wifi.mode = mode;
    return true;
}

bool ICACHE_FLASH_ATTR wifi_station_get_config(struct station_config *config) {
    *config = wifi.station;
    return true;
}

bool ICACHE_FLASH_ATTR wifi_station_set_config(struct station_config *config) {
    wifi.station = *config;
    return true;
}

bool ICACHE_FLASH_ATTR wifi_station_set_hostname(char *name) {
    netif_set_hostname(&link_netif, name);
    return true;
}

bool ICACHE_FLASH_ATTR wifi_softap_get_config(struct softap_config *config) {
    *config = wifi.ap;
    return true;
}

bool ICACHE_FLASH_ATTR wifi_softap_set_config(struct softap_config *config) {
    wifi.ap = *config;
    return true;
}

bool ICACHE_FLASH_ATTR wifi_get_ip_info(uint8 interface, struct ip_info *info) {
    if (interface == SOFTAP_IF) {
        *info = wifi.ap_address;
    } else {
        *info = (struct ip_info){ link_netif.ip_addr, link_netif.netmask, link_netif.gw };
    }
    return true;
}

bool ICACHE_FLASH_ATTR wifi_set_ip_info(uint8 interface, struct ip_info *info) {
    if (interface == SOFTAP_IF) {
        wifi.ap_address = *info;
    } else {
        netif_set_addr(&link_netif, &info->ip, &info->netmask, &info->gw);
    }
    return true;
}

bool ICACHE_FLASH_ATTR wifi_station_dhcpc_start(void) {
    wifi.has_static_address = false;
    if (wifi.is_joined) {
        dhcp_start(&link_netif);
    }
    return true;
}

bool ICACHE_FLASH_ATTR wifi_station_dhcpc_stop(void) {
    wifi.has_static_address = true;
    dhcp_release_and_stop(&link_netif);
    return true;
}

enum dhcp_status ICACHE_FLASH_ATTR wifi_station_dhcpc_status(void) {
    return wifi.has_static_address ? DHCP_STOPPED : DHCP_STARTED;
}

bool ICACHE_FLASH_ATTR wifi_get_macaddr(uint8 interface, uint8 *mac) {
    memcpy(mac, link_netif.hwaddr, 6);
    mac[0] |= interface == SOFTAP_IF ? 2 : 0;
    return true;
}

bool ICACHE_FLASH_ATTR wifi_set_macaddr(uint8 interface, uint8 *mac) {
    if (interface == STATION_IF) {
        memcpy(link_netif.hwaddr, mac, 6);
    }
    return true;
}

uint8 ICACHE_FLASH_ATTR wifi_get_channel(void) {
    return wifi.channel;
}

bool ICACHE_FLASH_ATTR wifi_set_channel(uint8 channel) {
    wifi.channel = channel;
    return true;
}

uint8 ICACHE_FLASH_ATTR wifi_get_phy_mode(void) {
    return wifi.phy;
}

bool ICACHE_FLASH_ATTR wifi_set_phy_mode(uint8 mode) {
    wifi.phy = mode;
    return true;
}

enum sleep_type ICACHE_FLASH_ATTR wifi_get_sleep_type(void) {
    return wifi.sleep;
}

bool ICACHE_FLASH_ATTR wifi_set_sleep_type(enum sleep_type type) {
    wifi.sleep = type;
    return true;
}

// --- what nothing comes of: nobody is in the device's own access point, and power is not modelled --------------

uint8 ICACHE_FLASH_ATTR wifi_softap_get_station_num(void) {
    return 0;
}

struct station_info *ICACHE_FLASH_ATTR wifi_softap_get_station_info(void) {
    return NULL;
}

void ICACHE_FLASH_ATTR wifi_softap_free_station_info(void) {
}

bool ICACHE_FLASH_ATTR wifi_softap_dhcps_start(void) {
    return true;
}

bool ICACHE_FLASH_ATTR wifi_softap_dhcps_stop(void) {
    return true;
}

enum dhcp_status ICACHE_FLASH_ATTR wifi_softap_dhcps_status(void) {
    return DHCP_STARTED;
}

void ICACHE_FLASH_ATTR system_phy_set_max_tpw(uint8 quarters_of_dbm) {
    (void)quarters_of_dbm;
}

void ICACHE_FLASH_ATTR wifi_fpm_set_sleep_type(enum sleep_type type) {
    (void)type;
}

void ICACHE_FLASH_ATTR wifi_fpm_open(void) {
}

void ICACHE_FLASH_ATTR wifi_fpm_close(void) {
}

sint8 ICACHE_FLASH_ATTR wifi_fpm_do_sleep(uint32 us) {
    (void)us;
    return 0;
}

void ICACHE_FLASH_ATTR wifi_fpm_do_wakeup(void) {
}
