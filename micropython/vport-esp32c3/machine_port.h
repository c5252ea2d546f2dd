#ifndef MICROPY_INCLUDED_VPORT_MACHINE_PORT_H
#define MICROPY_INCLUDED_VPORT_MACHINE_PORT_H

void machine_init(void);
void machine_deinit(void);

#endif
