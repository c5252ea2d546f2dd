// Where ESP-IDF 6 has it.
#include "../../../../../micropython/vport-esp32c3/idf/include/esp_flash_internal.h"
