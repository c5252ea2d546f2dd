// The virtual SDK: what Espressif's SDK provides to MicroPython's esp8266 port on a real chip.
//
// Real: start-up, flash access from IRAM with the flash cache off, restart and its cause, time, software
// timers, RTC memory. Elsewhere: the radio, which is absent (noradio.c) or not (../net). Absent: interrupts, tasks. It stands on mask-ROM functions at
// their true addresses (the port's linker script has them) and so asks of the board what the real SDK asks.

#include <string.h>

#include "ets_sys.h"
#include "osapi.h"
#include "sdk.h"
#include "user_interface.h"

#define CPU_MHZ 80
#define POLL_US 256  // how often the UART and the timers are looked at
#define RTC_WORDS 192
#define RTC_RST_INFO_WORD 0
#define ROM_POWER_ON_RESET 1
#define ROM_WATCHDOG_RESET 4

// The watchdog bites after 3.4 s, as the SDK's software watchdog does: the mask ROM knows no shorter time.
#define WDT_MODE 2
#define WDT_STAGE 3
#define WDT_FEED 0x60000914
#define WDT_FEED_VALUE 0x73

// The control register of the flash's SPI controller: divider of the clock
#define SPI_CTRL 0x60000208
#define SPI_CTRL_CLOCK 0xfff
#define SPI_CTRL_UNDIVIDED 0x1000

// Mask ROM
void Cache_Read_Disable(void);
void Cache_Read_Enable(uint8_t odd_even, uint8_t mb_count, uint8_t no_cur_pos);
uint32_t SPIRead(uint32_t addr, void *buf, uint32_t size);
uint32_t SPIWrite(uint32_t addr, const void *buf, uint32_t size);
uint32_t SPIEraseSector(uint32_t sector);
uint32_t rtc_get_reset_reason(void);
void software_reset(void);
uint32_t ets_get_cpu_frequency(void);
void ets_wdt_enable(uint32_t mode, uint32_t stage0, uint32_t stage1);
extern SpiFlashChip *flashchip;

// MicroPython's port
void user_init(void);
void ets_set_idle_cb(void (*handler)(void *), void *arg);

// Linker script
extern uint32_t _bss_start, _bss_end;

static void (*init_done)(void);
static struct rst_info rst_info;
static os_timer_t *timers;
static uint32_t time_us, time_ccount, ccount_per_us, poll_us;
static uint8_t cpu_mhz = CPU_MHZ;

// --- start-up -----------------------------------------------------------------------------------------

static void ICACHE_FLASH_ATTR run_timers(void) {
    uint32_t now = system_get_time();
    for (os_timer_t *t = timers; t != NULL; t = t->next) {
        if ((int32_t)(now - t->expire_us) < 0) {
            continue;
        }
        if (t->period_us == 0) {
            os_timer_disarm(t);
        } else {
            t->expire_us = now + t->period_us;
        }
        t->func(t->arg);
        return;  // the callback may have changed the list
    }
}

// The port calls this whenever it waits and every few bytecodes.
static void ICACHE_FLASH_ATTR on_idle(void *arg) {
    (void)arg;
    uint32_t now = system_get_time();
    if (now - poll_us >= POLL_US) {
        poll_us = now;
        sdk_uart_poll();
        sdk_net_poll();
        run_timers();
    }
}

// Who resets on purpose leaves the reason in RTC memory, which holds anything after power-on, also if a
// boot loader has reset the chip since.
static void ICACHE_FLASH_ATTR find_reset_reason(void) {
    struct rst_info none = { 0 };
    uint32_t rom_reason = rtc_get_reset_reason();
    if (rom_reason == ROM_WATCHDOG_RESET) {
        rst_info.reason = REASON_WDT_RST;
    } else if (rom_reason != ROM_POWER_ON_RESET) {
        system_rtc_mem_read(RTC_RST_INFO_WORD, &rst_info, sizeof(rst_info));
    }
    if (rst_info.reason > REASON_EXT_SYS_RST) {
        rst_info = none;
    }
    system_rtc_mem_write(RTC_RST_INFO_WORD, &none, sizeof(none));
}

static void ICACHE_FLASH_ATTR __attribute__((noreturn, used)) sdk_main(void) {
    find_reset_reason();
    // Without a reference the linker drops them.
    __asm__ volatile("" : : "r"(vport_ballast), "r"(vport_iram_ballast), "r"(vport_data_ballast));
    ets_wdt_enable(WDT_MODE, WDT_STAGE, WDT_STAGE);
    ets_set_idle_cb(on_idle, NULL);
    sdk_net_start();
    user_init();
    init_done();
    for (;;) {
    }
}

// Byte 3 of the image's header: the chip's size, and the flash's clock. The mask ROM does not look at it; it takes any chip
// for one of 4 MB and divides the 80 MHz by 4.
static void set_up_flash(void) {
    // Constants lie in mapped flash, which cannot be read yet. 0 is an unknown size.
    static __attribute__((section(".data"))) uint16_t kilobytes[16] = { 512, 256, 1024, 2048, 4096, 2048, 4096, 0, 8192, 16384 };
    static uint32_t header;
    SPIRead(0, &header, sizeof(header));
    uint32_t size = kilobytes[header >> 28], freq = header >> 24 & 15;
    if (size != 0) {
        flashchip->chip_size = size * 1024;
    }
    // The divider less 1, its half less 1, and again the former.
    uint32_t clock = freq == 0 ? 0x101 : freq == 1 ? 0x202 : freq == 15 ? SPI_CTRL_UNDIVIDED : 0x313;
    WRITE_PERI_REG(SPI_CTRL, (READ_PERI_REG(SPI_CTRL) & ~(SPI_CTRL_UNDIVIDED | SPI_CTRL_CLOCK)) | clock);
}

// Reached from the port's firmware_start(), in IRAM and with the flash cache still off.
static void __attribute__((noreturn, used)) sdk_start(void) {
    for (uint32_t *p = &_bss_start; p < &_bss_end; p++) {
        *p = 0;
    }
    __asm__ volatile("rsr %0, ccount" : "=a"(time_ccount));
    ccount_per_us = ets_get_cpu_frequency();
    set_up_flash();
    Cache_Read_Enable(0, 0, 1);
    sdk_main();
}

// The mask ROM's stack is given up for one at the very top of DRAM.
__asm__("    .section .text.call_user_start, \"ax\"\n"
        "    .literal_position\n"
        "    .align 4\n"
        "    .global call_user_start\n"
        "call_user_start:\n"
        "    movi a1, 0x3ffffff0\n"
        "    j sdk_start\n"
        "    .text\n");

void ICACHE_FLASH_ATTR system_timer_reinit(void) {
}

void ICACHE_FLASH_ATTR system_init_done_cb(void (*done)(void)) {
    init_done = done;
}

static void restart(uint32_t reason) {
    struct rst_info info = { .reason = reason };
    system_rtc_mem_write(RTC_RST_INFO_WORD, &info, sizeof(info));
    Cache_Read_Disable();
    software_reset();
    for (;;) {
    }
}

void ICACHE_FLASH_ATTR system_restart(void) {
    restart(REASON_SOFT_RESTART);
}

struct rst_info *ICACHE_FLASH_ATTR system_get_rst_info(void) {
    return &rst_info;
}

bool ICACHE_FLASH_ATTR system_deep_sleep_set_option(uint8 option) {
    (void)option;
    return true;
}

// Nobody wakes a virtual board up: it wakes at once.
bool ICACHE_FLASH_ATTR system_deep_sleep(uint64 us) {
    (void)us;
    restart(REASON_DEEP_SLEEP_AWAKE);
    return true;
}

// --- flash --------------------------------------------------------------------------------------------
// No code or constant of these functions may lie in mapped flash, and nothing else runs meanwhile: the
// virtual board has no interrupts.

SpiFlashOpResult spi_flash_read(uint32 addr, uint32 *buf, uint32 size) {
    Cache_Read_Disable();
    uint32_t err = SPIRead(addr, (void *)buf, size);
    Cache_Read_Enable(0, 0, 1);
    return (SpiFlashOpResult)err;
}

SpiFlashOpResult spi_flash_write(uint32 addr, uint32 *buf, uint32 size) {
    Cache_Read_Disable();
    uint32_t err = SPIWrite(addr, (void *)buf, size);
    Cache_Read_Enable(0, 0, 1);
    return (SpiFlashOpResult)err;
}

SpiFlashOpResult spi_flash_erase_sector(uint16 sector) {
    Cache_Read_Disable();
    uint32_t err = SPIEraseSector(sector);
    Cache_Read_Enable(0, 0, 1);
    return (SpiFlashOpResult)err;
}

uint32 ICACHE_FLASH_ATTR spi_flash_get_id(void) {
    return flashchip->deviceId;
}

// --- time ---------------------------------------------------------------------------------------------

// Microseconds since start-up, wrapping at 2^32. To be called at least once per wrap of the cycle
// counter (100 s), which the port's event loop does.
uint32 system_get_time(void) {
    uint32_t ccount;
    __asm__ volatile("rsr %0, ccount" : "=a"(ccount));
    uint32_t us = (ccount - time_ccount) / ccount_per_us;
    time_us += us;
    time_ccount += us * ccount_per_us;
    return time_us;
}

// The RTC's clock ticks once per microsecond here; the calibration has 12 fractional bits.
uint32 ICACHE_FLASH_ATTR system_get_rtc_time(void) {
    return system_get_time();
}

uint32 ICACHE_FLASH_ATTR system_rtc_clock_cali_proc(void) {
    return 1 << 12;
}

uint8 ICACHE_FLASH_ATTR system_get_cpu_freq(void) {
    return cpu_mhz;
}

// Only reported: the board's speed is the host's.
bool ICACHE_FLASH_ATTR system_update_cpu_freq(uint8 mhz) {
    cpu_mhz = mhz;
    return true;
}

void system_soft_wdt_feed(void) {
    WRITE_PERI_REG(WDT_FEED, WDT_FEED_VALUE);
}

void os_delay_us(uint16_t us) {
    uint32_t start = system_get_time();
    while (system_get_time() - start < us) {
    }
}

void ICACHE_FLASH_ATTR os_timer_setfn(os_timer_t *timer, os_timer_func_t *func, void *arg) {
    timer->func = func;
    timer->arg = arg;
}

void ICACHE_FLASH_ATTR os_timer_arm_us(os_timer_t *timer, uint32_t us, bool repeat) {
    os_timer_disarm(timer);
    timer->expire_us = system_get_time() + us;
    timer->period_us = repeat ? us : 0;
    timer->next = timers;
    timers = timer;
}

void ICACHE_FLASH_ATTR os_timer_arm(os_timer_t *timer, uint32_t ms, bool repeat) {
    os_timer_arm_us(timer, ms * 1000, repeat);
}

void ICACHE_FLASH_ATTR os_timer_disarm(os_timer_t *timer) {
    for (os_timer_t **p = &timers; *p != NULL; p = &(*p)->next) {
        if (*p == timer) {
            *p = timer->next;
            return;
        }
    }
}

// --- interrupts, peripherals, information -------------------------------------------------------------

void ets_intr_lock(void) {
}

void ets_intr_unlock(void) {
}

void ICACHE_FLASH_ATTR gpio_output_set(uint32 set, uint32 clear, uint32 enable, uint32 disable) {
    uint32_t base = PERIPHS_GPIO_BASEADDR;
    WRITE_PERI_REG(base + GPIO_OUT_ADDRESS, (READ_PERI_REG(base + GPIO_OUT_ADDRESS) & ~clear) | set);
    WRITE_PERI_REG(base + GPIO_ENABLE_ADDRESS, (READ_PERI_REG(base + GPIO_ENABLE_ADDRESS) & ~disable) | enable);
}

// Stands for the hardware random number generator. The cycle counter makes each run different, except where
// the run is meant to be repeatable.
uint32_t ICACHE_FLASH_ATTR vport_random(void) {
    static uint32_t state = 1;
    uint32_t ccount;
    __asm__ volatile("rsr %0, ccount" : "=a"(ccount));
    state ^= ccount;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

bool ICACHE_FLASH_ATTR system_rtc_mem_read(uint8 word, void *buf, uint16 size) {
    if (word * 4u + size > RTC_WORDS * 4) {
        return false;
    }
    memcpy(buf, (void *)(RTC_MEMORY_BASEADDR + word * 4u), size);
    return true;
}

bool ICACHE_FLASH_ATTR system_rtc_mem_write(uint8 word, const void *buf, uint16 size) {
    if (word * 4u + size > RTC_WORDS * 4) {
        return false;
    }
    memcpy((void *)(RTC_MEMORY_BASEADDR + word * 4u), buf, size);
    return true;
}

const char *ICACHE_FLASH_ATTR system_get_sdk_version(void) {
    return "virtual";
}

uint32 ICACHE_FLASH_ATTR system_get_chip_id(void) {
    return 0x00826600;
}

void ICACHE_FLASH_ATTR system_print_meminfo(void) {
}

uint16 ICACHE_FLASH_ATTR system_adc_read(void) {
    return 0;
}

uint16 ICACHE_FLASH_ATTR system_get_vdd33(void) {
    return 3300;
}

void ICACHE_FLASH_ATTR system_uart_swap(void) {
}

void ICACHE_FLASH_ATTR system_uart_de_swap(void) {
}

// --- data that the port finds by its place in the real SDK ------------------------------------------------

// The software watchdog's counter lies 6 words before pend_flag_noise_check.
static uint32_t soft_wdt[7] __attribute__((used));
__asm__("    .global pend_flag_noise_check\n"
        "    .set pend_flag_noise_check, soft_wdt + 24\n");

// The word before esf_rx_buf_alloc points to the lists of free radio buffers: five, all empty.
static void *radio_buffers[5] __attribute__((used));
__asm__("    .section .text.esf_rx_buf_alloc, \"ax\"\n"
        "    .align 4\n"
        "    .word radio_buffers\n"
        "    .global esf_rx_buf_alloc\n"
        "esf_rx_buf_alloc:\n"
        "    ret\n"
        "    .text\n");
