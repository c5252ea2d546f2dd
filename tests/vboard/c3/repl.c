// Speaks as MicroPython's REPL does, for the tests of vboard/run's --exec: the code "raise" fails, "reset" resets,
// "hang" never comes back, no code at all is a soft reset, and anything else is printed as it came.
#include <stdbool.h>
#include <stdint.h>

#define CTRL_A 1
#define CTRL_D 4

int ets_printf(const char *format, ...);
void software_reset(void);
uint8_t uart_rx_one_char_block(void);
int strcmp(const char *a, const char *b);

void start(void);

static char code[200];

static void run_code(void) {
    ets_printf("OK");
    if (strcmp(code, "reset") == 0) {
        ets_printf("resetting\r\n");
        software_reset();
    }
    while (strcmp(code, "hang") == 0) {
    }
    if (strcmp(code, "raise") == 0) {
        ets_printf("before\r\n\004Traceback: it raised\r\n\004>");
    } else {
        ets_printf("%s\r\n\004\004>", code);
    }
}

__attribute__((section(".text.start"))) void start(void) {
    bool is_raw = false;
    uint32_t size = 0;
    ets_printf("banner\r\n>>> ");
    for (;;) {
        uint8_t c = uart_rx_one_char_block();
        if (c == CTRL_A) {
            is_raw = true;
            ets_printf("\r\nraw REPL; CTRL-B to exit\r\n>");
        } else if (is_raw && c == CTRL_D) {
            code[size] = '\0';
            if (size == 0) {
                ets_printf("OK\r\nMPY: soft reboot\r\nraw REPL; CTRL-B to exit\r\n>");
                continue;
            }
            size = 0;
            run_code();
        } else if (is_raw && size < sizeof code - 1) {
            code[size++] = (char)c;
        }
    }
}
