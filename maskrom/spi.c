// SPI0.

#include "spi.h"

#include <string.h>

// Offsets of registers.
enum {
    CMD = 0x00,
    ADDR = 0x04,
    CTRL = 0x08,
    RD_STATUS = 0x10,
    CLOCK = 0x18,
    USER = 0x1c,
    USER1 = 0x20,
    USER2 = 0x24,
    W0 = 0x40,
};
#define FIFO_SIZE 64u

// Bits of CMD: the commands that the unit knows by itself, and that of the USER registers.
#define CMD_READ (1u << 31)
#define CMD_USER (1u << 18)

// Bits of CTRL.
#define CTRL_QIO (1u << 24)
#define CTRL_DIO (1u << 23)
#define CTRL_WRSR_TWO (1u << 22)
#define CTRL_QOUT (1u << 20)
#define CTRL_DOUT (1u << 14)
#define CTRL_FAST (1u << 13)

// Bits of USER.
#define USER_COMMAND (1u << 31)
#define USER_ADDR (1u << 30)
#define USER_MISO (1u << 28)
#define USER_MOSI (1u << 27)

// The ROM leaves the CPU, and the unit, at twice a crystal of 26 MHz.
#define UNIT_MHZ 52u
#define CLOCK_UNDIVIDED (1u << 31)

static uint32_t *reg(spi_t *spi, uint32_t off) {
    return &spi->registers[off / 4];
}

static uint8_t *fifo(spi_t *spi) {
    return (uint8_t *)reg(spi, W0);
}

static uint8_t read_opcode(uint32_t ctrl) {
    if (!(ctrl & CTRL_FAST)) {
        return 0x03;
    }
    return ctrl & CTRL_QIO ? 0xeb : ctrl & CTRL_DIO ? 0xbb : ctrl & CTRL_QOUT ? 0x6b : ctrl & CTRL_DOUT ? 0x3b : 0x0b;
}

// Nanoseconds of so many bits on one line, at the speed that CLOCK says.
static uint64_t wire_ns(spi_t *spi, uint64_t bits) {
    uint32_t clock = *reg(spi, CLOCK);
    uint32_t divider = clock & CLOCK_UNDIVIDED ? 1 : ((clock >> 18 & 0x1fff) + 1) * ((clock >> 12 & 0x3f) + 1);
    return bits * divider * 1000 / UNIT_MHZ;
}

// Opcode, address and dummy cycles, and the lines that the data take.
static uint64_t read_ns(spi_t *spi, uint8_t opcode, uint32_t size) {
    uint32_t lines = opcode == 0xeb || opcode == 0x6b ? 4 : opcode == 0xbb || opcode == 0x3b ? 2 : 1;
    return wire_ns(spi, 40 + (uint64_t)size * 8 / lines);
}

static uint64_t do_read(spi_t *spi, uint64_t now_ns) {
    uint32_t size = *reg(spi, ADDR) >> 24;
    nor_command_t command = { .opcode = read_opcode(*reg(spi, CTRL)),
        .addr = *reg(spi, ADDR) & 0xffffff,
        .in = fifo(spi),
        .in_size = size < FIFO_SIZE ? size : FIFO_SIZE };
    nor_do(spi->nor, &command, now_ns);
    return read_ns(spi, command.opcode, command.in_size);
}

static uint64_t do_program(spi_t *spi, uint64_t now_ns) {
    uint32_t size = *reg(spi, ADDR) >> 24;
    nor_command_t command = {
        .opcode = 0x02, .addr = *reg(spi, ADDR) & 0xffffff, .out = fifo(spi), .out_size = size < FIFO_SIZE ? size : FIFO_SIZE
    };
    uint64_t ns = wire_ns(spi, 32 + (uint64_t)command.out_size * 8);
    nor_do(spi->nor, &command, now_ns + ns);
    return ns;
}

static uint64_t do_read_status(spi_t *spi, uint64_t now_ns) {
    uint8_t status = 0;
    nor_command_t command = { .opcode = 0x05, .in = &status, .in_size = 1 };
    nor_do(spi->nor, &command, now_ns);
    // The bits above the byte that came stay.
    *reg(spi, RD_STATUS) = (*reg(spi, RD_STATUS) & ~0xffu) | status;
    return wire_ns(spi, 16);
}

static uint64_t do_write_status(spi_t *spi, uint64_t now_ns) {
    uint32_t value = *reg(spi, RD_STATUS);
    uint8_t status[2] = { (uint8_t)value, (uint8_t)(value >> 8) };
    nor_command_t command = { .opcode = 0x01, .out = status, .out_size = *reg(spi, CTRL) & CTRL_WRSR_TWO ? 2 : 1 };
    nor_do(spi->nor, &command, now_ns);
    return wire_ns(spi, 24);
}

static uint64_t do_read_id(spi_t *spi, uint64_t now_ns) {
    memset(fifo(spi), 0, 4);
    nor_command_t command = { .opcode = 0x9f, .in = fifo(spi), .in_size = 3 };
    nor_do(spi->nor, &command, now_ns);
    return wire_ns(spi, 32);
}

// What the USER registers describe: an opcode, perhaps an address, data one way. Lengths are in bits, less one.
static uint64_t do_user(spi_t *spi, uint64_t now_ns) {
    uint32_t user = *reg(spi, USER);
    uint32_t user1 = *reg(spi, USER1);
    uint32_t user2 = *reg(spi, USER2);
    uint32_t out_size = user & USER_MOSI ? ((user1 >> 17 & 0x1ff) + 8) / 8 : 0;
    uint32_t in_size = user & USER_MISO ? ((user1 >> 8 & 0x1ff) + 8) / 8 : 0;
    if (!(user & USER_COMMAND) || user2 >> 28 != 7) {
        spi->has_unknown = true;
        spi->unknown = CMD_USER;
        return 0;
    }
    nor_command_t command = { .opcode = (uint8_t)user2,
        .addr = user & USER_ADDR ? *reg(spi, ADDR) >> 8 : 0,
        .out = fifo(spi),
        .out_size = out_size,
        .in = fifo(spi),
        .in_size = in_size };
    nor_do(spi->nor, &command, now_ns);
    return wire_ns(spi, 40 + (uint64_t)(out_size + in_size) * 8);
}

// Commands of an opcode and at most an address.
static uint64_t do_short(spi_t *spi, uint32_t cmd, uint64_t now_ns) {
    static const struct {
        uint32_t cmd;
        uint8_t opcode;
        bool has_addr;
    } commands[] = {
        { 1u << 30, 0x06, false },
        { 1u << 29, 0x04, false },
        { 1u << 24, 0x20, true },
        { 1u << 23, 0xd8, true },
        { 1u << 20, 0xab, false },
    };
    for (uint32_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].cmd == cmd) {
            nor_command_t command = { .opcode = commands[i].opcode,
                .addr = commands[i].has_addr ? *reg(spi, ADDR) & 0xffffff : 0 };
            nor_do(spi->nor, &command, now_ns);
            return wire_ns(spi, commands[i].has_addr ? 32 : 8);
        }
    }
    spi->has_unknown = true;
    spi->unknown = cmd;
    return 0;
}

static uint64_t do_command(spi_t *spi, uint32_t cmd, uint64_t now_ns) {
    switch (cmd) {
        case CMD_READ:
            return do_read(spi, now_ns);
        case 1u << 28:
            return do_read_id(spi, now_ns);
        case 1u << 27:
            return do_read_status(spi, now_ns);
        case 1u << 26:
            return do_write_status(spi, now_ns);
        case 1u << 25:
            return do_program(spi, now_ns);
        case CMD_USER:
            return do_user(spi, now_ns);
        default:
            return do_short(spi, cmd, now_ns);
    }
}

void spi_reset(spi_t *spi) {
    memset(spi->registers, 0, sizeof spi->registers);
}

uint32_t spi_load(const spi_t *spi, uint32_t off) {
    return off == CMD ? 0 : spi->registers[off / 4];
}

uint64_t spi_store(spi_t *spi, uint32_t off, uint32_t value, uint64_t now_ns) {
    if (off != CMD) {
        *reg(spi, off) = value;
        return 0;
    }
    return value ? do_command(spi, value, now_ns) : 0;
}
