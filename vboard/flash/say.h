// What a board itself has to say.
#ifndef VBOARD_FLASH_SAY_H
#define VBOARD_FLASH_SAY_H

// One line on standard error, "vboard: " before it. Standard output belongs to the UART.
void board_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Formatted text to a host file.
void board_write_text(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
