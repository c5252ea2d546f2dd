// The virtual ESP32-C3: vboard/run starts it, with words "key=value". README.md has what they mean.
#include "chip.h"
#include "machine.h"
#include "options.h"
#include "power.h"
#include "runs.h"

int main(int argc, char **argv) {
    (void)argc;
    options_take(argv + 1);
    chip_power_on();
    runs_open();
    machine_create();
    power_run();
}
