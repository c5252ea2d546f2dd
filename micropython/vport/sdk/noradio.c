// The radio where there is none, and with it no lwIP and no SDK heap.

#include "mem.h"
#include "sdk.h"
#include "user_interface.h"

static enum sleep_type sleep_type = MODEM_SLEEP_T;

void ICACHE_FLASH_ATTR sdk_net_start(void) {
}

void ICACHE_FLASH_ATTR sdk_net_poll(void) {
}

uint32 ICACHE_FLASH_ATTR system_get_free_heap_size(void) {
    return 0;
}

void *ICACHE_FLASH_ATTR os_malloc(size_t size) {
    (void)size;
    return NULL;
}

void ICACHE_FLASH_ATTR os_free(void *ptr) {
    (void)ptr;
}

uint8 ICACHE_FLASH_ATTR wifi_get_opmode(void) {
    return NULL_MODE;
}

enum sleep_type ICACHE_FLASH_ATTR wifi_get_sleep_type(void) {
    return sleep_type;
}

bool ICACHE_FLASH_ATTR wifi_set_sleep_type(enum sleep_type type) {
    sleep_type = type;
    return true;
}

void ICACHE_FLASH_ATTR wifi_fpm_set_sleep_type(enum sleep_type type) {
    sleep_type = type;
}

void ICACHE_FLASH_ATTR wifi_fpm_open(void) {
}

sint8 ICACHE_FLASH_ATTR wifi_fpm_do_sleep(uint32 us) {
    (void)us;
    return 0;
}
