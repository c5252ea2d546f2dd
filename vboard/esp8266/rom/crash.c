// Exceptions. Nothing that a program does wrong is survived: what happened is said, and the run ends.
#include "crash.h"

#include "../board.h"
#include "power.h"
#include "print.h"
#include "rom.h"
#include "watchdog.h"

enum { CAUSE_ILLEGAL = 0, CAUSE_LEVEL1_INTERRUPT = 4 };

struct exception_frame exception_frame;
uint32_t exception_stack[EXCEPTION_STACK_WORDS] __attribute__((aligned(16)));

void exception_handle(const struct exception_frame *frame);

// [Xtensa ISA reference, EXCCAUSE]
static const char *cause_name(uint32_t cause) {
    static const char *const names[] = {
        [0] = "IllegalInstruction",
        [1] = "Syscall",
        [2] = "InstructionFetchError",
        [3] = "LoadStoreError",
        [6] = "IntegerDivideByZero",
        [8] = "Privileged",
        [9] = "LoadStoreAlignment",
        [12] = "InstrPIFDataError",
        [13] = "LoadStorePIFDataError",
        [14] = "InstrPIFAddrError",
        [15] = "LoadStorePIFAddrError",
        [20] = "InstFetchProhibited",
        [28] = "LoadProhibited",
        [29] = "StoreProhibited",
    };
    const char *name = cause < sizeof names / sizeof names[0] ? names[cause] : NULL;
    return name != NULL ? name : "unknown cause";
}

static const char *place(const struct exception_frame *frame) {
    uint32_t pc = frame->epc1;
    if (frame->exccause != CAUSE_ILLEGAL) {
        return "";
    }
    if (pc >= ROM_VADDR && pc < ROM_VADDR + ROM_SIZE) {
        return ": this ROM has no function here";
    }
    if (pc >= WINDOW_VADDR && pc < WINDOW_VADDR + WINDOW_SIZE) {
        return ": in the flash window (is the cache on, and is there code?)";
    }
    return "";
}

void exception_handle(const struct exception_frame *frame) {
    if (frame->exccause == CAUSE_LEVEL1_INTERRUPT) {
        watchdog_interrupt(frame->epc1);
        return;
    }
    board_say("crash: exception %u (%s) at pc 0x%08x%s", frame->exccause, cause_name(frame->exccause), frame->epc1, place(frame));
    board_say("  excvaddr 0x%08x, depc 0x%08x, ps 0x%08x, sar %u", frame->excvaddr, frame->depc, frame->ps, frame->sar);
    for (uint32_t i = 0; i < 16; i += 4) {
        board_say("  a%-2u %08x %08x %08x %08x", i, frame->a[i], frame->a[i + 1], frame->a[i + 2], frame->a[i + 3]);
    }
    power_off(EXIT_CRASH);
}
