// What the board has from the machine it runs on: files, the terminal, an end. (QEMU's xtensa simcalls.)
#ifndef VBOARD_FLASH_HOST_H
#define VBOARD_FLASH_HOST_H

#include <stdbool.h>
#include <stdint.h>

#define HOST_STDIN 0
#define HOST_STDOUT 1
#define HOST_STDERR 2
#define HOST_O_READ 00
#define HOST_O_RDWR 02  // Linux's numbers: QEMU passes them on as they are
#define HOST_O_CREATE_EMPTY (01 | 0100 | 01000)

// The words that vboard/run wrote after the ROM's name, "key=value" each. Returns the value, or NULL.
const char *host_option(const char *key);

int host_open(const char *path, int flags);  // a descriptor, or negative
uint32_t host_file_size(int fd);

// Move bytes at an offset; anything but success ends the run with EXIT_BROKEN.
void host_read_at(int fd, uint32_t offset, void *buffer, uint32_t size);
void host_write_at(int fd, uint32_t offset, const void *buffer, uint32_t size);

int host_read(int fd, void *buffer, uint32_t size);  // bytes read, 0 at the end, negative
void host_write(int fd, const void *buffer, uint32_t size);

// Wait until fd can be read, at most `us`; 0 only asks.
bool host_readable(int fd, uint32_t us);

_Noreturn void host_exit(int status);

#endif
