// The mask ROM's functions that this port calls, and those that only the virtual board has.
#ifndef VPORT_BOARD_H
#define VPORT_BOARD_H

#include <stdbool.h>
#include <stdint.h>

int uart_rx_one_char(uint8_t *c);  // 0 and the character, or 1: there is none
void ets_delay_us(uint32_t us);
int ets_printf(const char *format, ...);
uint32_t rtc_get_reset_reason(int cpu);
_Noreturn void software_reset(void);
void MD5Init(void *md5);
void MD5Update(void *md5, const void *data, uint32_t size);
void MD5Final(uint8_t digest[16], void *md5);
uint32_t crc32_le(uint32_t crc, const void *data, uint32_t size);

_Noreturn void vboard_exit(int status);
void vboard_write(const void *text, uint32_t size);
bool vboard_wait(uint32_t ms);

uint64_t esp_timer_us(void);  // since the reset

#define REG(vaddr) (*(volatile uint32_t *)(vaddr))

#endif
