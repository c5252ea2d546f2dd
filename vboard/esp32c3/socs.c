// The chips that the board can have.
//
// [Technical Reference Manual of each; ESP-IDF: soc/soc.h, soc/ext_mem_defs.h, soc/reg_base.h, soc/rtc_cntl_reg.h or soc/lp_wdt_reg.h,
// soc/efuse_reg.h, hal/mmu_ll.h, esp_rom/<chip>/ld, bootloader.memory.ld.in of each]
#include <stddef.h>
#include <string.h>

#include "board.h"
#include "host.h"
#include "rom_functions.h"

#define KB 1024u

// Bits of soc->done. [I2C_MST_ANA_CONF0_REG, UART_REG_UPDATE_REG, PCR_BUS_CLK_UPDATE_REG]
#define PLL_CALIBRATED 0x01000000u
#define UART_UPDATE 1u
#define BUS_CLOCK_UPDATE 1u

#define ROM_ENTRY(vaddr, name) { vaddr, #name, rom_##name },
#define ROM_QUIET(vaddr, name) { vaddr, #name, NULL },
static const struct rom_entry entries_c3[] = {
#include "rom_entries.h"
};
static const struct rom_entry entries_c2[] = {
#include "rom_entries_c2.h"
};
static const struct rom_entry entries_c6[] = {
#include "rom_entries_c6.h"
};
static const struct rom_entry entries_h2[] = {
#include "rom_entries_h2.h"
};
#define ENTRIES(table) .entries = table, .entry_count = sizeof table / sizeof table[0]

static const struct soc socs[] = {
    {
        .name = "esp32c3",
        .banner = "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021",
        .chip_id = 5,
        .dram_vaddr = 0x3fc80000,
        .iram_vaddr = 0x40380000,
        .ram_size = 384 * KB,
        .cache_ram_vaddr = 0x4037c000,
        .cache_ram_size = 16 * KB,
        .rtc_ram_vaddr = 0x50000000,
        .rtc_ram_size = 8 * KB,
        .rom_size = 384 * KB,
        .rom_code_size = 384 * KB,
        .rom_data_vaddr = 0x3ff00000,
        .rom_data_size = 128 * KB,
        .rom_stack_vaddr = 0x3fcde710,
        .rom_flash_data_vaddr = 0x3fcdfd00,
        .rom_flash_pointer_vaddr = 0x3fcdfff0,
        .kept_code_vaddr = 0x403ce710,
        .kept_data_vaddr = 0x3fcd5710,
        .window_i_vaddr = 0x42000000,
        .window_d_vaddr = 0x3c000000,
        .mmu_entries = 128,
        .mmu_page_mask = 0xff,
        .mmu_invalid = 0x100,
        .mmu_table_vaddr = 0x600c5000,
        .cache_enable_vaddr = 0x600c4000,
        .cache_shut_vaddr = 0x600c4004,
        .spi1_vaddr = 0x60002000,
        .efuse_vaddr = 0x60008800,
        .timer0_vaddr = 0x6001f000,
        .systimer_vaddr = 0x60023000,
        .random_vaddr = 0x600260b0,
        .rtc_vaddr = 0x60008000,
        .rtc_size = 0x800,
        .reset_vaddr = 0x60008000,
        .reset_bit = 0x80000000,
        .reset_cpu_vaddr = 0x60008000,
        .reset_cpu_bit = 0x20,
        .cause_vaddr = 0x60008038,
        .watchdog_config_vaddr = 0x60008090,
        .watchdog_hold_vaddr = 0x60008094,
        .watchdog_feed_vaddr = 0x600080a4,
        .watchdog_key_vaddr = 0x600080a8,
        .super_config_vaddr = 0x600080ac,
        .super_key_vaddr = 0x600080b0,
        .super_key = 0x8f1d312a,
        .super_auto_feed = 0x80000000,
        .super_disable = 0x40000000,
        .super_feed = 0x20000000,
        // v0.4, eFuses v1.3
        .revision_minor = { 0x50, 18, 3 },
        .revision_minor_high = { 0x58, 23, 1 },
        .revision_major = { 0x58, 24, 2 },
        .block_minor = { 0x50, 24, 3 },
        .block_major = { 0x6c, 0, 2 },
        .burnt = { { 0x50, 0x03100000 }, { 0x6c, 1 } },
        ENTRIES(entries_c3),
    },
    {
        .name = "esp32c2",
        .banner = "ESP-ROM:esp8684-api2-20220127\r\nBuild:Jan 27 2022",
        .chip_id = 12,
        .dram_vaddr = 0x3fca0000,
        .iram_vaddr = 0x40380000,
        .ram_size = 256 * KB,
        .cache_ram_vaddr = 0x4037c000,
        .cache_ram_size = 16 * KB,
        .rom_size = 576 * KB,
        .rom_code_size = 576 * KB,
        .rom_data_vaddr = 0x3ff00000,
        .rom_data_size = 320 * KB,
        .rom_stack_vaddr = 0x3fcdeb70,
        .rom_flash_data_vaddr = 0x3fcdfd00,
        .rom_flash_pointer_vaddr = 0x3fcdfff0,
        .kept_code_vaddr = 0x403aeb70,
        .kept_data_vaddr = 0x3fcd5b70,
        .window_i_vaddr = 0x42000000,
        .window_d_vaddr = 0x3c000000,
        .mmu_entries = 64,
        .mmu_page_mask = 0x3f,
        .mmu_invalid = 0x40,
        .mmu_table_vaddr = 0x600c5000,
        .mmu_page_size_vaddr = 0x600c40c8,
        .mmu_page_sizes = { 16 * KB, 32 * KB, 64 * KB, 64 * KB },
        .cache_enable_vaddr = 0x600c4000,
        .cache_shut_vaddr = 0x600c4004,
        .spi1_vaddr = 0x60002000,
        .efuse_vaddr = 0x60008800,
        .timer0_vaddr = 0x6001f000,
        .systimer_vaddr = 0x60023000,
        .random_vaddr = 0x600260b0,
        .done = { { 0x6004e840, PLL_CALIBRATED, 0 } },
        .rtc_vaddr = 0x60008000,
        .rtc_size = 0x800,
        .reset_vaddr = 0x60008000,
        .reset_bit = 0x80000000,
        .reset_cpu_vaddr = 0x60008000,
        .reset_cpu_bit = 0x20,
        .cause_vaddr = 0x60008030,
        .watchdog_config_vaddr = 0x60008084,
        .watchdog_hold_vaddr = 0x60008088,
        .watchdog_feed_vaddr = 0x60008098,
        .watchdog_key_vaddr = 0x6000809c,
        .super_config_vaddr = 0x600080a0,
        .super_key_vaddr = 0x600080a4,
        .super_key = 0x8f1d312a,
        .super_auto_feed = 0x80000000,
        .super_disable = 0x40000000,
        .super_feed = 0x20000000,
        // v1.2, eFuses v0.1
        .revision_minor = { 0x44, 16, 4 },
        .revision_major = { 0x44, 20, 2 },
        .block_minor = { 0x44, 25, 3 },
        .block_major = { 0x44, 28, 2 },
        .burnt = { { 0x44, 0x02120000 } },
        ENTRIES(entries_c2),
    },
    {
        .name = "esp32c6",
        .banner = "ESP-ROM:esp32c6-20220919\r\nBuild:Sep 19 2022",
        .chip_id = 13,
        .dram_vaddr = 0x40800000,
        .iram_vaddr = 0x40800000,
        .ram_size = 512 * KB,
        .rtc_ram_vaddr = 0x50000000,
        .rtc_ram_size = 16 * KB,
        .rom_size = 320 * KB,
        .rom_code_size = 256 * KB,
        .rom_stack_vaddr = 0x4087e610,
        .rom_flash_data_vaddr = 0x4087fd00,
        .rom_flash_pointer_vaddr = 0x4087ffec,
        .kept_code_vaddr = 0x4086e610,
        .kept_data_vaddr = 0x40875610,
        .window_i_vaddr = 0x42000000,
        .window_d_vaddr = 0x42000000,
        .mmu_entries = 256,
        .mmu_page_mask = 0x1ff,
        .mmu_valid = 0x200,
        .mmu_index_vaddr = 0x60002380,
        .mmu_content_vaddr = 0x6000237c,
        .mmu_page_size_vaddr = 0x60002384,
        .mmu_page_sizes = { 64 * KB, 32 * KB, 16 * KB, 8 * KB },
        .cache_shut_vaddr = 0x600c8004,
        .spi1_vaddr = 0x60003000,
        .efuse_vaddr = 0x600b0800,
        .timer0_vaddr = 0x60008000,
        .systimer_vaddr = 0x6000a000,
        .random_vaddr = 0x600b2808,
        .done = { { 0x600af818, PLL_CALIBRATED, 0 }, { 0x60000098, 0, UART_UPDATE } },
        .rtc_vaddr = 0x600b0000,
        .rtc_size = 0x3000,
        .reset_vaddr = 0x600b1034,
        .reset_bit = 0x80000000,
        .reset_cpu_vaddr = 0x600b1038,
        .reset_cpu_bit = 0x10000000,
        .cause_vaddr = 0x600b0410,
        .watchdog_config_vaddr = 0x600b1c00,
        .watchdog_hold_vaddr = 0x600b1c04,
        .watchdog_feed_vaddr = 0x600b1c14,
        .watchdog_key_vaddr = 0x600b1c18,
        .super_config_vaddr = 0x600b1c1c,
        .super_key_vaddr = 0x600b1c20,
        .super_key = 0x50d83aa1,
        .super_auto_feed = 0x00040000,
        .super_disable = 0x40000000,
        .super_feed = 0x80000000,
        // v0.0, eFuses v0.1
        .revision_minor = { 0x50, 18, 4 },
        .revision_major = { 0x50, 22, 2 },
        .block_minor = { 0x50, 27, 3 },
        .block_major = { 0x50, 30, 2 },
        .burnt = { { 0x50, 0x08000000 } },
        ENTRIES(entries_c6),
    },
    {
        .name = "esp32h2",
        .banner = "ESP-ROM:esp32h2-20221101\r\nBuild:Nov  1 2022",
        .chip_id = 16,
        .dram_vaddr = 0x40800000,
        .iram_vaddr = 0x40800000,
        .ram_size = 320 * KB,
        .rtc_ram_vaddr = 0x50000000,
        .rtc_ram_size = 4 * KB,
        .rom_size = 128 * KB,
        .rom_code_size = 64 * KB,
        .rom_stack_vaddr = 0x4084f380,
        .rom_flash_data_vaddr = 0x4084fd00,
        .rom_flash_pointer_vaddr = 0x4084ffec,
        .kept_code_vaddr = 0x4083efd0,
        .kept_data_vaddr = 0x40845fd0,
        .window_i_vaddr = 0x42000000,
        .window_d_vaddr = 0x42000000,
        .mmu_entries = 256,
        .mmu_page_mask = 0x1ff,
        .mmu_valid = 0x200,
        .mmu_index_vaddr = 0x60002380,
        .mmu_content_vaddr = 0x6000237c,
        .mmu_page_size_vaddr = 0x60002384,
        .mmu_page_sizes = { 64 * KB, 32 * KB, 16 * KB, 8 * KB },
        .cache_shut_vaddr = 0x600c8004,
        .spi1_vaddr = 0x60003000,
        .efuse_vaddr = 0x600b0800,
        .timer0_vaddr = 0x60009000,
        .systimer_vaddr = 0x6000b000,
        .random_vaddr = 0x600b2808,
        .done = { { 0x600ad818, PLL_CALIBRATED, 0 }, { 0x60000098, 0, UART_UPDATE }, { 0x60096148, 0, BUS_CLOCK_UPDATE } },
        .rtc_vaddr = 0x600b0000,
        .rtc_size = 0x3000,
        .reset_vaddr = 0x600b1034,
        .reset_bit = 0x80000000,
        .reset_cpu_vaddr = 0x600b1038,
        .reset_cpu_bit = 0x10000000,
        .cause_vaddr = 0x600b0410,
        .watchdog_config_vaddr = 0x600b1c00,
        .watchdog_hold_vaddr = 0x600b1c04,
        .watchdog_feed_vaddr = 0x600b1c18,
        .watchdog_key_vaddr = 0x600b1c1c,
        .super_config_vaddr = 0x600b1c20,
        .super_key_vaddr = 0x600b1c24,
        .super_key = 0x50d83aa1,
        .super_auto_feed = 0x00040000,
        .super_disable = 0x40000000,
        .super_feed = 0x80000000,
        // v0.1, eFuses v0.1
        .revision_minor = { 0x50, 18, 3 },
        .revision_major = { 0x50, 21, 2 },
        .block_minor = { 0x6c, 2, 3 },
        .block_major = { 0x6c, 5, 2 },
        .burnt = { { 0x50, 0x00040000 }, { 0x6c, 0x04 } },
        ENTRIES(entries_h2),
    },
};

const struct soc *soc = &socs[0];

bool soc_choose(void) {
    const char *name = host_option("board");
    if (name == NULL) {
        return true;
    }
    for (unsigned i = 0; i < sizeof socs / sizeof socs[0]; i++) {
        if (strcmp(socs[i].name, name) == 0) {
            soc = &socs[i];
            return true;
        }
    }
    return false;
}
