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
    uint32 reason;
    uint32 exccause;
    uint32 epc1;
    uint32 epc2;
    uint32 epc3;
    uint32 excvaddr;
    uint32 depc;
};

// Start and end
void system_timer_reinit(void);
typedef void (*init_done_cb_t)(void);
void system_init_done_cb(init_done_cb_t done);
void system_restart(void);
struct rst_info *system_get_rst_info(void);
bool system_deep_sleep_set_option(uint8 option);
bool system_deep_sleep(uint64 us);

// Time
uint32 system_get_time(void);
uint32 system_get_rtc_time(void);
uint32 system_rtc_clock_cali_proc(void);
uint8 system_get_cpu_freq(void);
bool system_update_cpu_freq(uint8 mhz);
void system_soft_wdt_feed(void);

// RTC memory, in words from its start; the first 64 are the SDK's
bool system_rtc_mem_read(uint8 word, void *buf, uint16 size);
bool system_rtc_mem_write(uint8 word, const void *buf, uint16 size);

// Information
const char *system_get_sdk_version(void);
uint32 system_get_chip_id(void);
uint32 system_get_free_heap_size(void);
void system_print_meminfo(void);
uint16 system_adc_read(void);
uint16 system_get_vdd33(void);
void system_uart_swap(void);
void system_uart_de_swap(void);

// Radio. Where there is none the mode is always NULL_MODE.
enum { NULL_MODE = 0 };
enum sleep_type { NONE_SLEEP_T = 0, LIGHT_SLEEP_T = 1, MODEM_SLEEP_T = 2 };
uint8 wifi_get_opmode(void);
enum sleep_type wifi_get_sleep_type(void);
bool wifi_set_sleep_type(enum sleep_type type);
void wifi_fpm_set_sleep_type(enum sleep_type type);
void wifi_fpm_open(void);
sint8 wifi_fpm_do_sleep(uint32 us);

#if VPORT_NET
#include "radio.h"
#endif

#endif  // VSDK_USER_INTERFACE_H
