// Where the devices' password comes from.

#include "password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "say.h"

// As molt_http.set_password() has it.
#define PASSWORD_MIN 8
#define PASSWORD_FILE_MAX 1024

static int make_key(proof_key_t *key, const char *password, const char *where) {
    if (strlen(password) < PASSWORD_MIN) {
        return say_fail("%s: a password has at least %d characters, as molt_web.set_password() wants it", where, PASSWORD_MIN);
    }
    proof_make_key(key, password);
    return 0;
}

int password_load(proof_key_t *key, const char *path) {
    if (path == NULL) {
        const char *password = getenv("MOLT_PASSWORD");
        return password
                   ? make_key(key, password, "MOLT_PASSWORD")
                   : say_fail("the devices' password is wanted: set the environment variable MOLT_PASSWORD, or name a file that "
                              "it stands in with --password-file");
    }
    uint8_t *bytes;
    uint32_t size;
    if (files_load_host(path, PASSWORD_FILE_MAX, &bytes, &size)) {
        return 1;
    }
    char password[PASSWORD_FILE_MAX + 1];
    memcpy(password, bytes, size);
    password[size] = 0;
    free(bytes);
    password[strcspn(password, "\r\n")] = 0;
    return make_key(key, password, path);
}
