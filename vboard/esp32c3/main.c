// The virtual ESP32-C3, and its siblings: vboard/run starts it, with words "key=value". README.md has what they mean.
#include "board.h"
#include "chip.h"
#include "host.h"
#include "machine.h"
#include "options.h"
#include "power.h"
#include "runs.h"
#include "say.h"

int main(int argc, char **argv) {
    (void)argc;
    options_take(argv + 1);
    if (!soc_choose()) {
        board_say("there is no such board: %s", host_option("board"));
        return EXIT_BROKEN;
    }
    chip_power_on();
    runs_open();
    machine_create();
    power_run();
}
