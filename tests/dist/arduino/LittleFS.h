// A stand-in: see Arduino.h here.
#include <FS.h>

extern fs::FS LittleFS;
