// An image that is not MicroPython, for the end-to-end tests: it prints a line by mask-ROM functions and what
// vboard/run takes for a prompt, and waits for input. PADDING bytes of data make it longer than a sector.

#include <stdint.h>

int ets_printf(const char *format, ...);
uint8_t uart_rx_one_char_block(void);
void start(void);

__attribute__((used)) static const uint8_t padding[PADDING] = { [0 ... PADDING - 1] = 0x5a };

void start(void) {
    ets_printf("\r\na small C program, not MicroPython\r\n>>> ");
    for (;;) {
        (void)uart_rx_one_char_block();
    }
}
