// Error codes of every molt function: 0 or a negative number.
//
// The numbers are those of errno, negated, as littlefs uses them too, so that a code of the flash driver or
// of littlefs passes through unchanged. Nothing in the core translates a code into a vaguer one.
#ifndef MOLT_ERROR_H
#define MOLT_ERROR_H

typedef enum molt_err {
    MOLT_OK = 0,
    MOLT_ERR_NOENT = -2,         // no such file or record
    MOLT_ERR_IO = -5,            // the flash driver failed, or flash did not keep what was programmed
    MOLT_ERR_BUSY = -16,         // something else is already prepared
    MOLT_ERR_EXIST = -17,        // already there
    MOLT_ERR_ISDIR = -21,        // a directory where a file is needed
    MOLT_ERR_INVAL = -22,        // an argument outside the documented range (caller bug)
    MOLT_ERR_FBIG = -27,         // too large for where it has to go
    MOLT_ERR_NOSPC = -28,        // no room
    MOLT_ERR_RANGE = -34,        // an address outside the flash or its region
    MOLT_ERR_NAMETOOLONG = -36,  // a name longer than there is room for
    MOLT_ERR_CORRUPT = -84,      // stored or received bytes make no sense
    MOLT_ERR_NOTSUP = -95,       // well formed, but not for this device or this version
} molt_err_t;

#endif
