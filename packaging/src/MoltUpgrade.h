// molt for Arduino on the ESP8266: upgrade from an image file on LittleFS.
#ifndef MOLT_ARDUINO_H
#define MOLT_ARDUINO_H

#include <FS.h>

#include "molt.h"

class MoltClass {
  public:
    // Prepare the upgrade from the image file `path`; the next restart, ESP.restart() or any other, carries it out. Image file and
    // /molt.head have to stay as they are until then. A gzip file has to be one that `molt compress` has made. Needs some 14 KB of
    // heap and 2 KB of stack while it works; and 20 KB of RAM always, since the core's linker script keeps constants there.
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
