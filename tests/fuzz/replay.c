// Runs a fuzz target on every file of the folders given as arguments: the corpus as an ordinary test, without
// a fuzzer. Prints TAP. Exit status 1 if a folder cannot be read or has no file; the target itself aborts.

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

// Returns 1 if `path` is a file and was run, 0 if it is no file, -1 if it cannot be read.
static int run_file(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) {
        return -1;
    }
    if (!S_ISREG(info.st_mode)) {
        return 0;
    }
    size_t size = (size_t)info.st_size;
    FILE *file = fopen(path, "rb");
    // Exactly `size` bytes, so that the address sanitizer sees a read of one more.
    uint8_t *data = malloc(size > 0 ? size : 1);
    int result = -1;
    if (file && data && fread(data, 1, size, file) == size) {
        LLVMFuzzerTestOneInput(data, size);
        result = 1;
    }
    free(data);
    if (file) {
        fclose(file);
    }
    return result;
}

// Returns the number of files run, or -1.
static int run_folder(const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) {
        return -1;
    }
    int count = 0;
    fflush(stdout);
    for (const struct dirent *entry = readdir(dir); entry && count >= 0; entry = readdir(dir)) {
        char path[4096];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        int result = length > 0 && (size_t)length < sizeof path ? run_file(path) : -1;
        if (result < 0) {
            fprintf(stderr, "replay: cannot read %s\n", path);
        }
        count = result < 0 ? -1 : count + result;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        int count = run_folder(argv[i]);
        if (count <= 0) {
            fprintf(stderr, "replay: %s has no file that can be run\n", argv[i]);
            return 1;
        }
        printf("ok %d - all %d inputs of %s end well\n", i, count, argv[i]);
    }
    printf("1..%d\n", argc - 1);
    return 0;
}
