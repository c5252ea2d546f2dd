// The flash chip.

#include "nor.h"

#include <string.h>

// Opcodes: JEDEC's common set, as in the data sheets that nor.h names.
enum {
    WRITE_STATUS = 0x01,
    PAGE_PROGRAM = 0x02,
    READ = 0x03,
    WRITE_DISABLE = 0x04,
    READ_STATUS = 0x05,
    WRITE_ENABLE = 0x06,
    FAST_READ = 0x0b,
    SECTOR_ERASE = 0x20,
    WRITE_STATUS_2 = 0x31,
    READ_STATUS_2 = 0x35,
    DUAL_OUTPUT_READ = 0x3b,
    BLOCK32_ERASE = 0x52,
    QUAD_OUTPUT_READ = 0x6b,
    READ_ID = 0x9f,
    RELEASE_POWER_DOWN = 0xab,
    DUAL_IO_READ = 0xbb,
    BLOCK_ERASE = 0xd8,
    QUAD_IO_READ = 0xeb,
};

#define PAGE_SIZE 256u
#define SECTOR_SIZE 0x1000u
#define BLOCK32_SIZE 0x8000u
#define BLOCK_SIZE 0x10000u

const nor_kind_t nor_kinds[] = {
    { "w25q", "QE in status register 2, which 01h writes with its second byte", NOR_QUAD_SR2, NOR_WRSR_TWO, 0, 0 },
    { "w25q-old", "the same, but 01h with one byte clears register 2", NOR_QUAD_SR2, NOR_WRSR_CLEAR, 0, 0 },
    { "gd25q-c", "QE in status register 2, set by its maker, which only 31h writes", NOR_QUAD_SR2, NOR_WRSR_ONE, 0, NOR_SR2_QE },
    { "mx25l", "QE in bit 6 of status register 1, set by its maker", NOR_QUAD_SR1, NOR_WRSR_ONE, NOR_SR1_QE, 0 },
    { "plain", "no QE: four data lines whenever it is asked for them", NOR_QUAD_ALWAYS, NOR_WRSR_ONE, 0, 0 },
    { NULL, NULL, NOR_QUAD_ALWAYS, NOR_WRSR_ONE, 0, 0 },
};

const nor_kind_t *nor_kind(const char *name) {
    for (const nor_kind_t *kind = nor_kinds; kind->name; kind++) {
        if (strcmp(kind->name, name) == 0) {
            return kind;
        }
    }
    return NULL;
}

int nor_tear(const char *name) {
    static const char *const names[NOR_TEAR_COUNT] = { "before", "after", "prefix", "suffix", "random", "stray", "zero" };
    for (int i = 0; i < NOR_TEAR_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

bool nor_is_busy(const nor_t *nor, uint64_t now_ns) {
    return now_ns < nor->busy_until_ns;
}

// xorshift32.
static uint32_t next_random(nor_t *nor) {
    nor->random ^= nor->random << 13;
    nor->random ^= nor->random >> 17;
    nor->random ^= nor->random << 5;
    return nor->random;
}

static void fault(nor_t *nor, const nor_command_t *command, const char *why) {
    if (nor->fault_count++ == 0) {
        snprintf(nor->fault, sizeof nor->fault, "command %02x for 0x%06x %s", command->opcode, command->addr, why);
    }
}

static bool has_quad(const nor_t *nor) {
    switch (nor->kind->quad) {
        case NOR_QUAD_SR2:
            return nor->sr2 & NOR_SR2_QE;
        case NOR_QUAD_SR1:
            return nor->sr1 & NOR_SR1_QE;
        case NOR_QUAD_ALWAYS:
            break;
    }
    return true;
}

static void read_bytes(nor_t *nor, const nor_command_t *command, bool is_quad) {
    nor->read_size += command->in_size;
    bool is_noise = is_quad && !has_quad(nor);
    nor->noise_count += is_noise;
    for (uint32_t i = 0; i < command->in_size; i++) {
        command->in[i] = is_noise ? (uint8_t)(next_random(nor) >> 9) : nor->bytes[(command->addr + i) & (nor->size - 1)];
    }
}

// Leave `old` as a torn operation that was to make it `new`.
static void tear_bytes(nor_t *nor, uint8_t *old, const uint8_t *new, uint32_t size, bool is_erase) {
    uint32_t half = size / 2;
    switch (nor->cut_tear) {
        case NOR_BEFORE:
        case NOR_TEAR_COUNT:
            break;
        case NOR_AFTER:
            memcpy(old, new, size);
            break;
        case NOR_PREFIX:
            memcpy(old, new, half);
            break;
        case NOR_SUFFIX:
            memcpy(old + half, new + half, size - half);
            break;
        case NOR_RANDOM:
            for (uint32_t i = 0; i < size; i++) {
                uint8_t done = (uint8_t)(next_random(nor) >> 11);
                old[i] = (uint8_t)((old[i] & ~done) | (new[i] & done));
            }
            break;
        case NOR_STRAY: {
            uint32_t at = next_random(nor) % size;
            uint8_t bit = (uint8_t)(1u << (next_random(nor) >> 9) % 8);
            uint8_t stray = (uint8_t)(is_erase ? new[at] & ~bit : (new[at] & ~bit) | (old[at] & bit));
            memcpy(old, new, size);
            old[at] = stray;
            break;
        }
        case NOR_ZERO:
            if (is_erase) {
                memset(old, 0, size);
            }
            break;
    }
}

// One numbered operation: bytes at `addr` become `new`, or the power is cut in it. False after a cut.
static bool operate(nor_t *nor, const char *name, uint32_t addr, const uint8_t *new, uint32_t size, bool is_erase) {
    bool is_cut = nor->cut_op >= 0 && (uint64_t)nor->cut_op == nor->op_count;
    if (nor->log) {
        fprintf(nor->log, "%llu %s 0x%06x %u%s\n", (unsigned long long)nor->op_count, name, addr, size, is_cut ? " cut" : "");
    }
    nor->op_count++;
    if (is_cut) {
        tear_bytes(nor, nor->bytes + addr, new, size, is_erase);
        nor->is_cut = true;
        return false;
    }
    memcpy(nor->bytes + addr, new, size);
    nor->is_enabled = false;
    return true;
}

// May this command change the chip?
static bool may_write(nor_t *nor, const nor_command_t *command) {
    if (!nor->is_enabled) {
        fault(nor, command, "without a write enable before it");
        return false;
    }
    if (nor->sr1 & NOR_SR1_PROTECT) {
        fault(nor, command, "on a chip that is write-protected");
        nor->is_enabled = false;
        return false;
    }
    return true;
}

static void erase(nor_t *nor, const nor_command_t *command, uint32_t size, uint32_t us, uint64_t now_ns) {
    static uint8_t ones[BLOCK_SIZE];
    const char *name = size == SECTOR_SIZE ? "sector" : size == BLOCK_SIZE ? "block" : "block32";
    memset(ones, 0xff, sizeof ones);
    if (may_write(nor, command) && operate(nor, name, command->addr & (nor->size - 1) & ~(size - 1), ones, size, true)) {
        nor->sector_count += size == SECTOR_SIZE;
        nor->block_count += size != SECTOR_SIZE;
        nor->busy_until_ns = now_ns + us * 1000ull;
    }
}

static void program(nor_t *nor, const nor_command_t *command, uint64_t now_ns) {
    uint8_t new[PAGE_SIZE];
    uint32_t addr = command->addr & (nor->size - 1);
    uint32_t at = addr % PAGE_SIZE;
    uint32_t size = command->out_size;
    if (!may_write(nor, command)) {
        return;
    }
    if (size == 0 || size > PAGE_SIZE - at) {
        fault(nor, command, "leaves its page");  // a chip goes on at the page's beginning
        nor->is_enabled = false;
        return;
    }
    for (uint32_t i = 0; i < size; i++) {
        new[i] = nor->bytes[addr + i] & command->out[i];
    }
    if (operate(nor, "page", addr, new, size, false)) {
        uint64_t ns = NOR_PROGRAM_FIRST_NS + (uint64_t)(size - 1) * NOR_PROGRAM_NEXT_NS;
        nor->program_count++;
        nor->busy_until_ns = now_ns + (ns < NOR_PAGE_US * 1000ull ? ns : NOR_PAGE_US * 1000ull);
    }
}

static void write_status(nor_t *nor, const nor_command_t *command, uint64_t now_ns) {
    if (!nor->is_enabled) {
        fault(nor, command, "without a write enable before it");
        return;
    }
    if (command->opcode == WRITE_STATUS_2) {
        nor->sr2 = command->out[0];
    } else {
        nor->sr1 = (uint8_t)(command->out[0] & ~(NOR_SR1_WIP | NOR_SR1_WEL));
        if (nor->kind->wrsr != NOR_WRSR_ONE && command->out_size > 1) {
            nor->sr2 = command->out[1];
        } else if (nor->kind->wrsr == NOR_WRSR_CLEAR) {
            nor->sr2 = 0;
        }
    }
    if (nor->log) {
        fprintf(nor->log, "- status 0x%02x 0x%02x, written by %02x with %u bytes\n", nor->sr1, nor->sr2, command->opcode,
            command->out_size);
    }
    nor->status_write_count++;
    nor->is_enabled = false;
    nor->busy_until_ns = now_ns + NOR_STATUS_US * 1000ull;
}

static void read_status(nor_t *nor, const nor_command_t *command, uint64_t now_ns) {
    uint32_t sr1 = nor->sr1 | (nor_is_busy(nor, now_ns) ? NOR_SR1_WIP : 0) | (nor->is_enabled ? NOR_SR1_WEL : 0);
    nor->status_read_count++;
    // The chip repeats the register for as long as it is clocked.
    memset(command->in, command->opcode == READ_STATUS ? (int)sr1 : nor->sr2, command->in_size);
}

static void read_id(const nor_command_t *command) {
    static const uint8_t id[] = { 0xef, 0x40, 0x16 };  // a W25Q32
    for (uint32_t i = 0; i < command->in_size; i++) {
        command->in[i] = id[i % sizeof id];
    }
}

void nor_do(nor_t *nor, const nor_command_t *command, uint64_t now_ns) {
    if (nor_is_busy(nor, now_ns) && command->opcode != READ_STATUS && command->opcode != READ_STATUS_2) {
        fault(nor, command, "while the chip was busy");
        return;
    }
    switch (command->opcode) {
        case READ:
        case FAST_READ:
        case DUAL_OUTPUT_READ:
        case DUAL_IO_READ:
            read_bytes(nor, command, false);
            break;
        case QUAD_OUTPUT_READ:
        case QUAD_IO_READ:
            read_bytes(nor, command, true);
            break;
        case WRITE_ENABLE:
            nor->is_enabled = true;
            break;
        case WRITE_DISABLE:
            nor->is_enabled = false;
            break;
        case READ_STATUS:
        case READ_STATUS_2:
            read_status(nor, command, now_ns);
            break;
        case WRITE_STATUS:
        case WRITE_STATUS_2:
            write_status(nor, command, now_ns);
            break;
        case PAGE_PROGRAM:
            program(nor, command, now_ns);
            break;
        case SECTOR_ERASE:
            erase(nor, command, SECTOR_SIZE, NOR_SECTOR_US, now_ns);
            break;
        case BLOCK32_ERASE:
            erase(nor, command, BLOCK32_SIZE, NOR_BLOCK32_US, now_ns);
            break;
        case BLOCK_ERASE:
            erase(nor, command, BLOCK_SIZE, NOR_BLOCK_US, now_ns);
            break;
        case READ_ID:
            read_id(command);
            break;
        case RELEASE_POWER_DOWN:
            break;
        default:
            fault(nor, command, "is not in the model");
    }
}
