// A simulated device around a simulated chip: what happens from power-on until a firmware runs.
//
// The mask ROM here is a function that looks at sector 0: molt's boot sector there means that molt_boot_run() is
// called, the same code that runs in the chip's boot loader; any other valid image means that a firmware starts;
// anything else is a brick. On an ESP32 it is the model of the second-stage boot loader that looks.
#ifndef MOLT_SIM_DEVICE_H
#define MOLT_SIM_DEVICE_H

#include "delta/delta_run.h"
#include "molt/target.h"
#include "nor.h"
#include "resident/resident.h"
#include "upgrade/boot.h"

// What the mask ROM wants an image to begin with.
#define SIM_ROM_MAGIC 0xE9

typedef enum sim_outcome {
    SIM_FIRMWARE,  // a firmware runs
    SIM_CUT,       // the power was cut on the way
    SIM_BRICK,     // nothing in sector 0 that the mask ROM would start
    SIM_STUCK,     // the boot loader gave up; error in *err
} sim_outcome_t;

// What boot loaders call of the core: the functions of one compilation of it.
typedef struct sim_code {
    __typeof__(&molt_boot_run) boot_run;
    __typeof__(&molt_resident_start) resident_start;
    __typeof__(&molt_resident_act) resident_act;
    __typeof__(&molt_boot_standby) boot_standby;
    __typeof__(&molt_delta_run_open) delta_open;  // of the extension for delta files
    __typeof__(&molt_delta_run_finish) delta_finish;
    __typeof__(&molt_delta_run_standby) delta_standby;  // of that of a standby loader
} sim_code_t;

typedef struct sim_device {
    sim_nor_t *nor;
    molt_loader_t loader;             // what counts as molt's boot loader
    molt_loader_t resident;           // and as its resident one; size 0 for none
    const sim_code_t *code_once;      // of the boot loader for one upgrade; NULL: the core as this program has it
    const sim_code_t *code_resident;  // of the resident one; NULL: likewise
    const molt_target_t *standby;     // an ESP32 in standby mode, with this target; NULL: an ESP8266
    const sim_code_t *code_standby;   // of its loader; NULL: likewise
    uint32_t head_addr;               // of the firmware that runs: the image's place, or a head of the reserved region
    const molt_boot_io_t *io;         // NULL for silence; only its events
    int boot_result;                  // of the last molt_boot_run()
    uint32_t loader_starts;           // since the struct was set up
    bool is_in_second_stage;          // the second-stage boot loader is running
    uint32_t waited_s;                // seconds that the boot loader held back, likewise
} sim_device_t;

// From power-on (sim_nor_power_on() is the caller's) until something stops.
sim_outcome_t sim_device_start(sim_device_t *device);

// Whether the mask ROM would start what is in sector 0: magic, segments, checksum.
bool sim_device_boots(const sim_nor_t *nor);

// Whether sector 0 begins with the boot loader that is there for one upgrade (whatever its flash parameters).
bool sim_device_has_loader(const sim_device_t *device);

#endif
