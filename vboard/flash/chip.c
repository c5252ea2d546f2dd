// The SPI NOR flash chip: see chip.h.
#include "chip.h"

#include <stddef.h>

#include "../exits.h"
#include "host.h"
#include "names.h"
#include "nor.h"
#include "say.h"

// Times in nanoseconds. [Winbond W25Q32JV data sheet, AC characteristics, typical]
#define STATUS_WRITE_NS 10000000u
#define SECTOR_ERASE_NS 45000000u
#define BLOCK_ERASE_NS 150000000u
#define CHIP_ERASE_NS 10000000000u
#define PROGRAM_FIRST_BYTE_NS 30000u
#define PROGRAM_NEXT_BYTE_NS 2500u
#define PROGRAM_PAGE_NS 400000u
// A look at a chip that is stuck stands for many.
#define STUCK_LOOK_NS 1000000u
#define FOR_EVER UINT64_MAX

#define STUCK_NEVER UINT32_MAX
#define STATUS_WRITABLE 0xfcu  // all of the first status byte but WIP and WEL
#define SECOND_QE 0x02u
#define FIRST_QE 0x40u

// Which status byte has QE, and what 01h does to the second one.
struct kind {
    const char *name;
    uint8_t first_qe;
    uint8_t second_qe;
    bool second_is_reached;
};

static const struct kind kinds[] = {
    { "winbond", 0, SECOND_QE, true },      // [W25Q32FV data sheet: one byte clears the second; W25Q32JV leaves it]
    { "macronix", FIRST_QE, 0, false },     // [MX25L3233F data sheet: the second byte is another register]
    { "gigadevice", 0, SECOND_QE, false },  // [GD25Q32C data sheet: 31h writes the second]
    { "fixed", 0, 0, false },
};

static struct {
    const struct kind *kind;
    uint8_t first;  // status bytes, without WIP and WEL
    uint8_t second;
    bool write_is_enabled;
    uint64_t busy_ns;         // of an operation that nobody has waited for yet
    uint32_t stuck_at;        // operation after which the chip stays busy
    uint64_t stuck_ns;        // for so long
    uint64_t stuck_until_ns;  // 0: it is not stuck
    int file;                 // negative: not opened yet
    bool is_booting;
    uint32_t boot_status_writes;
    uint32_t status_writes;
    uint32_t ignored;
    uint32_t noise_reads;
} chip;

static _Noreturn void broken(const char *what, const char *value) {
    board_say("%s %s", what, value);
    host_exit(EXIT_BROKEN);
}

static uint32_t number_of(const char **text, uint32_t base) {
    uint32_t value = 0;
    for (;; ++*text) {
        char c = **text;
        uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : base;
        if (digit >= base) {
            return value;
        }
        value = value * base + digit;
    }
}

static const struct kind *kind_of(const char *name) {
    for (uint32_t i = 0; name != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (is_same_name(name, kinds[i].name)) {
            return &kinds[i];
        }
    }
    return &kinds[0];
}

// N or N:SECONDS
static void read_stuck_option(const char *option) {
    const char *p = option;
    chip.stuck_at = number_of(&p, 10);
    chip.stuck_ns = FOR_EVER;
    if (p != option && *p == ':') {
        p++;
        chip.stuck_ns = number_of(&p, 10) * UINT64_C(1000000000);
    }
    if (p == option || *p != '\0') {
        broken("not an operation to get stuck at, N or N:SECONDS:", option);
    }
}

void chip_power_on(void) {
    const char *status = host_option("status");
    const char *stuck = host_option("stuck");
    chip.kind = kind_of(host_option("chip"));
    chip.file = -1;
    chip.stuck_at = STUCK_NEVER;
    if (status != NULL) {
        uint32_t value = number_of(&status, 16);
        chip.first = (uint8_t)(value & STATUS_WRITABLE);
        chip.second = (uint8_t)(value >> 8);
    }
    if (stuck != NULL) {
        read_stuck_option(stuck);
    }
    nor_power_on();
}

void chip_power_again(void) {
    chip.write_is_enabled = false;
    chip.busy_ns = 0;
    chip.stuck_until_ns = 0;
    nor_power_again();
}

// ---- busy

bool chip_is_stuck(void) {
    return chip.stuck_until_ns == FOR_EVER;
}

static bool is_busy(void) {
    return chip.busy_ns > 0 || chip.stuck_until_ns > nor_time_ns();
}

// Whether a command is obeyed that changes something.
static bool is_obeyed(const char *command) {
    bool obeyed = chip.write_is_enabled && !is_busy();
    if (!obeyed) {
        board_say("the flash chip ignores a %s: %s", command, is_busy() ? "it is busy" : "no write enable before it");
        chip.ignored++;
    }
    return obeyed;
}

static void begin_operation(uint64_t ns) {
    chip.write_is_enabled = false;
    chip.busy_ns = ns;
    if (chip.stuck_at != STUCK_NEVER && nor_operation_count() > chip.stuck_at) {
        board_say("the flash chip stays busy after operation %u", chip.stuck_at);
        chip.stuck_until_ns = chip.stuck_ns == FOR_EVER ? FOR_EVER : nor_time_ns() + chip.stuck_ns;
        chip.stuck_at = STUCK_NEVER;
    }
}

// Nothing runs beside an operation, so the first look at it, which shows the chip busy, lasts until its end.
uint8_t chip_read_status(void) {
    bool was_busy = is_busy();
    if (chip.busy_ns > 0) {
        nor_pass(chip.busy_ns);
        chip.busy_ns = 0;
    } else if (was_busy) {
        nor_pass(STUCK_LOOK_NS);
    }
    return (uint8_t)(chip.first | (chip.write_is_enabled ? CHIP_STATUS_WEL : 0) | (was_busy ? CHIP_STATUS_WIP : 0));
}

uint8_t chip_read_second_status(void) {
    return chip.second;
}

void chip_write_enable(void) {
    chip.write_is_enabled = chip.write_is_enabled || !is_busy();
}

void chip_write_disable(void) {
    chip.write_is_enabled = chip.write_is_enabled && is_busy();
}

// ---- status register

void chip_note_booting(bool is_booting) {
    chip.is_booting = is_booting;
}

// The file comes into being with the first change.
static void store_status(void) {
    const char *path = host_option("status_file");
    if (path == NULL) {
        return;
    }
    if (chip.file < 0) {
        chip.file = host_open(path, HOST_O_CREATE_EMPTY);
    }
    if (chip.file < 0) {
        broken("cannot write the chip's status register beside the flash file:", path);
    }
    static const char digits[] = "0123456789abcdef";
    char text[] = { digits[chip.second >> 4], digits[chip.second & 15], digits[chip.first >> 4], digits[chip.first & 15], '\n' };
    host_write_at(chip.file, 0, text, sizeof text);
}

void chip_write_status(uint32_t value, uint32_t size) {
    uint32_t before = (uint32_t)chip.second << 8 | chip.first;
    if (!is_obeyed("status write")) {
        return;
    }
    nor_log_status(size == 2 ? value & 0xffff : value & 0xff, size, chip.is_booting ? "boot" : "program");
    *(chip.is_booting ? &chip.boot_status_writes : &chip.status_writes) += 1;
    chip.first = (uint8_t)(value & STATUS_WRITABLE);
    if (chip.kind->second_is_reached) {
        chip.second = size == 2 ? (uint8_t)(value >> 8) : 0;
    }
    if (((uint32_t)chip.second << 8 | chip.first) != before) {
        store_status();
    }
    begin_operation(STATUS_WRITE_NS);
}

static bool is_protected(uint32_t addr) {
    uint32_t level = (chip.first & CHIP_STATUS_BP) >> 2;
    uint32_t size = level == 0 ? 0 : nor_size() >> (7 - level);  // a 64th, a 32nd, ... a half, all
    addr &= nor_size() - 1;
    return (chip.first & CHIP_STATUS_TB) != 0 ? addr < size : addr >= nor_size() - size;
}

// ---- cells

static bool may_change(const char *command, uint32_t addr) {
    if (!is_obeyed(command)) {
        return false;
    }
    if (is_protected(addr)) {
        board_say("the flash chip ignores a %s at 0x%06x: the block-protect bits of its status register are set (0x%02x)",
            command, addr, chip.first);
        chip.ignored++;
        chip.write_is_enabled = false;
        return false;
    }
    return true;
}

void chip_program(uint32_t addr, const void *data, uint32_t size) {
    if (may_change("program", addr)) {
        nor_program(addr, data, size);
        uint32_t ns = PROGRAM_FIRST_BYTE_NS + (size - 1) * PROGRAM_NEXT_BYTE_NS;
        begin_operation(ns < PROGRAM_PAGE_NS ? ns : PROGRAM_PAGE_NS);
    }
}

void chip_erase(uint32_t addr, uint32_t size) {
    // The last byte is protected if any is, or the first.
    if (may_change("erase", (chip.first & CHIP_STATUS_TB) != 0 ? addr : addr + size - 1)) {
        nor_erase(addr, size);
        begin_operation(size == NOR_SECTOR_SIZE ? SECTOR_ERASE_NS : size == NOR_BLOCK_SIZE ? BLOCK_ERASE_NS : CHIP_ERASE_NS);
    }
}

bool chip_reads_noise(bool is_quad) {
    const struct kind *kind = chip.kind;
    bool needs_enable = kind->first_qe != 0 || kind->second_qe != 0;
    bool is_enabled = ((chip.first & kind->first_qe) | (chip.second & kind->second_qe)) != 0;
    return is_busy() || (is_quad && needs_enable && !is_enabled);
}

// What the lines show that nobody drives; the same for the same address. IRAM takes whole words.
static void put_noise(uint32_t addr, void *buffer, uint32_t size) {
    uint32_t *to = buffer;
    for (uint32_t i = 0; i < (size + 3) / 4; i++) {
        uint32_t x = (addr + 4 * i) * 2654435761u + 0x9e3779b9u;  // Knuth's multiplier
        *to++ = x ^ x >> 15;
    }
}

static void say_noise(uint32_t addr) {
    if (chip.noise_reads++ == 0) {
        board_say("noise: a read of 0x%06x from a flash chip %s", addr,
            is_busy() ? "that is busy" : "in a quad mode, whose quad-enable bit is clear");
    }
}

void chip_read(uint32_t addr, void *buffer, uint32_t size, bool is_quad) {
    if (chip_reads_noise(is_quad)) {
        say_noise(addr);
        put_noise(addr, buffer, size);
    } else {
        nor_read(addr, buffer, size);
    }
}

void chip_peek(uint32_t addr, void *buffer, uint32_t size, bool is_quad) {
    if (chip_reads_noise(is_quad)) {
        say_noise(addr);
        put_noise(addr, buffer, size);
    } else {
        nor_peek(addr, buffer, size);
    }
}

void chip_write_stats(int fd) {
    board_write_text(fd, "\"status_writes\": %u, \"boot_status_writes\": %u, \"ignored_commands\": %u, \"noise_reads\": %u}\n",
        chip.status_writes, chip.boot_status_writes, chip.ignored, chip.noise_reads);
}
