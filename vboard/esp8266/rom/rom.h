// The functions of the mask ROM that this ROM has, as a program sees them. entries.h has their addresses.
#ifndef VBOARD_ROM_ROM_H
#define VBOARD_ROM_ROM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Results of the flash functions. [SDK, spi_flash.h: SpiFlashOpResult]
enum { SPI_OK = 0, SPI_ERROR = 1, SPI_TIMEOUT = 2 };

// Reset causes as rtc_get_reset_reason() gives them and the boot line shows them.
enum { RESET_POWER_ON = 1, RESET_SOFTWARE = 2, RESET_WATCHDOG = 4 };

// memory.c
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void bzero(void *to, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strcpy(char *restrict to, const char *restrict from);
char *strncpy(char *restrict to, const char *restrict from, size_t size);
char *strstr(const char *text, const char *word);
void *ets_memcpy(void *to, const void *from, size_t size);
void *ets_memmove(void *to, const void *from, size_t size);
void *ets_memset(void *to, int value, size_t size);
int ets_memcmp(const void *a, const void *b, size_t size);
void ets_bzero(void *to, size_t size);
size_t ets_strlen(const char *s);
int ets_strcmp(const char *a, const char *b);
int ets_strncmp(const char *a, const char *b, size_t size);
char *ets_strcpy(char *to, const char *from);
char *ets_strncpy(char *to, const char *from, size_t size);
char *ets_strstr(const char *text, const char *word);

// print.c
void ets_install_putc1(void (*put)(char));
void ets_install_uart_printf(void);
int ets_putc(char c);
int ets_vprintf(void (*put)(char), const char *format, va_list args);
int ets_printf(const char *format, ...);
int ets_uart_printf(const char *format, ...);

// uart.c
void Uart_Init(uint8_t uart);
void *GetUartDevice(void);
void uart_div_modify(uint8_t uart, uint32_t divisor);
int uart_tx_one_char(uint8_t c);   // 0
int uart_rx_one_char(uint8_t *c);  // 0 and the character, or 1: there is none
uint8_t uart_rx_one_char_block(void);

// The ROM's description of the flash chip, in its data. [SDK, spi_flash.h: SpiFlashChip]
struct flashchip {
    uint32_t device_id;
    uint32_t chip_size;
    uint32_t block_size;
    uint32_t sector_size;
    uint32_t page_size;
    uint32_t status_mask;
};

// spi.c: 0, 1 or 2 as SPI_OK, SPI_ERROR, SPI_TIMEOUT
int SPIRead(uint32_t addr, uint32_t *buffer, uint32_t size);
int SPIWrite(uint32_t addr, const uint32_t *data, uint32_t size);
int SPIEraseSector(uint32_t sector);
int SPIEraseBlock(uint32_t block);  // the 64 KB block of that number
int SPIEraseArea(uint32_t addr, uint32_t size);
int SPIEraseChip(void);
int SPIUnlock(void);
int SPILock(void);
int SPIParamCfg(
    uint32_t device_id, uint32_t chip_size, uint32_t block_size, uint32_t sector_size, uint32_t page_size, uint32_t status_mask);
int SPIReadModeCnfig(uint32_t mode);
int SPI_read_status(struct flashchip *chip, uint32_t *status);
int SPI_write_status(struct flashchip *chip, uint32_t status);
int SPI_write_enable(struct flashchip *chip);
int Wait_SPI_Idle(struct flashchip *chip);
int Enable_QMode(struct flashchip *chip);
void SelectSpiFunction(void);
void spi_flash_attach(void);

// cache.c
void Cache_Read_Enable(uint32_t odd_megabyte, uint32_t megabyte_pair, uint32_t is_32k);
void Cache_Read_Disable(void);

// watchdog.c
void ets_wdt_init(void);
void ets_wdt_enable(uint32_t mode, uint32_t stage0, uint32_t stage1);
uint32_t ets_wdt_disable(void);  // the mode it had, for ets_wdt_restore()
void ets_wdt_restore(uint32_t mode);
uint32_t ets_wdt_get_mode(void);

// clock.c
uint32_t xthal_get_ccount(void);
uint32_t ets_get_cpu_frequency(void);  // MHz
void ets_update_cpu_frequency(uint32_t mhz);
void ets_delay_us(uint32_t us);
uint32_t ets_intr_lock(void);
uint32_t ets_intr_unlock(void);
void ets_isr_mask(uint32_t mask);
void ets_isr_unmask(uint32_t mask);
void srand(uint32_t seed);
int rand(void);

// boot.c
_Noreturn void software_reset(void);
uint32_t rtc_get_reset_reason(void);

// md5.c
struct md5 {
    uint32_t state[4];
    uint32_t bits[2];
    uint8_t block[64];
};
void MD5Init(struct md5 *md5);
void MD5Update(struct md5 *md5, const uint8_t *data, uint32_t size);
void MD5Final(uint8_t digest[16], struct md5 *md5);

// sha1.c: the digest comes first, unlike MD5's
struct sha1 {
    uint32_t state[5];
    uint32_t bits[2];  // the low word first
    uint8_t block[64];
};
void SHA1Init(struct sha1 *sha1);
void SHA1Update(struct sha1 *sha1, const uint8_t *data, uint32_t size);
void SHA1Final(uint8_t digest[20], struct sha1 *sha1);

// vboard.c: what no chip has
_Noreturn void vboard_exit(int status);              // end the run; 0..63
void vboard_write(const void *text, uint32_t size);  // to the UART in one piece
bool vboard_wait(uint32_t ms);                       // until there is input, of UART or network, at most ms
uint64_t vboard_flash_us(void);                      // modelled flash time since the power came on
uint32_t vboard_seed(void);                          // a different number in each run, 0 under --icount
bool vboard_net_is_there(void);
bool vboard_net_send(const void *from, uint32_t size);  // one message (board.h); whether it went
uint32_t vboard_net_receive(void *to, uint32_t size);   // one message's size, or 0: there is none

#endif
