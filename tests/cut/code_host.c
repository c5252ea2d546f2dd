// The cut suite on the host's own compilation of the core.

#include "shipped.h"

#include <stddef.h>

const sim_code_t *cut_code(void) {
    return NULL;
}
