// A stand-in for the headers of the Arduino core for the ESP8266: the names and types that packaging/src/MoltUpgrade.cpp uses.
#ifndef STAND_IN_ARDUINO_H
#define STAND_IN_ARDUINO_H

#include <stddef.h>
#include <stdint.h>

#include <new>

class EspClass {
  public:
    bool flashEraseSector(uint32_t sector);
    bool flashWrite(uint32_t address, uint32_t *data, size_t size);  // as before 3.0: no const
    bool flashRead(uint32_t address, uint32_t *data, size_t size);
    uint32_t getFlashChipSize();
    void restart();
};

extern EspClass ESP;

class SerialClass {
  public:
    void begin(unsigned long baud);
    void println(const char *text);
};

extern SerialClass Serial;

void yield();

#endif
