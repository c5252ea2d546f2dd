// The commands of the tool. Each is called with argv[0] = "molt COMMAND" and returns the exit status: 0, 1 (a
// sentence was printed, nothing was changed) or 2 (usage).
#ifndef MOLT_CMD_COMMANDS_H
#define MOLT_CMD_COMMANDS_H

typedef struct command {
    const char *name;
    const char *synopsis;  // of its arguments
    const char *summary;   // half a line
    int (*run)(int argc, char **argv);
} command_t;

extern const command_t commands[];  // ends with a NULL name

int cmd_info(int argc, char **argv);
int cmd_mkflash(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_put(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_extents(int argc, char **argv);
int cmd_frozen(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_upgrade(int argc, char **argv);
int cmd_boot(int argc, char **argv);
int cmd_torture(int argc, char **argv);
int cmd_install(int argc, char **argv);
int cmd_uninstall(int argc, char **argv);
int cmd_compress(int argc, char **argv);
int cmd_delta(int argc, char **argv);
int cmd_push(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_help(int argc, char **argv);

#endif
