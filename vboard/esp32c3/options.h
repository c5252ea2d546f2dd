// The command line: words "key=value", which vboard/run writes.
#ifndef VBOARD_ESP32C3_OPTIONS_H
#define VBOARD_ESP32C3_OPTIONS_H

// argv without the program's name, ending with NULL; it stays the caller's, and stays.
void options_take(char **argv);

#endif
