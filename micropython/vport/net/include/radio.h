// The SDK's radio, as far as MicroPython's network_wlan.c asks for it: a part of user_interface.h.
#ifndef VNET_RADIO_H
#define VNET_RADIO_H

#include "c_types.h"
#include "lwip/ip_addr.h"
#include "queue.h"

enum { STATION_IF = 0, SOFTAP_IF = 1 };
enum { STATION_MODE = 1, SOFTAP_MODE = 2, STATIONAP_MODE = 3 };
enum { STATION_IDLE, STATION_CONNECTING, STATION_WRONG_PASSWORD, STATION_NO_AP_FOUND, STATION_CONNECT_FAIL, STATION_GOT_IP };
enum { AUTH_OPEN, AUTH_WEP, AUTH_WPA_PSK, AUTH_WPA2_PSK, AUTH_WPA_WPA2_PSK };
enum { PHY_MODE_11B = 1, PHY_MODE_11G = 2, PHY_MODE_11N = 3 };
enum dhcp_status { DHCP_STOPPED, DHCP_STARTED };

struct station_config {
    uint8 ssid[32];
    uint8 password[64];
    uint8 bssid_set;
    uint8 bssid[6];
};

struct softap_config {
    uint8 ssid[32];
    uint8 password[64];
    uint8 ssid_len;
    uint8 channel;
    uint8 authmode;
    uint8 ssid_hidden;
    uint8 max_connection;
    uint16 beacon_interval;
};

struct bss_info {
    STAILQ_ENTRY(bss_info) next;
    uint8 bssid[6];
    uint8 ssid[32];
    uint8 ssid_len;
    uint8 channel;
    sint8 rssi;
    uint8 authmode;
    uint8 is_hidden;
};

struct scan_config {
    uint8 *ssid;
    uint8 *bssid;
    uint8 channel;
    uint8 show_hidden;
};

struct station_info {
    STAILQ_ENTRY(station_info) next;
    uint8 bssid[6];
    ip_addr_t ip;
};

struct ip_info {
    ip_addr_t ip;
    ip_addr_t netmask;
    ip_addr_t gw;
};

typedef void (*scan_done_cb_t)(void *result, STATUS status);

bool wifi_set_opmode(uint8 mode);
void wifi_fpm_do_wakeup(void);
void wifi_fpm_close(void);
bool wifi_station_get_config(struct station_config *config);
bool wifi_station_set_config(struct station_config *config);
bool wifi_station_set_hostname(char *name);
bool wifi_station_connect(void);
bool wifi_station_disconnect(void);
uint8 wifi_station_get_connect_status(void);
sint8 wifi_station_get_rssi(void);
bool wifi_station_scan(struct scan_config *config, scan_done_cb_t done);
bool wifi_station_dhcpc_start(void);
bool wifi_station_dhcpc_stop(void);
enum dhcp_status wifi_station_dhcpc_status(void);
bool wifi_softap_get_config(struct softap_config *config);
bool wifi_softap_set_config(struct softap_config *config);
uint8 wifi_softap_get_station_num(void);
struct station_info *wifi_softap_get_station_info(void);
void wifi_softap_free_station_info(void);
bool wifi_softap_dhcps_start(void);
bool wifi_softap_dhcps_stop(void);
enum dhcp_status wifi_softap_dhcps_status(void);
bool wifi_get_ip_info(uint8 interface, struct ip_info *info);
bool wifi_set_ip_info(uint8 interface, struct ip_info *info);
bool wifi_get_macaddr(uint8 interface, uint8 *mac);
bool wifi_set_macaddr(uint8 interface, uint8 *mac);
uint8 wifi_get_channel(void);
bool wifi_set_channel(uint8 channel);
uint8 wifi_get_phy_mode(void);
bool wifi_set_phy_mode(uint8 mode);
void system_phy_set_max_tpw(uint8 quarters_of_dbm);

#endif  // VNET_RADIO_H
