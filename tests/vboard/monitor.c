// The program that the tests of the virtual board run on it: it takes commands from the UART, one a line, words
// and hexadecimal numbers, and answers each with one line. test_vboard.py speaks to it.
//
// Code is in IRAM, data in DRAM, and two functions are in mapped flash.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IN_FLASH __attribute__((section(".irom0.text"), noinline))
#define LINE_SIZE 600
#define NUMBERS_MAX 72

int SPIRead(uint32_t addr, void *buffer, uint32_t size);
int SPIWrite(uint32_t addr, const void *data, uint32_t size);
int SPIEraseSector(uint32_t sector);
int SPIEraseBlock(uint32_t block);
int SPIEraseArea(uint32_t addr, uint32_t size);
int SPIUnlock(void);
int SPILock(void);
void Cache_Read_Enable(uint32_t odd, uint32_t pair, uint32_t is_32k);
void Cache_Read_Disable(void);
int ets_printf(const char *format, ...);
uint32_t rtc_get_reset_reason(void);
void software_reset(void);
void ets_wdt_enable(uint32_t mode, uint32_t stage0, uint32_t stage1);
uint32_t ets_wdt_disable(void);
uint32_t ets_intr_lock(void);
uint8_t uart_rx_one_char_block(void);
int strcmp(const char *a, const char *b);
void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
void MD5Init(void *md5);
void MD5Update(void *md5, const void *data, uint32_t size);
void MD5Final(uint8_t digest[16], void *md5);
void SHA1Init(void *sha1);
void SHA1Update(void *sha1, const void *data, uint32_t size);
void SHA1Final(uint8_t digest[20], void *sha1);
void vboard_exit(int status);

void start(void);

static uint32_t buffer[NUMBERS_MAX];
static uint32_t number[NUMBERS_MAX];
static uint32_t number_count;

IN_FLASH static uint32_t answer_from_flash(void) {
    return 42;
}

IN_FLASH static void saw_off_the_branch(void) {
    Cache_Read_Disable();
}

static uint32_t ccount(void) {
    uint32_t count;
    __asm__ volatile("rsr %0, ccount" : "=a"(count));
    return count;
}

// Pass time without calling anything, feeding the watchdog or not.
static void spin(uint32_t ms, bool feed) {
    for (; ms > 0; ms--) {
        uint32_t since = ccount();
        while (ccount() - since < 40000) {
        }
        if (feed) {
            *(volatile uint32_t *)0x60000914 = 0x73;
        }
    }
}

static int flash_command(const char *word) {
    if (strcmp(word, "read") == 0) {
        int result = SPIRead(number[0], buffer, number[1]);
        for (uint32_t i = 0; result == 0 && i < number[1] / 4; i++) {
            ets_printf("%08x ", buffer[i]);
        }
        return result;
    }
    if (strcmp(word, "write") == 0) {
        return SPIWrite(number[0], number + 1, (number_count - 1) * 4);
    }
    if (strcmp(word, "fill") == 0) {  // address, size, word
        for (uint32_t i = 0; i < number[1] / 4; i++) {
            buffer[i] = number[2];
        }
        return SPIWrite(number[0], buffer, number[1]);
    }
    if (strcmp(word, "raw_read") == 0) {  // address, offset of the buffer, size
        return SPIRead(number[0], (uint8_t *)buffer + number[1], number[2]);
    }
    if (strcmp(word, "raw_write") == 0) {
        return SPIWrite(number[0], (uint8_t *)buffer + number[1], number[2]);
    }
    if (strcmp(word, "erase") == 0) {
        return SPIEraseSector(number[0]);
    }
    if (strcmp(word, "erase_block") == 0) {
        return SPIEraseBlock(number[0]);
    }
    if (strcmp(word, "erase_area") == 0) {
        return SPIEraseArea(number[0], number[1]);
    }
    if (strcmp(word, "unlock") == 0) {
        return SPIUnlock();
    }
    if (strcmp(word, "lock") == 0) {
        return SPILock();
    }
    return -1;
}

// In two pieces. Prints the digest; returns what is left in the context, or'ed.
static uint32_t sha1_of_numbers(void) {
    uint32_t sha1[23];
    uint32_t digest[5];
    uint32_t left = 0;
    SHA1Init(sha1);
    SHA1Update(sha1, number, 3);
    SHA1Update(sha1, (const uint8_t *)number + 3, number_count * 4 - 3);
    SHA1Final((uint8_t *)digest, sha1);
    for (uint32_t i = 0; i < 23; i++) {
        left |= sha1[i];
    }
    ets_printf("%08x %08x %08x %08x %08x ", digest[0], digest[1], digest[2], digest[3], digest[4]);
    return left;
}

static uint32_t memory_command(const char *word) {
    if (strcmp(word, "cache") == 0) {
        Cache_Read_Enable(number[0], number[1], number[2]);
    } else if (strcmp(word, "nocache") == 0) {
        Cache_Read_Disable();
    } else if (strcmp(word, "peek8") == 0) {
        return *(volatile uint8_t *)number[0];
    } else if (strcmp(word, "peek16") == 0) {
        return *(volatile uint16_t *)number[0];
    } else if (strcmp(word, "peek") == 0) {
        return *(volatile uint32_t *)number[0];
    } else if (strcmp(word, "poke") == 0) {
        *(volatile uint32_t *)number[0] = number[1];
    } else if (strcmp(word, "poke8") == 0) {
        *(volatile uint8_t *)number[0] = (uint8_t)number[1];
    } else if (strcmp(word, "copy") == 0) {
        memcpy(buffer, (const void *)number[0], number[1]);
        return buffer[0];
    } else if (strcmp(word, "call") == 0) {
        return ((uint32_t(*)(uint32_t, uint32_t))number[0])(number[1], number[2]);
    } else if (strcmp(word, "flash") == 0) {
        return answer_from_flash();
    } else if (strcmp(word, "saw") == 0) {
        saw_off_the_branch();
    } else if (strcmp(word, "md5") == 0) {
        uint32_t md5[22];
        uint32_t digest[4];
        MD5Init(md5);
        MD5Update(md5, number, number_count * 4);
        MD5Final((uint8_t *)digest, md5);
        ets_printf("%08x %08x %08x ", digest[0], digest[1], digest[2]);
        return digest[3];
    } else if (strcmp(word, "sha1") == 0) {
        return sha1_of_numbers();
    }
    return 0;
}

static uint32_t power_command(const char *word) {
    if (strcmp(word, "reset") == 0) {
        software_reset();
    } else if (strcmp(word, "cause") == 0) {
        return rtc_get_reset_reason();
    } else if (strcmp(word, "wdt") == 0) {
        ets_wdt_enable(number[0], number[1], number[2]);
    } else if (strcmp(word, "nowdt") == 0) {
        ets_wdt_disable();
    } else if (strcmp(word, "spin") == 0) {
        spin(number[0], false);
    } else if (strcmp(word, "spin_fed") == 0) {
        spin(number[0], true);
    } else if (strcmp(word, "spin_locked") == 0) {
        ets_intr_lock();
        spin(number[0], false);
    } else if (strcmp(word, "print") == 0) {
        ets_printf("[%5d|%-5u|%05x|%X|%s|%c|%%] ", -(int)number[0], number[0], number[0], number[0], "text", 'c');
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

void start(void) {
    static char line[LINE_SIZE];
    for (;;) {
        read_line(line);
        memset(number, 0, sizeof number);
        parse(line);
        ets_printf("> %s: ", line);
        int result = flash_command(line);
        uint32_t value = result >= 0 ? (uint32_t)result : memory_command(line) + power_command(line);
        ets_printf("%x\n", value);
    }
}
