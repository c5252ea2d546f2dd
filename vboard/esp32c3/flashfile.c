// The flash chip's cells: the flash file, mapped. What is written there is in the file, for whoever opens it next; with the
// option "copy" it stays in this process and its children, each of which has its own.
#include "flashfile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "cells.h"
#include "host.h"
#include "mmu.h"
#include "power.h"
#include "runs.h"
#include "say.h"

static struct {
    uint8_t *bytes;
    uint32_t size;
} file;

uint32_t cells_open(const char *path) {
    struct stat stat;
    if (file.bytes != NULL) {
        return file.size;
    }
    int fd = open(path, O_RDWR);
    if (fd < 0 || fstat(fd, &stat) != 0) {
        board_say("cannot open the flash file %s", path);
        host_exit(EXIT_BROKEN);
    }
    if (stat.st_size == 0 || stat.st_size > UINT32_MAX) {
        close(fd);
        return 0;  // no chip's size, which is said elsewhere
    }
    file.size = (uint32_t)stat.st_size;
    void *bytes = mmap(NULL, file.size, PROT_READ | PROT_WRITE, host_option("copy") != NULL ? MAP_PRIVATE : MAP_SHARED, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED) {
        board_say("cannot map the flash file %s", path);
        host_exit(EXIT_BROKEN);
    }
    file.bytes = bytes;
    return file.size;
}

void cells_read(uint32_t addr, void *to, uint32_t size) {
    memcpy(to, file.bytes + addr, size);
}

uint8_t *cells_borrow(uint32_t addr) {
    return file.bytes + addr;
}

void cells_store(uint32_t addr, const uint8_t *borrowed, uint32_t size) {
    (void)addr;  // changed in place
    (void)borrowed;
    (void)size;
}

void cells_blank(uint32_t addr) {
    memset(file.bytes + addr, 0xff, CELLS_SECTOR_SIZE);
}

void cells_operation(uint32_t number) {
    runs_operation(number);
}

void cells_changed(uint32_t addr, uint32_t size) {
    mmu_flash_changed(addr, size);
}

void cells_power_lost(void) {
    power_lost();
}

uint32_t flashfile_size(void) {
    return file.size;
}

const uint8_t *flashfile_bytes(void) {
    return file.bytes;
}
