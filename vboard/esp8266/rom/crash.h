// The processor's state at an exception, as start.S saves it.
#ifndef VBOARD_ROM_CRASH_H
#define VBOARD_ROM_CRASH_H

#include <stdint.h>

struct exception_frame {
    uint32_t a[16];
    uint32_t ps;
    uint32_t epc1;
    uint32_t exccause;
    uint32_t excvaddr;
    uint32_t sar;
    uint32_t depc;
};

#define EXCEPTION_STACK_WORDS 512  // start.S knows it too

extern struct exception_frame exception_frame;
extern uint32_t exception_stack[EXCEPTION_STACK_WORDS];

#endif
