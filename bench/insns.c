// A QEMU plugin that counts the instructions of molt's boot loader and of its extension, and all those from power-on to
// the first one of a firmware. They run in different places, so an address is enough to tell them. Prints the numbers on
// standard error at the end.
//
// Counted by translated blocks: a block that an exception leaves early counts whole. Mask-ROM functions are not in the
// first two: those of the virtual board are not the chip's.

#include <stdio.h>
#include <stdlib.h>

#include "plugin/qemu_plugin.h"

#define FIRMWARE_VADDR 0x40100000u
// ports/esp8266/extension.ld and loader.ld.
#define EXTENSION_VADDR 0x4010d000u
#define LOADER_VADDR 0x4010f000u
#define LOADER_END 0x40110000u

static uint64_t counts[2];
static uint64_t start_count;
static int is_started;

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static void loader_ran(unsigned cpu, void *user) {
    (void)cpu;
    counts[0] += (uintptr_t)user;
}

static void extension_ran(unsigned cpu, void *user) {
    (void)cpu;
    counts[1] += (uintptr_t)user;
}

static void something_ran(unsigned cpu, void *user) {
    (void)cpu;
    start_count += is_started ? 0 : (uintptr_t)user;
}

static void firmware_ran(unsigned cpu, void *user) {
    (void)cpu;
    (void)user;
    is_started = 1;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    uint64_t vaddr = qemu_plugin_tb_vaddr(tb);
    if (vaddr >= FIRMWARE_VADDR && vaddr < EXTENSION_VADDR) {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, firmware_ran, QEMU_PLUGIN_CB_NO_REGS, 0);
    } else if (!is_started) {
        qemu_plugin_register_vcpu_tb_exec_cb(
            tb, something_ran, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb));
    }
    if (vaddr < EXTENSION_VADDR || vaddr >= LOADER_END) {
        return;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, vaddr < LOADER_VADDR ? extension_ran : loader_ran, QEMU_PLUGIN_CB_NO_REGS,
        (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb));
}

static void finish(void) {
    fprintf(stderr, "instructions: loader %llu extension %llu start %llu\n", (unsigned long long)counts[0],
        (unsigned long long)counts[1], (unsigned long long)start_count);
}

__attribute__((visibility("default"))) int qemu_plugin_install(
    qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv) {
    (void)info;
    (void)argc;
    (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return atexit(finish);
}
