// A stand-in: see Arduino.h here.
#ifndef STAND_IN_FS_H
#define STAND_IN_FS_H

#include <stddef.h>
#include <stdint.h>

namespace fs {

class File {
  public:
    size_t write(const uint8_t *buf, size_t size);
    void close();
    operator bool() const;
};

class FS {
  public:
    bool begin();
    void end();
    bool exists(const char *path);
    bool rename(const char *from, const char *to);
    File open(const char *path, const char *mode);
};

}  // namespace fs

using fs::File;

#endif
