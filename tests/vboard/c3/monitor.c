// The program that the tests of the virtual ESP32-C3 run on it: it takes commands from the UART, one a line, words and hexadecimal
// numbers, and answers each with one line. rig.py speaks to it.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IN_FLASH __attribute__((section(".irom"), noinline))
#define LINE_SIZE 600
#define NUMBERS_MAX 80
#define REG(vaddr) (*(volatile uint32_t *)(vaddr))

int esp_rom_spiflash_read(uint32_t addr, void *buffer, uint32_t size);
int esp_rom_spiflash_write(uint32_t addr, const void *data, uint32_t size);
int esp_rom_spiflash_erase_sector(uint32_t sector);
int esp_rom_spiflash_erase_block(uint32_t block);
int esp_rom_spiflash_unlock(void);
int ets_printf(const char *format, ...);
void ets_delay_us(uint32_t us);
uint32_t rtc_get_reset_reason(int cpu);
void software_reset(void);
uint8_t uart_rx_one_char_block(void);
int strcmp(const char *a, const char *b);
void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
void MD5Init(void *md5);
void MD5Update(void *md5, const void *data, uint32_t size);
void MD5Final(uint8_t digest[16], void *md5);
int ets_sha_init(void *sha, int type);
int ets_sha_starts(void *sha, uint16_t unused);
void ets_sha_update(void *sha, const void *data, uint32_t size, bool update);
int ets_sha_finish(void *sha, uint8_t *digest);
uint32_t crc32_le(uint32_t crc, const void *data, uint32_t size);
void vboard_exit(int status);

void start(void);

static uint32_t buffer[NUMBERS_MAX];
static uint32_t number[NUMBERS_MAX];
static uint32_t number_count;

IN_FLASH static uint32_t answer_from_flash(void) {
    return 42;
}

IN_FLASH static uint32_t saw_off_the_branch(void) {
    REG(0x600c4000) = 0;  // the cache
    return 1;
}

static void unlock_rtc_watchdog(bool is_open) {
    REG(0x600080a8) = is_open ? 0x50d83aa1 : 0;
}

// Pass time without calling anything, feeding the watchdog or not: milliseconds of 160 MHz.
static void spin(uint32_t ms, bool feed) {
    for (; ms > 0; ms--) {
        for (uint32_t i = 0; i < 160000 / 4; i++) {
            __asm__ volatile("nop\n nop");
        }
        if (feed) {
            unlock_rtc_watchdog(true);
            REG(0x600080a4) = 0x80000000;
            unlock_rtc_watchdog(false);
        }
    }
}

static int flash_command(const char *word) {
    if (strcmp(word, "read") == 0) {
        int result = esp_rom_spiflash_read(number[0], buffer, number[1]);
        for (uint32_t i = 0; result == 0 && i < number[1] / 4; i++) {
            ets_printf("%08x ", buffer[i]);
        }
        return result;
    }
    if (strcmp(word, "write") == 0) {
        return esp_rom_spiflash_write(number[0], number + 1, (number_count - 1) * 4);
    }
    if (strcmp(word, "fill") == 0) {  // address, size, word
        for (uint32_t i = 0; i < number[1] / 4; i++) {
            buffer[i] = number[2];
        }
        return esp_rom_spiflash_write(number[0], buffer, number[1]);
    }
    if (strcmp(word, "raw_read") == 0) {  // address, buffer, size
        return esp_rom_spiflash_read(number[0], (void *)number[1], number[2]);
    }
    if (strcmp(word, "raw_write") == 0) {
        return esp_rom_spiflash_write(number[0], (void *)number[1], number[2]);
    }
    if (strcmp(word, "erase") == 0) {
        return esp_rom_spiflash_erase_sector(number[0]);
    }
    if (strcmp(word, "erase_block") == 0) {
        return esp_rom_spiflash_erase_block(number[0]);
    }
    if (strcmp(word, "unlock") == 0) {
        return esp_rom_spiflash_unlock();
    }
    return -1;
}

static uint32_t digest_command(const char *word) {
    static uint32_t digest[8], context[64];
    if (strcmp(word, "md5") == 0) {  // in two pieces
        MD5Init(context);
        MD5Update(context, number, 3);
        MD5Update(context, (const uint8_t *)number + 3, number_count * 4 - 3);
        MD5Final((uint8_t *)digest, context);
        return ets_printf("%08x %08x %08x %08x ", digest[0], digest[1], digest[2], digest[3]);
    }
    if (strcmp(word, "sha256") == 0) {
        ets_sha_init(context, 2);
        ets_sha_starts(context, 0);
        ets_sha_update(context, number, 3, true);
        ets_sha_update(context, (const uint8_t *)number + 3, number_count * 4 - 3, true);
        ets_sha_finish(context, (uint8_t *)digest);
        return ets_printf("%08x %08x %08x %08x %08x %08x %08x %08x ", digest[0], digest[1], digest[2], digest[3], digest[4],
            digest[5], digest[6], digest[7]);
    }
    if (strcmp(word, "crc32") == 0) {
        return crc32_le(0, number, number_count * 4);
    }
    return 0;
}

static uint32_t memory_command(const char *word) {
    if (strcmp(word, "peek8") == 0) {
        return *(volatile uint8_t *)number[0];
    } else if (strcmp(word, "peek") == 0) {
        return REG(number[0]);
    } else if (strcmp(word, "poke") == 0) {
        REG(number[0]) = number[1];
    } else if (strcmp(word, "copy") == 0) {
        memcpy(buffer, (const void *)number[0], number[1]);
        return buffer[0];
    } else if (strcmp(word, "call") == 0) {
        return ((uint32_t(*)(uint32_t, uint32_t, uint32_t))number[0])(number[1], number[2], number[3]);
    } else if (strcmp(word, "flash") == 0) {
        return answer_from_flash();
    } else if (strcmp(word, "saw") == 0) {
        return saw_off_the_branch();
    } else if (strcmp(word, "cycles") == 0) {
        uint32_t count;
        __asm__ volatile("csrr %0, 0x7e2" : "=r"(count));
        return count;
    } else if (strcmp(word, "illegal") == 0) {
        __asm__ volatile(".word 0");
    } else if (strcmp(word, "float") == 0) {
        __asm__ volatile(".word 0x00007053");  // fadd.s: the C3 has no floating point
    } else if (strcmp(word, "ecall") == 0) {
        __asm__ volatile("li a7, 0\n ecall");
    }
    return 0;
}

static uint32_t power_command(const char *word) {
    if (strcmp(word, "reset") == 0) {
        software_reset();
        for (;;) {
        }
    } else if (strcmp(word, "cause") == 0) {
        return rtc_get_reset_reason(0);
    } else if (strcmp(word, "nowdt") == 0) {
        unlock_rtc_watchdog(true);
        REG(0x60008090) = 0;
        unlock_rtc_watchdog(false);
    } else if (strcmp(word, "delay") == 0) {
        ets_delay_us(number[0] * 1000);
    } else if (strcmp(word, "spin") == 0) {
        spin(number[0], false);
    } else if (strcmp(word, "spin_fed") == 0) {
        spin(number[0], true);
    } else if (strcmp(word, "print") == 0) {
        ets_printf(
            "[%5d|%-5u|%05x|%X|%s|%c|%%|%d|%d|%d] ", -(int)number[0], number[0], number[0], number[0], "text", 'c', 7, 8, 9);
    } else if (strcmp(word, "exit") == 0) {
        vboard_exit((int)number[0]);
    }
    return 0;
}

static void read_line(char *line) {
    uint32_t size = 0;
    for (;;) {
        char c = (char)uart_rx_one_char_block();
        if (c == '\n') {
            break;
        }
        if (size < LINE_SIZE - 1) {
            line[size++] = c;
        }
    }
    line[size] = '\0';
}

// Cut the line into its first word and the numbers after it.
static void parse(char *line) {
    number_count = 0;
    for (; *line != '\0' && *line != ' '; line++) {
    }
    while (*line == ' ') {
        *line++ = '\0';
        uint32_t value = 0;
        for (; *line != '\0' && *line != ' '; line++) {
            value = value * 16 + (uint32_t)(*line <= '9' ? *line - '0' : *line - 'a' + 10);
        }
        number[number_count++] = value;
    }
}

__attribute__((section(".text.start"))) void start(void) {
    static char line[LINE_SIZE];
    ets_printf("monitor " NAME "\r\n");
    for (;;) {
        read_line(line);
        memset(number, 0, sizeof number);
        parse(line);
        ets_printf("> %s: ", line);
        int result = flash_command(line);
        uint32_t value = result >= 0 ? (uint32_t)result : digest_command(line) + memory_command(line) + power_command(line);
        ets_printf("%x\n", value);
    }
}
