// What `molt info` says of a delta file.

#include <stdio.h>

#include "base/reader.h"
#include "delta/delta.h"
#include "info.h"
#include "molt/error.h"
#include "say.h"

static const char *trouble_of(const uint8_t *bytes, uint32_t size, molt_delta_header_t *header) {
    static uint32_t buf[1024];
    const molt_reader_t patch = molt_memory_reader(bytes, size);
    int err = molt_delta_read_header(&patch, header);
    if (err == MOLT_ERR_NOTSUP) {
        return "the delta file is of a version or size that this molt does not know";
    }
    err = err ? err : molt_delta_check_file(&patch, (uint8_t *)buf, sizeof buf, NULL, NULL);
    return err ? "the delta file is damaged or cut short; copy it again" : NULL;
}

static void print_image(const char *what, uint32_t size, const char *name, const uint8_t sha1[MOLT_SHA1_SIZE]) {
    printf("  %-10s %s%s%s, SHA-1 ", what, say_bytes(size).text, *name ? ", " : "", name);
    for (uint32_t i = 0; i < MOLT_SHA1_SIZE; i++) {
        printf("%02x", sha1[i]);
    }
    printf("\n");
}

static void print_json(const char *path, uint32_t size, const molt_delta_header_t *header, const char *trouble) {
    printf("{\n  \"file\": ");
    say_json(stdout, path);
    printf(",\n  \"kind\": \"delta file\",\n  \"valid\": %s,\n  \"size\": %u", trouble ? "false" : "true", size);
    if (trouble == NULL) {
        printf(",\n  \"old\": { \"size\": %u, \"version\": ", header->old_size);
        say_json(stdout, header->old_name);
        printf(" },\n  \"new\": { \"size\": %u, \"crc32\": %u, \"version\": ", header->new_size, header->new_crc);
        say_json(stdout, header->new_name);
        printf(
            " },\n  \"operations\": %u,\n  \"stash_files\": %u,\n  \"window\": %u,\n  \"map_entries\": %u,\n  \"predicts_calls\": %s",
            header->op_count, molt_delta_stash_count(header), molt_delta_window_size(header), header->map_count,
            header->map_has_calls ? "true" : "false");
    }
    printf("\n}\n");
}

int info_delta(const char *path, const uint8_t *bytes, uint32_t size, bool json) {
    molt_delta_header_t header;
    const char *trouble = trouble_of(bytes, size, &header);
    if (json) {
        print_json(path, size, &header, trouble);
    } else {
        printf(
            "%s%s%s: delta file\n\n  %-10s %s\n", say_style(SAY_BOLD), path, say_style(SAY_PLAIN), "file", say_bytes(size).text);
    }
    if (trouble) {
        return say_fail("%s: %s", path, trouble);
    }
    if (!json) {
        print_image("makes", header.new_size, header.new_name, header.new_sha1);
        print_image("of", header.old_size, header.old_name, header.old_sha1);
        printf("  %-10s %u operations on sectors, %u files of 4 KB beside it\n", "needs", header.op_count,
            molt_delta_stash_count(&header));
        if (header.map_count) {
            printf("  %-10s %s that moved, by a map of %u entries\n", "predicts",
                header.map_has_calls ? "pointers and calls" : "pointers", header.map_count);
        }
    }
    return 0;
}
