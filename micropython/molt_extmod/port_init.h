// Included before all else by micropython.cmake, where a macro with a semicolon in it cannot be said: mp_init() calls this at each
// start and soft reset. (micropython.mk has it on the command line.)
#ifndef MOLT_MICROPYTHON_PORT_INIT_H
#define MOLT_MICROPYTHON_PORT_INIT_H

#define MICROPY_PORT_INIT_FUNC \
    do { \
        extern void molt_port_init(void); \
        molt_port_init(); \
    } while (0)

#endif
