// What joltwallet/littlefs does for the component: volumes that are mounted at /<path>, and their files.
#ifndef TESTS_DIST_MOUNTED_H
#define TESTS_DIST_MOUNTED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#define MOUNTED_FD 1000  // and up: files of these volumes

bool mounted_has(const char *path);
int mounted_open(const char *path, int flags);
int mounted_close(int fd);
ssize_t mounted_read(int fd, void *buf, size_t size);
ssize_t mounted_write(int fd, const void *buf, size_t size);
off_t mounted_seek(int fd, off_t off);
int mounted_stat(const char *path, struct stat *info);
int mounted_unlink(const char *path);
// The folders that the path is in.
void mounted_make_folders(const char *path);

#endif
