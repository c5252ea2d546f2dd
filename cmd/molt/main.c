// molt: the command-line tool. Finds the command and runs it.

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "commands.h"
#include "image/image.h"
#include "molt/version.h"
#include "molt_esp32.h"
#include "molt_esp8266.h"
#include "say.h"
#include "upgrade/plan.h"

const command_t commands[] = {
    { "info", "IMAGE", "what a firmware image or a dump is, and whether it is whole", cmd_info },
    { "doctor", "FLASH", "what a board is, how it can be upgraded, what is in the way", cmd_doctor },
    { "mkflash", "OUT", "make a flash dump from a firmware and files", cmd_mkflash },
    { "map", "[FLASH]", "show what lies where in flash, and what is free", cmd_map },
    { "migrate", "FLASH OUT", "give a flash dump another flash map, every file kept", cmd_migrate },
    { "ls", "FLASH [DIR]", "list the files in a flash dump", cmd_ls },
    { "get", "FLASH PATH [OUT]", "copy a file out of a flash dump", cmd_get },
    { "put", "FLASH FILE[:PATH]", "copy a file into a flash dump", cmd_put },
    { "rm", "FLASH PATH", "remove a file or an empty directory", cmd_rm },
    { "extents", "FLASH PATH", "where a file's bytes lie in flash", cmd_extents },
    { "frozen", "VERB FLASH ...", "list, add, remove and check dynamic frozen modules", cmd_frozen },
    { "plan", "FLASH PATH", "what an upgrade would do, and how long it takes", cmd_plan },
    { "upgrade", "FLASH PATH", "upgrade the firmware from a file on its own filesystem", cmd_upgrade },
    { "boot", "FLASH", "power the device on: an interrupted upgrade goes on", cmd_boot },
    { "install", "FLASH", "put molt's loader in to stay: no upgrade can brick after that", cmd_install },
    { "uninstall", "FLASH", "take it out again", cmd_uninstall },
    { "compress", "IMAGE [OUT]", "make a gzip file of a firmware, to upgrade from", cmd_compress },
    { "delta", "OLD NEW [OUT]", "make a small file that turns one firmware into another", cmd_delta },
    { "torture", "FLASH PATH", "cut the power everywhere and see what recovers", cmd_torture },
    { "push", "HOST... FILE", "upgrade devices over the network, one first", cmd_push },
    { "status", "HOST...", "what devices in the network run, and what became of them", cmd_status },
    { "version", "", "print the versions of tool and boot loader", cmd_version },
    { "help", "[COMMAND]", "print this list, or help for one command", cmd_help },
    { NULL, NULL, NULL, NULL },
};

static const command_t *find(const char *name) {
    for (const command_t *command = commands; command->name; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

static int run(const command_t *command, int argc, char **argv) {
    char name[32];
    snprintf(name, sizeof name, "molt %s", command->name);
    argv[0] = name;
    return command->run(argc, argv);
}

static void print_help(FILE *out) {
    fprintf(out,
        "usage: molt COMMAND [ARGUMENT...]\n\n"
        "An ESP8266, an ESP32, or an ESP32-C2, C3, C6, C61 or H2, upgrades itself from a file on its own littlefs. FLASH is a raw dump of a\n"
        "whole chip, as esptool read_flash writes it; PATH is a path on the littlefs in it; HOST is a device in the network\n"
        "with molt_web.\n\n");
    for (const command_t *command = commands; command->name; command++) {
        fprintf(out, "  %-9s %-18s %s\n", command->name, command->synopsis, command->summary);
    }
    fprintf(out, "\n`molt help COMMAND` tells more. Exit status: 0; 1 if it could not be done, and nothing was changed;\n"
                 "2 for a mistake on the command line.\n");
}

int cmd_version(int argc, char **argv) {
    if (argc > 1) {
        fprintf(stderr, "usage: %s\n", argv[0]);
        return strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    printf("molt %s\n", MOLT_VERSION);
    const molt_loader_t *once = &molt_esp8266.transient;
    printf("plan format %u, boot loader for ESP8266 of %u bytes, CRC-32 0x%08x\n", MOLT_PLAN_VERSION, once->size,
        molt_crc32(0, once->image, once->size));
    for (const molt_target_t *const *target = molt_esp32_targets; *target; target++) {
        const molt_standby_chip_t *standby = (*target)->standby;
        printf("standby loader for %s of %u bytes, CRC-32 0x%08x\n", molt_chip_text((*target)->chip), standby->code_size,
            molt_crc32(0, standby->code, standby->code_size));
    }
    return 0;
}

int cmd_help(int argc, char **argv) {
    if (argc < 2 || argv[1][0] == '-') {
        print_help(stdout);
        return 0;
    }
    const command_t *command = find(argv[1]);
    if (command == NULL || argc > 2) {
        fprintf(stderr, "molt: help for what? `molt help` lists the commands\n");
        return 2;
    }
    if (command->run == cmd_help || command->run == cmd_version) {
        printf("usage: molt %s %s\n\n%s\n", command->name, command->synopsis, command->summary);
        return 0;
    }
    char help[] = "--help";
    char *help_argv[] = { NULL, help, NULL };
    return run(command, 2, help_argv);
}

// Output that got lost (a full disk, say) is a failure, too.
static int flush(int status) {
    bool is_lost = fflush(stdout) != 0 || ferror(stdout);
    return is_lost && status == 0 ? say_fail("the output cannot be written; check the disk it goes to") : status;
}

int main(int argc, char **argv) {
    argp_err_exit_status = 2;
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return flush(0);
    }
    const command_t *command = find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (command == NULL) {
        fprintf(stderr, "molt: there is no command %s; `molt help` lists them\n", argv[1]);
        return 2;
    }
    return flush(run(command, argc - 1, argv + 1));
}
