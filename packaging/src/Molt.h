// molt for Arduino on the ESP8266: upgrade from an image file on LittleFS.
#ifndef MOLT_ARDUINO_H
#define MOLT_ARDUINO_H

#include <FS.h>

#include "molt.h"

class MoltClass {
  public:
    // Prepare the upgrade from the image file `path`; the next restart, ESP.restart() or any other, carries it out. Needs some 12 KB
    // of heap and 2 KB of stack. For a gzip file 5 KB more, and one that `molt compress` has made.
    // Returns true, or false with the reason in error(): then nothing has changed.
    // Power cut: fatal for some 60 ms at the very end, while the first sector is rewritten.
    bool upgrade(fs::FS &fs, const char *path);
    const char *error() const {
        return _error;
    }

  private:
    const char *_error = "";
};

extern MoltClass Molt;

#endif
