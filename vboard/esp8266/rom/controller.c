// The SPI controller: see controller.h.
#include "controller.h"

#include "../board.h"
#include "chip.h"
#include "nor.h"
#include "rom.h"

// Bits on the lines: what goes on one line, and what goes on two or four.
enum {
    OPCODE_CLOCKS = 8,
    ADDR_BITS = 24,
    STATUS_CLOCKS = 16,
    // Between address and data of a fast read. [W25Q32JV data sheet, instruction set]
    DUMMY_FAST = 8,
    DUMMY_DIO = 4,
    DUMMY_QIO = 6,
    HALF_NS_PER_CLOCK = 25,  // at 80 MHz
};

void controller_reset(void) {
    memset((void *)(uintptr_t)SPI0_VADDR, 0, sizeof(struct spi_registers));
}

static void pass_clocks(uint32_t clocks) {
    uint32_t ctrl = SPI0->ctrl;
    uint32_t divider = (ctrl & SPI_CTRL_UNDIVIDED) != 0 ? 1 : ((ctrl & SPI_CTRL_CLOCK) >> 8) + 1;
    nor_pass((uint64_t)clocks * divider * HALF_NS_PER_CLOCK / 2);
}

static bool is_quad(void) {
    return (SPI0->ctrl & (SPI_CTRL_QIO | SPI_CTRL_QOUT)) != 0;
}

static uint32_t read_clocks(uint32_t size) {
    uint32_t ctrl = SPI0->ctrl;
    uint32_t bits = size * 8;
    if ((ctrl & SPI_CTRL_QIO) != 0) {
        return OPCODE_CLOCKS + ADDR_BITS / 4 + DUMMY_QIO + bits / 4;
    }
    if ((ctrl & SPI_CTRL_DIO) != 0) {
        return OPCODE_CLOCKS + ADDR_BITS / 2 + DUMMY_DIO + bits / 2;
    }
    uint32_t lines = (ctrl & SPI_CTRL_QOUT) != 0 ? 4 : (ctrl & SPI_CTRL_DOUT) != 0 ? 2 : 1;
    uint32_t dummy = (ctrl & (SPI_CTRL_FAST | SPI_CTRL_QOUT | SPI_CTRL_DOUT)) != 0 ? DUMMY_FAST : 0;
    return OPCODE_CLOCKS + ADDR_BITS + dummy + bits / lines;
}

static void change(uint32_t command, uint32_t addr, uint32_t size) {
    uint8_t data[sizeof SPI0->data];
    switch (command) {
        case SPI_PROGRAM:
            for (uint32_t i = 0; i < sizeof data / 4; i++) {
                uint32_t word = SPI0->data[i];
                memcpy(data + 4 * i, &word, 4);
            }
            pass_clocks(OPCODE_CLOCKS + ADDR_BITS + size * 8);
            chip_program(addr, data, size);
            break;
        case SPI_ERASE_SECTOR:
            pass_clocks(OPCODE_CLOCKS + ADDR_BITS);
            chip_erase(addr & ~(NOR_SECTOR_SIZE - 1u), NOR_SECTOR_SIZE);
            break;
        case SPI_ERASE_BLOCK:
            pass_clocks(OPCODE_CLOCKS + ADDR_BITS);
            chip_erase(addr & ~(NOR_BLOCK_SIZE - 1u), NOR_BLOCK_SIZE);
            break;
        default:
            pass_clocks(OPCODE_CLOCKS);
            chip_erase(0, nor_size());
    }
}

void controller_run(uint32_t command) {
    uint32_t addr = SPI0->addr & 0xffffff;
    uint32_t size = SPI0->addr >> 24;
    switch (command) {
        case SPI_READ:
            pass_clocks(read_clocks(size));
            // No byte more than was asked for: what the data registers held before stays in the rest.
            size = size < sizeof SPI0->data ? size : sizeof SPI0->data;
            chip_read(addr, (void *)(uintptr_t)SPI0->data, size, is_quad());
            break;
        case SPI_WRITE_ENABLE:
            pass_clocks(OPCODE_CLOCKS);
            chip_write_enable();
            break;
        case SPI_WRITE_DISABLE:
            pass_clocks(OPCODE_CLOCKS);
            chip_write_disable();
            break;
        case SPI_READ_STATUS:
            pass_clocks(STATUS_CLOCKS);
            SPI0->status = chip_read_status();
            break;
        case SPI_WRITE_STATUS: {
            uint32_t bytes = (SPI0->ctrl & SPI_CTRL_TWO_STATUS_BYTES) != 0 ? 2 : 1;
            pass_clocks(OPCODE_CLOCKS + 8 * bytes);
            chip_write_status(SPI0->status, bytes);
            break;
        }
        default:
            change(command, addr, size);
    }
    SPI0->command = 0;
}

void controller_read_pieces(uint32_t addr, void *buffer, uint32_t size, uint32_t piece) {
    pass_clocks((size + piece - 1) / piece * read_clocks(piece));
    chip_read(addr & 0xffffff, buffer, size, is_quad());
}

void controller_fetch(uint32_t addr, void *buffer, uint32_t size) {
    chip_peek(addr, buffer, size, is_quad());
}

bool controller_reads_noise(void) {
    return chip_reads_noise(is_quad());
}
