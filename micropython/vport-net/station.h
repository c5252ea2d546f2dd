// A station of the virtual boards' access point: joins it by name and password, gets an address by lwIP's DHCP, tries again each second
// where it is refused or thrown out, as the vendors' SDKs do.
#ifndef VNET_STATION_H
#define VNET_STATION_H

#include <stdbool.h>
#include <stdint.h>

// The numbers of the ESP8266's SDK.
enum { LINK_IDLE, LINK_CONNECTING, LINK_WRONG_PASSWORD, LINK_NOT_FOUND, LINK_FAILED, LINK_GOT_ADDRESS };

enum { STATION_NAME_MAX = 32, STATION_PASSWORD_MAX = 64, STATION_RSSI = -50, STATION_CHANNEL = 6 };

// Both end with a 0, or with their longest.
void station_connect(const char *name, const char *password);
void station_disconnect(void);

uint8_t station_status(void);
uint32_t station_name(char name[STATION_NAME_MAX]);  // of the access point that is or was wanted; its bytes
bool station_is_joined(void);

// The address is what the program has set; or again what DHCP gives.
void station_set_static(bool is_static);
bool station_is_static(void);

// Look who is there: later `done` is called with the access point's name, of size 0 if there is none.
void station_scan(void (*done)(const uint8_t *name, uint32_t size));

// For link.c: a message from the access point, and the time.
void station_take(uint8_t kind, const uint8_t *data, uint32_t size);
void station_check(uint32_t now_ms);

#endif  // VNET_STATION_H
