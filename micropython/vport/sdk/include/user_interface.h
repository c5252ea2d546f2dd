// The system calls of Espressif's SDK that MicroPython's port makes.
#ifndef VSDK_USER_INTERFACE_H
#define VSDK_USER_INTERFACE_H

#include "os_type.h"
#include "spi_flash.h"

enum rst_reason {
    REASON_DEFAULT_RST = 0,
    REASON_WDT_RST = 1,
    REASON_EXCEPTION_RST = 2,
    REASON_SOFT_WDT_RST = 3,
    REASON_SOFT_RESTART = 4,
    REASON_DEEP_SLEEP_AWAKE = 5,
    REASON_EXT_SYS_RST = 6,
};

struct rst_info {
    uint32_t reason;
    uint32_t exccause;
    uint32_t epc1;
    uint32_t epc2;
    uint32_t epc3;
    uint32_t excvaddr;
    uint32_t depc;
};

// Start and end
void system_timer_reinit(void);
void system_init_done_cb(void (*done)(void));
void system_restart(void);
struct rst_info *system_get_rst_info(void);
void system_deep_sleep_set_option(uint8_t option);
void system_deep_sleep(uint32_t us);

// Time
uint32_t system_get_time(void);
uint32_t system_get_rtc_time(void);
uint32_t system_rtc_clock_cali_proc(void);
uint8_t system_get_cpu_freq(void);
bool system_update_cpu_freq(uint8_t mhz);
void system_soft_wdt_feed(void);

// RTC memory, in words from its start; the first 64 are the SDK's
bool system_rtc_mem_read(uint8_t word, void *buf, uint16_t size);
bool system_rtc_mem_write(uint8_t word, const void *buf, uint16_t size);

// Information
const char *system_get_sdk_version(void);
uint32_t system_get_chip_id(void);
uint32_t system_get_free_heap_size(void);
void system_print_meminfo(void);
uint16_t system_adc_read(void);
uint16_t system_get_vdd33(void);
void system_uart_swap(void);
void system_uart_de_swap(void);

// Radio. There is none: the mode is always NULL_MODE.
enum { NULL_MODE = 0 };
enum sleep_type { NONE_SLEEP_T = 0, LIGHT_SLEEP_T = 1, MODEM_SLEEP_T = 2 };
uint8_t wifi_get_opmode(void);
enum sleep_type wifi_get_sleep_type(void);
bool wifi_set_sleep_type(enum sleep_type type);
void wifi_fpm_set_sleep_type(enum sleep_type type);
void wifi_fpm_open(void);
int8_t wifi_fpm_do_sleep(uint32_t us);

#endif // VSDK_USER_INTERFACE_H
