// The template's boot loader: see loader.c.
#ifndef MOLT_TEMPLATE_LOADER_H
#define MOLT_TEMPLATE_LOADER_H

// Carry out the upgrade that stands in the boot sector. Returns when the firmware is there; then reset.
void molt_template_boot(void);

#endif
