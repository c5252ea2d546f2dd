// Names of dynamic frozen modules: what a file's module is called, which names cannot be, and what `import` finds.
#ifndef MOLT_MICROPYTHON_FROZEN_NAMES_H
#define MOLT_MICROPYTHON_FROZEN_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "py/obj.h"

// What an import of a name comes to.
typedef enum molt_import {
    MOLT_IMPORT_IT,        // the dynamic module
    MOLT_IMPORT_FILE,      // a file or folder on sys.path before ".frozen"
    MOLT_IMPORT_FIRMWARE,  // a module that the firmware was built with
    MOLT_IMPORT_BUILT_IN,  // a module in C that nothing can take the place of
    MOLT_IMPORT_PACKAGE,   // a package of that name, made of other dynamic modules
    MOLT_IMPORT_NOTHING,   // ".frozen" is not on sys.path, or the modules are off
} molt_import_t;

// Ask what py/builtinimport.c would, for a dotted name that is in the store. *path: of the file or folder, if it is one.
molt_import_t molt_frozen_import_of(const char *name, size_t size, vstr_t *path);

// Whether import takes the module of that name instead of one in C, as it would a file.
bool molt_frozen_takes_place(const char *name, size_t size);

// boot and main: at start MicroPython looks for frozen ones first, for files then.
bool molt_frozen_is_run_at_start(const char *name, size_t size);

// Characters of a dotted name before its first dot. (memchr() would come into the firmware with it, and into IRAM.)
size_t molt_frozen_first_part(const char *name, size_t size);

// The dotted name under which import would find the .mpy file at `path`: from the longest folder of sys.path, "/lib" and
// the current directory that it is below. Where a folder on the way cannot be a package, the file's own name.
void molt_frozen_name_of(const char *path, size_t size, vstr_t *name);

// Raise ValueError for what cannot be a module's name, has to stay the firmware's, or could never be imported.
void molt_frozen_check_name(const char *name, size_t size);

#endif
