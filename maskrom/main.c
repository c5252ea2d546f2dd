// maskrom: run the mask ROM of an ESP8266, from a dump of it, on a flash file.

#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

// Exit statuses, those of vboard/run.
enum {
    STATUS_HANGS = 70,
    STATUS_CRASHES = 71,
    STATUS_CUT = 72,
    STATUS_TOO_LONG = 74,
    STATUS_NOT_SET_UP = 75,
};

#define NOWHERE 1u
#define FLASH_SIZE_MIN 0x80000u
#define FLASH_SIZE_MAX 0x1000000u

typedef struct options {
    const char *rom_path;
    const char *flash_path;
    const char *log_path;
    const char *stats_path;
    const char *ram_path;
    const nor_kind_t *kind;
    int64_t cut_op;
    nor_tear_t cut_tear;
    uint32_t until_vaddr;
    uint32_t seed;
    uint32_t software_cause;
    bool keeps_registers;
    bool has_status;
    uint32_t status;  // register 2 << 8 | register 1
    uint64_t instruction_max;
    uint32_t reset_max;
} options_t;

enum {
    OPTION_UNTIL = 256,
    OPTION_CUT,
    OPTION_CHIP,
    OPTION_STATUS,
    OPTION_LOG,
    OPTION_STATS,
    OPTION_RAM,
    OPTION_SEED,
    OPTION_LIMIT,
    OPTION_RESETS,
    OPTION_CAUSE,
    OPTION_KEEP,
};

static const struct argp_option option_list[] = {
    { "until", OPTION_UNTIL, "VADDR", 0, "Stop when the instruction at this address is next: a firmware's entry, say", 0 },
    { "cut", OPTION_CUT, "N[:TEAR]", 0,
        "Cut the power in flash operation N (the first is 0). TEAR: before (the default), after, "
        "prefix, suffix, random, stray or zero",
        0 },
    { "chip", OPTION_CHIP, "KIND", 0, "w25q (the default), w25q-old, gd25q-c, mx25l or plain", 0 },
    { "status", OPTION_STATUS, "N", 0, "Status registers at the beginning, second << 8 | first, instead of those in FLASH.status",
        0 },
    { "log", OPTION_LOG, "FILE", 0, "A line for each flash operation", 0 },
    { "stats", OPTION_STATS, "FILE", 0, "Counts at the end, one line of JSON (-: standard error)", 0 },
    { "ram", OPTION_RAM, "FILE", 0, "At the end, what is in RAM (96 KB from 0x3ffe8000) and IRAM (64 KB)", 0 },
    { "seed", OPTION_SEED, "N", 0, "Of the noise in RAM, of tears and of noisy reads (1)", 0 },
    { "limit", OPTION_LIMIT, "N", 0, "Give up after N million instructions (3000)", 0 },
    { "resets", OPTION_RESETS, "N", 0, "Give up after N resets (4)", 0 },
    { "cause", OPTION_CAUSE, "N", 0, "What the RTC says caused a reset by software (2)", 0 },
    { "keep-registers", OPTION_KEEP, 0, 0, "A reset leaves the registers as they are, instead of clearing them", 0 },
    { 0 },
};

static uint32_t parse_number(const char *text, struct argp_state *state) {
    char *end;
    unsigned long value = strtoul(text, &end, 0);
    if (end == text || *end || value > UINT32_MAX) {
        argp_error(state, "%s is not a number", text);
    }
    return (uint32_t)value;
}

static void parse_cut(options_t *options, const char *text, struct argp_state *state) {
    char number[20] = "";
    const char *colon = strchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : strlen(text);
    int tear = colon ? nor_tear(colon + 1) : NOR_BEFORE;
    if (size >= sizeof number || tear < 0) {
        argp_error(state, "%s is not a power cut", text);
        return;
    }
    memcpy(number, text, size);
    options->cut_op = parse_number(number, state);
    options->cut_tear = (nor_tear_t)tear;
}

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    options_t *options = state->input;
    switch (key) {
        case OPTION_UNTIL:
            options->until_vaddr = parse_number(arg, state);
            break;
        case OPTION_CUT:
            parse_cut(options, arg, state);
            break;
        case OPTION_CHIP:
            options->kind = nor_kind(arg);
            if (options->kind == NULL) {
                argp_error(state, "%s is no kind of chip", arg);
            }
            break;
        case OPTION_STATUS:
            options->has_status = true;
            options->status = parse_number(arg, state);
            break;
        case OPTION_LOG:
            options->log_path = arg;
            break;
        case OPTION_STATS:
            options->stats_path = arg;
            break;
        case OPTION_RAM:
            options->ram_path = arg;
            break;
        case OPTION_SEED:
            // A generator that starts from 0 would stay there.
            options->seed = parse_number(arg, state) * 2654435761u | 1;
            break;
        case OPTION_LIMIT:
            options->instruction_max = parse_number(arg, state) * 1000000ull;
            break;
        case OPTION_RESETS:
            options->reset_max = parse_number(arg, state);
            break;
        case OPTION_CAUSE:
            options->software_cause = parse_number(arg, state);
            break;
        case OPTION_KEEP:
            options->keeps_registers = true;
            break;
        case ARGP_KEY_ARG:
            if (state->arg_num > 1) {
                argp_usage(state);
            }
            *(state->arg_num == 0 ? &options->rom_path : &options->flash_path) = arg;
            break;
        case ARGP_KEY_END:
            if (state->arg_num < 2) {
                argp_usage(state);
            }
            break;
        default:
            return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int say(const char *path, const char *sentence) {
    fprintf(stderr, "maskrom: %s: %s\n", path, sentence);
    return STATUS_NOT_SET_UP;
}

static bool is_flash_size(long size) {
    return size >= (long)FLASH_SIZE_MIN && size <= (long)FLASH_SIZE_MAX && (size & (size - 1)) == 0;
}

// The flash file's bytes, to be freed; NULL after having said what is wrong.
static uint8_t *read_flash(const char *path, uint32_t *size) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long end = -1;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        end = ftell(file);
        rewind(file);
    }
    if (!is_flash_size(end)) {
        say(path, "is no flash file, which has 512 KB to 16 MB, a power of two");
    } else {
        bytes = malloc((size_t)end);
        if (bytes && fread(bytes, 1, (size_t)end, file) != (size_t)end) {
            say(path, "cannot be read");
            free(bytes);
            bytes = NULL;
        }
        *size = (uint32_t)end;
    }
    if (file) {
        fclose(file);
    }
    return bytes;
}

static bool read_rom(board_t *board, const char *path) {
    FILE *file = fopen(path, "rb");
    bool is_whole = file && fread(board->rom, 1, BOARD_ROM_SIZE, file) == BOARD_ROM_SIZE && fgetc(file) == EOF;
    if (file) {
        fclose(file);
    }
    if (!is_whole) {
        say(path, "is no dump of the mask ROM, which has 65536 bytes; esptool dump_mem 0x40000000 65536 FILE makes one");
    }
    return is_whole;
}

static void status_path(const char *flash_path, char *path, size_t path_size) {
    snprintf(path, path_size, "%s.status", flash_path);
}

// The chip's status registers outlast its power; they are in a file beside the flash file.
static void read_status(nor_t *nor, const options_t *options) {
    char path[4096];
    unsigned status = (unsigned)nor->kind->sr2_new << 8 | nor->kind->sr1_new;
    status_path(options->flash_path, path, sizeof path);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%x", &status) != 1) {
            say(path, "is not a hexadecimal number and counts for nothing");
        }
        fclose(file);
    }
    status = options->has_status ? options->status : status;
    nor->sr1 = (uint8_t)(status & ~(NOR_SR1_WIP | NOR_SR1_WEL));
    nor->sr2 = (uint8_t)(status >> 8);
}

static bool write_file(const char *path, const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    bool is_written = file && fwrite(bytes, 1, size, file) == size;
    if (file) {
        is_written = fclose(file) == 0 && is_written;
    }
    if (!is_written) {
        say(path, "cannot be written");
    }
    return is_written;
}

static bool write_chip(const board_t *board, const options_t *options) {
    char path[4096];
    char text[8];
    status_path(options->flash_path, path, sizeof path);
    snprintf(text, sizeof text, "%04x\n", (unsigned)board->nor.sr2 << 8 | board->nor.sr1);
    return write_file(options->flash_path, board->nor.bytes, board->nor.size) && write_file(path, text, strlen(text));
}

static bool write_ram(const board_t *board, const char *path) {
    static uint8_t both[BOARD_RAM_SIZE + BOARD_IRAM_SIZE];
    memcpy(both, board->ram, BOARD_RAM_SIZE);
    memcpy(both + BOARD_RAM_SIZE, board->iram, BOARD_IRAM_SIZE);
    return write_file(path, both, sizeof both);
}

static bool write_stats(const board_t *board, const char *path, int status) {
    const nor_t *nor = &board->nor;
    char text[1000];
    int size = snprintf(text, sizeof text,
        "{\"status\": %d, \"pc\": %u, \"instructions\": %llu, \"seconds\": %.6f, \"resets\": %llu, \"watchdog_bites\": %llu, "
        "\"operations\": %llu, \"sector_erases\": %llu, \"block_erases\": %llu, \"page_programs\": %llu, \"bytes_read\": %llu, "
        "\"status_writes\": %llu, \"noisy_reads\": %llu, \"faults\": %llu, \"exceptions\": %llu, \"stack_low\": %u, "
        "\"status_registers\": [%u, %u]}\n",
        status, board->cpu.pc, (unsigned long long)board->cpu.instruction_count, (double)board_now_ns(board) / 1e9,
        (unsigned long long)board->reset_count, (unsigned long long)board->bite_count, (unsigned long long)nor->op_count,
        (unsigned long long)nor->sector_count, (unsigned long long)nor->block_count, (unsigned long long)nor->program_count,
        (unsigned long long)nor->read_size, (unsigned long long)nor->status_write_count, (unsigned long long)nor->noise_count,
        (unsigned long long)nor->fault_count, (unsigned long long)board->cpu.exception_count, board->cpu.stack_low, nor->sr1,
        nor->sr2);
    if (strcmp(path, "-") == 0) {
        fputs(text, stderr);
        return true;
    }
    return write_file(path, text, (size_t)size);
}

static void say_end(const board_t *board, board_end_t end) {
    const lx106_t *cpu = &board->cpu;
    char text[200];
    fflush(stdout);
    board_text(board, end, text, sizeof text);
    fprintf(stderr, "\nmaskrom: %s\n", text);
    if (cpu->exception_count) {
        fprintf(stderr, "maskrom: %llu exceptions, the first of cause %u at 0x%08x, about address 0x%08x\n",
            (unsigned long long)cpu->exception_count, cpu->exception_cause, cpu->exception_pc, cpu->exception_vaddr);
    }
    if (board->nor.fault_count) {
        fprintf(stderr, "maskrom: the flash chip has ignored %llu commands, the first: %s\n",
            (unsigned long long)board->nor.fault_count, board->nor.fault);
    }
    if (board->nor.noise_count) {
        fprintf(stderr, "maskrom: %llu reads by four lines of a chip that is not in quad mode\n",
            (unsigned long long)board->nor.noise_count);
    }
}

static int exit_status(board_end_t end) {
    switch (end) {
        case BOARD_AT_VADDR:
            return 0;
        case BOARD_HANGS:
            return STATUS_HANGS;
        case BOARD_CRASHES:
            return STATUS_CRASHES;
        case BOARD_CUT:
            return STATUS_CUT;
        case BOARD_TAKES_TOO_LONG:
        case BOARD_RESETS_TOO_OFTEN:
            break;
    }
    return STATUS_TOO_LONG;
}

static bool set_up(board_t *board, const options_t *options) {
    if (!read_rom(board, options->rom_path)) {
        return false;
    }
    board->nor = (nor_t){
        .kind = options->kind, .cut_op = options->cut_op, .cut_tear = options->cut_tear, .random = options->seed
    };
    board->nor.bytes = read_flash(options->flash_path, &board->nor.size);
    if (board->nor.bytes == NULL) {
        return false;
    }
    read_status(&board->nor, options);
    if (options->log_path) {
        board->nor.log = fopen(options->log_path, "w");
        if (board->nor.log == NULL) {
            say(options->log_path, "cannot be written");
            return false;
        }
    }
    board->uart = stdout;
    board->seed = options->seed;
    board->software_cause = options->software_cause;
    board->keeps_registers = options->keeps_registers;
    board->instruction_max = options->instruction_max;
    board->reset_max = options->reset_max;
    board->cpu.stop_vaddr = options->until_vaddr;
    return true;
}

static bool put_away(board_t *board, const options_t *options, int status) {
    bool is_written = write_chip(board, options);
    if (options->ram_path) {
        is_written = write_ram(board, options->ram_path) && is_written;
    }
    if (options->stats_path) {
        is_written = write_stats(board, options->stats_path, status) && is_written;
    }
    if (board->nor.log) {
        is_written = fclose(board->nor.log) == 0 && is_written;
    }
    return is_written;
}

int main(int argc, char **argv) {
    static const struct argp argp = { option_list, parse_option, "ROM FLASH",
        "Switch on an ESP8266 whose mask ROM is the file ROM, as `esptool dump_mem 0x40000000 65536 ROM` reads it from a chip, and "
        "whose flash chip is the file FLASH; UART0 is standard output. FLASH is changed as the chip would be.\v"
        "Status 0: the address of --until was reached; 70: it hangs; 71: it did what the chip does not have; 72: the power was "
        "cut; 74: it took too long; 75: something could not be set up.",
        NULL, NULL, NULL };
    static board_t board;
    options_t options = { .kind = &nor_kinds[0],
        .cut_op = -1,
        .until_vaddr = NOWHERE,
        .seed = 1,
        .software_cause = BOARD_CAUSE_SOFTWARE,
        .instruction_max = 3000000000ull,
        .reset_max = 4 };
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    int status = STATUS_NOT_SET_UP;
    if (set_up(&board, &options)) {
        board_power_on(&board);
        board_end_t end = board_run(&board);
        say_end(&board, end);
        status = exit_status(end);
        if (!put_away(&board, &options, status)) {
            status = STATUS_NOT_SET_UP;
        }
    }
    free(board.nor.bytes);
    return status;
}
