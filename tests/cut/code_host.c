// The cut suite on the host's own compilation of the core.

#include "shipped.h"

#include <stddef.h>

const sim_code_t *const cut_code_once = NULL;
const sim_code_t *const cut_code_resident = NULL;
