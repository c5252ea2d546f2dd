// The example as a program of the virtual ESP32-C3: over the virtual IDF of MicroPython's port there (micropython/vport-esp32c3/idf), what that
// has not, and the C library wants. When the example's app_main() returns the board is switched off.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"
#include "esp_flash.h"
#include "freertos/task.h"
#include "mounted.h"

// Of what is given back nothing is given out again: a run needs few pieces.
#define HEAP_SIZE (160 * 1024)

void app_main(void);
void example_main(void);  // the example's

static uint8_t heap[HEAP_SIZE] __attribute__((section(".noinit"), aligned(16)));
static size_t heap_used;

void *malloc(size_t size) {
    size = (size + 15) & ~(size_t)15;
    if (size > HEAP_SIZE - heap_used) {
        return NULL;
    }
    heap_used += size;
    return heap + heap_used - size;
}

void *calloc(size_t count, size_t size) {
    void *piece = malloc(count * size);
    return piece ? memset(piece, 0, count * size) : NULL;
}

void free(void *piece) {
    (void)piece;
}

static int put(char c, FILE *file) {
    (void)file;
    vboard_write(&c, 1);
    return c;
}

static FILE console = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &console;

void vTaskDelay(const TickType_t ticks) {
    (void)ticks;
}

int open(const char *path, int flags, ...) {
    return mounted_has(path) ? mounted_open(path, flags) : -1;
}

int close(int fd) {
    return mounted_close(fd);
}

ssize_t read(int fd, void *buf, size_t size) {
    return mounted_read(fd, buf, size);
}

ssize_t write(int fd, const void *buf, size_t size) {
    return mounted_write(fd, buf, size);
}

off_t lseek(int fd, off_t off, int whence) {
    (void)whence;
    return mounted_seek(fd, off);
}

int stat(const char *path, struct stat *info) {
    return mounted_has(path) ? mounted_stat(path, info) : -1;
}

int access(const char *path, int mode) {
    struct stat info;
    (void)mode;
    return stat(path, &info);
}

int unlink(const char *path) {
    return mounted_unlink(path);
}

void app_main(void) {
    esp_flash_get_physical_size(NULL, &esp_flash_default_chip->size);
    example_main();
    vboard_exit(0);
}
