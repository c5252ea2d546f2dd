// The version of molt. What is stored in flash and in files has version numbers of its own: docs/format.md.
#ifndef MOLT_VERSION_H
#define MOLT_VERSION_H

#define MOLT_VERSION_MAJOR 0
#define MOLT_VERSION_MINOR 2
#define MOLT_VERSION_PATCH 0
#define MOLT_VERSION "0.2.0"

#endif
