// Where the devices' password comes from: a file, or the environment. Never the command line, which everybody on the host can read.
#ifndef MOLT_CMD_PASSWORD_H
#define MOLT_CMD_PASSWORD_H

#include "proof.h"

// The key of the password in the first line of `path`, or of $MOLT_PASSWORD where that is NULL. Returns 0, or 1 after having
// said what is wrong.
int password_load(proof_key_t *key, const char *path);

#endif
