// The sums as the host makes them.

#include <stdio.h>

#include "probe.h"

void put_hex(uint32_t value) {
    printf("%x ", value);
}

int main(void) {
    sums();
    return 0;
}
