// The cut suite on the boot loaders' sources as they are compiled for the chip.

#include "shipped.h"

const sim_code_t *const cut_code_once = &shipped_once;
const sim_code_t *const cut_code_resident = &shipped_resident;
