// molt ls, get, put, rm, extents: the files in a dump.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "base/crc32.h"
#include "commands.h"
#include "dump.h"
#include "dumpfs.h"
#include "files.h"
#include "lfs/extents.h"
#include "molt/error.h"
#include "say.h"

#define DEPTH_MAX 16

static const struct argp_option fs_options[] = {
    ARGS_OPTION_FS_START,
    ARGS_OPTION_FS_SIZE,
    { 0 },
};

typedef struct listing {
    molt_volume_t *volume;
    uint32_t file_count;
} listing_t;

// Names come from the dump: no control character of theirs reaches the terminal.
static void print_name(const char *path) {
    say_plain(path, strlen(path));
}

// List the directory `path` and those in it. Recursion ends at DEPTH_MAX: a damaged directory can contain itself.
static int list(listing_t *listing, const char *path, uint32_t depth) {
    lfs2_dir_t dir;
    struct lfs2_info info;
    int err = depth > DEPTH_MAX ? MOLT_ERR_CORRUPT : lfs2_dir_open(&listing->volume->lfs, &dir, path);
    if (err) {
        return err;
    }
    while (!err && (err = lfs2_dir_read(&listing->volume->lfs, &dir, &info)) > 0) {
        char inner[FILES_PATH_MAX];
        err = 0;
        if (strcmp(info.name, ".") == 0 || strcmp(info.name, "..") == 0) {
            continue;
        }
        bool is_root = strcmp(path, "/") == 0;
        int size = snprintf(inner, sizeof inner, "%s%s%s", is_root ? "" : path, is_root ? "" : "/", info.name);
        if (size < 0 || (size_t)size >= sizeof inner) {
            err = MOLT_ERR_NAMETOOLONG;
        } else if (info.type == LFS2_TYPE_DIR) {
            printf("  %9s  %10s  %s", "", "", say_style(SAY_BOLD));
            print_name(inner);
            printf("/%s\n", say_style(SAY_PLAIN));
            err = list(listing, inner, depth + 1);
        } else {
            printf("  %9u  %10s  ", info.size, say_column(info.size).text);
            print_name(inner);
            putchar('\n');
            listing->file_count++;
        }
    }
    (void)lfs2_dir_close(&listing->volume->lfs, &dir);
    return err;
}

// What the user means by a path: with or without slashes around it. "/" for the root: of no name littlefs (2.11) makes an
// error of its own.
static const char *trimmed(const char *path, char buffer[FILES_PATH_MAX]) {
    snprintf(buffer, FILES_PATH_MAX, "%s", path + strspn(path, "/"));
    for (size_t size = strlen(buffer); size > 0 && buffer[size - 1] == '/'; size--) {
        buffer[size - 1] = 0;
    }
    return *buffer ? buffer : "/";
}

static int fail(const char *path, int err) {
    return say_fail("%s: %s", path, files_text(err));
}

// What all commands here have around their work on the mounted filesystem, which is saved afterwards if it `writes`.
// Returns the exit status.
static int on_filesystem(
    const args_spec_t *spec, int argc, char **argv, bool writes, int (*work)(dumpfs_t *dump, const args_t *args)) {
    args_t args;
    dumpfs_t dump;
    args_parse(spec, argc, argv, &args);
    int status = dumpfs_open(&dump, &args, writes);
    if (!status) {
        status = dumpfs_mount(&dump, writes);
    }
    if (!status) {
        status = work(&dump, &args);
    }
    if (!status && writes) {
        status = dumpfs_save(&dump);
    }
    dumpfs_close(&dump);
    args_free(&args);
    return status;
}

static int run_ls(dumpfs_t *dump, const args_t *args) {
    char buffer[FILES_PATH_MAX];
    const char *path = trimmed(args->positional[1] ? args->positional[1] : "", buffer);
    listing_t listing = { &dump->volume, 0 };
    struct lfs2_info info;
    int err = lfs2_stat(&dump->volume.lfs, path, &info);
    if (!err && info.type == LFS2_TYPE_REG) {
        printf("  %9u  %10s  ", info.size, say_column(info.size).text);
        print_name(path);
        putchar('\n');
        return 0;
    }
    if (!err) {
        err = list(&listing, path, 0);
    }
    lfs2_ssize_t used = err ? err : lfs2_fs_size(&dump->volume.lfs);
    if (used < 0) {
        return fail(path, (int)used);
    }
    uint32_t block_size = dump->volume.config.block_size;
    uint32_t block_count = dump->volume.lfs.block_count;
    uint32_t free_count = (uint32_t)used < block_count ? block_count - (uint32_t)used : 0;
    printf("%s%u %s; littlefs at 0x%06x, %s, of which", listing.file_count ? "\n" : "", listing.file_count,
        listing.file_count == 1 ? "file" : "files", dump->fs.addr, say_size(dump->fs.size).text);
    printf(" %s are free\n", say_size(free_count * block_size).text);
    return 0;
}

int cmd_ls(int argc, char **argv) {
    static const args_spec_t spec = { "FLASH [DIR]",
        "List the files in the littlefs of a flash dump: bytes, size, path.\v"
        "Examples:\n"
        "  molt ls flash.bin\n"
        "  molt ls flash.bin lib",
        fs_options, 1, 2 };
    return on_filesystem(&spec, argc, argv, false, run_ls);
}

static int run_get(dumpfs_t *dump, const args_t *args) {
    char buffer[FILES_PATH_MAX];
    char text[512];
    const char *path = trimmed(args->positional[1], buffer);
    const char *base = strrchr(path, '/');
    const char *out = args->positional[2] ? args->positional[2] : base ? base + 1 : path;
    uint8_t *bytes;
    uint32_t size;
    int err = files_load(&dump->volume, path, &bytes, &size);
    if (err) {
        return fail(path, err);
    }
    int status = 0;
    if (strcmp(out, "-") == 0) {
        fwrite(bytes, 1, size, stdout);
    } else if (sim_dump_write_file(out, bytes, size, text, sizeof text) != 0) {
        status = say_fail("%s", text);
    }
    free(bytes);
    return status;
}

int cmd_get(int argc, char **argv) {
    static const args_spec_t spec = { "FLASH PATH [OUT]",
        "Copy the file PATH out of a flash dump, to OUT (- for standard output) or to its own name here.\v"
        "A name that begins with - is written with ./ or / before it, or behind --.\n\n"
        "Examples:\n"
        "  molt get flash.bin data/log.csv\n"
        "  molt get flash.bin main.py -",
        fs_options, 2, 3 };
    return on_filesystem(&spec, argc, argv, false, run_get);
}

static int run_put(dumpfs_t *dump, const args_t *args) {
    return files_put(&dump->volume, args->positional[1]);
}

int cmd_put(int argc, char **argv) {
    static const args_spec_t spec = { "FLASH FILE[:PATH]",
        "Copy FILE into the littlefs of a flash dump, to PATH or to its own name in the root. A PATH that ends in / is a "
        "directory. Directories are made as needed; a file that is there already is replaced.\v"
        "A name that begins with - is written with ./ or / before it, or behind --.\n\n"
        "Examples:\n"
        "  molt put flash.bin firmware.bin\n"
        "  molt put flash.bin main.py:lib/start.py\n"
        "  molt put flash.bin -- -strange.bin",
        fs_options, 2, 2 };
    return on_filesystem(&spec, argc, argv, true, run_put);
}

static int run_rm(dumpfs_t *dump, const args_t *args) {
    char buffer[FILES_PATH_MAX];
    const char *path = trimmed(args->positional[1], buffer);
    int err = lfs2_remove(&dump->volume.lfs, path);
    return err ? fail(path, err) : 0;
}

int cmd_rm(int argc, char **argv) {
    static const args_spec_t spec = { "FLASH PATH",
        "Remove a file, or an empty directory, from the littlefs of a flash dump.\v"
        "A name that begins with - is written with / before it, or behind --.\n\n"
        "Examples:\n"
        "  molt rm flash.bin lib/old.py",
        fs_options, 2, 2 };
    return on_filesystem(&spec, argc, argv, true, run_rm);
}

typedef struct extent_list {
    molt_extent_t *items;
    uint32_t count;
} extent_list_t;

static int keep_extent(void *ctx, const molt_extent_t *extent) {
    extent_list_t *found = ctx;
    // They come from the last to the first.
    found->items[--found->count] = *extent;
    return 0;
}

static void print_extents(const dumpfs_t *dump, const extent_list_t *found, uint32_t *crc) {
    printf("  block   in the file   in flash      bytes\n");
    for (uint32_t i = 0; i < found->count; i++) {
        const molt_extent_t *extent = &found->items[i];
        printf("  %5u      0x%06x   0x%06x   %8u\n", extent->index, extent->file_off, extent->addr, extent->size);
        *crc = molt_crc32(*crc, dump->nor.bytes + extent->addr, extent->size);
    }
}

// The file's bytes by littlefs and by the extents: the same, or the extents are of no use.
static int check_extents(dumpfs_t *dump, const char *path, uint32_t crc) {
    uint8_t *bytes;
    uint32_t size;
    int err = files_load(&dump->volume, path, &bytes, &size);
    if (err) {
        return fail(path, err);
    }
    bool same = molt_crc32(0, bytes, size) == crc;
    free(bytes);
    if (!same) {
        return say_fail("%s: the blocks do not hold the file's bytes; the filesystem is damaged, copy the file again", path);
    }
    printf("\nCRC-32 0x%08x, the same through littlefs and through the blocks\n", crc);
    return 0;
}

static int run_extents(dumpfs_t *dump, const args_t *args) {
    char buffer[FILES_PATH_MAX];
    const char *path = trimmed(args->positional[1], buffer);
    molt_extents_t extents;
    int err = molt_extents_open(&extents, &dump->volume, path);
    if (err == MOLT_ERR_NOTSUP) {
        return say_fail("%s: the file is so small that littlefs keeps it inside its directory; it has no blocks", path);
    }
    extent_list_t found = { NULL, extents.block_count };
    if (!err) {
        found.items = calloc(found.count + 1, sizeof *found.items);
        err = found.items ? molt_extents_walk(&extents, keep_extent, &found) : MOLT_ERR_NOSPC;
    }
    if (err) {
        free(found.items);
        return fail(path, err);
    }
    found.count = extents.block_count;
    print_name(path);
    printf(": %s in %u %s of %u\n\n", say_bytes(extents.file_size).text, extents.block_count,
        extents.block_count == 1 ? "block" : "blocks", extents.block_size);
    uint32_t crc = 0;
    print_extents(dump, &found, &crc);
    free(found.items);
    return check_extents(dump, path, crc);
}

int cmd_extents(int argc, char **argv) {
    static const args_spec_t spec = { "FLASH PATH",
        "Print where in flash the bytes of a file lie, block by block. Every block but the first begins with littlefs's own "
        "pointers, so that a file's bytes are never in one piece.\v"
        "Examples:\n"
        "  molt extents flash.bin firmware.bin",
        fs_options, 2, 2 };
    return on_filesystem(&spec, argc, argv, false, run_extents);
}
