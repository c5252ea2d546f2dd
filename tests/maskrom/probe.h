// What the parts of the tests' own ROM share.
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>

void put_hex(uint32_t value);  // and a space
void sums(void);

#endif
