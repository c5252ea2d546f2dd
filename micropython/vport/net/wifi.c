// The radio's functions of the ESP8266's SDK, over a station of the virtual boards' access point. The access point of the device itself
// has its settings, and nobody in it.

#include <string.h>

#include "link.h"
#include "mem.h"
#include "radio.h"
#include "sdk/sdk.h"
#include "station.h"
#include "user_interface.h"

#include "lwip/mem.h"
#include "lwip/stats.h"

static struct {
    uint8 mode;
    struct station_config station;
    struct softap_config ap;
    struct ip_info ap_address;
    scan_done_cb_t scan_done;
    uint8 channel, phy;
    enum sleep_type sleep;
} wifi = { .mode = SOFTAP_MODE, .channel = 1, .phy = PHY_MODE_11N, .sleep = MODEM_SLEEP_T };

void ICACHE_FLASH_ATTR sdk_net_start(void) {
    static const uint8_t mac[6] = { 0x5c, 0xcf, 0x7f, 0x82, 0x66, 0x00 };
    IP4_ADDR(&wifi.ap_address.ip, 192, 168, 4, 1);
    IP4_ADDR(&wifi.ap_address.netmask, 255, 255, 255, 0);
    wifi.ap_address.gw = wifi.ap_address.ip;
    wifi.ap.channel = 1;
    wifi.ap.authmode = AUTH_OPEN;
    link_start(mac);
}

void ICACHE_FLASH_ATTR sdk_net_poll(void) {
    link_poll();
}

// --- joining and leaving ----------------------------------------------------------------------------------

bool ICACHE_FLASH_ATTR wifi_station_connect(void) {
    if (!(wifi.mode & STATION_MODE)) {
        return false;
    }
    station_connect((const char *)wifi.station.ssid, (const char *)wifi.station.password);
    return true;
}

bool ICACHE_FLASH_ATTR wifi_station_disconnect(void) {
    station_disconnect();
    return true;
}

uint8 ICACHE_FLASH_ATTR wifi_station_get_connect_status(void) {
    return station_status();
}

sint8 ICACHE_FLASH_ATTR wifi_station_get_rssi(void) {
    return station_is_joined() ? STATION_RSSI : 31;  // 31: there is none
}

static void ICACHE_FLASH_ATTR finish_scan(const uint8_t *name, uint32_t size) {
    struct bss_info found;
    memset(&found, 0, sizeof(found));
    memcpy(found.ssid, name, size);
    found.ssid_len = (uint8)size;
    found.channel = STATION_CHANNEL;
    found.rssi = STATION_RSSI;
    found.authmode = AUTH_WPA2_PSK;
    wifi.scan_done(size > 0 ? &found : NULL, OK);
}

// As the SDK's, the result comes later.
bool ICACHE_FLASH_ATTR wifi_station_scan(struct scan_config *config, scan_done_cb_t done) {
    (void)config;
    wifi.scan_done = done;
    station_scan(finish_scan);
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
    station_set_static(false);
    return true;
}

bool ICACHE_FLASH_ATTR wifi_station_dhcpc_stop(void) {
    station_set_static(true);
    return true;
}

enum dhcp_status ICACHE_FLASH_ATTR wifi_station_dhcpc_status(void) {
    return station_is_static() ? DHCP_STOPPED : DHCP_STARTED;
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

// --- the SDK's heap, which on a chip is lwIP's, too -------------------------------------------------------------

uint32 ICACHE_FLASH_ATTR system_get_free_heap_size(void) {
    return MEM_SIZE - lwip_stats.mem.used;
}

void *ICACHE_FLASH_ATTR os_malloc(size_t size) {
    return mem_malloc((mem_size_t)size);
}

void ICACHE_FLASH_ATTR os_free(void *ptr) {
    mem_free(ptr);
}
