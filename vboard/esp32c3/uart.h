// UART0: standard input and output of the run. The end of the input switches the board off, once the program waits for more
// of it: one that only looks may still have something to do.
#ifndef VBOARD_ESP32C3_UART_H
#define VBOARD_ESP32C3_UART_H

#include <stdbool.h>
#include <stdint.h>

void uart_put(char c);
void uart_put_text(const char *text, uint32_t size);
void uart_flush(void);
void uart_end_input(void);  // nobody types any more

// A character that is there, or -1.
int uart_get(void);

// Until there is input, at most `ms`; whether there is. Time passes for the board as it does for the host.
bool uart_wait(uint32_t ms);

// Registers; false: it is none of the UART's.
bool uart_read(uint32_t vaddr, uint32_t *value);
bool uart_write(uint32_t vaddr, uint32_t value);

#endif
