// The cut suite on the boot loaders' sources as they are compiled for the chip.

#include "shipped.h"

const sim_code_t *cut_code(void) {
    static sim_code_t code;
    code = (sim_code_t){ shipped_once, shipped_resident, shipped_overlay, shipped_standby, shipped_delta.open,
        shipped_delta.finish, shipped_delta_standby };
    return &code;
}
