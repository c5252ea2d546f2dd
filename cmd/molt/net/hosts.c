// Which devices.

#include "hosts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "files.h"
#include "say.h"

#define HOSTS_FILE_MAX (1u << 20)

static bool is_port(const char *text) {
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == 0 && port > 0 && port < 65536;
}

// A name or an IPv4 address, and a port if there is one.
static bool is_host(const char *text) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t length = strspn(text, letters);
    return length > 0 && *text != '-' && *text != '.'
           && (text[length] == 0 || (text[length] == ':' && is_port(text + length + 1)));
}

//   where  what to say before the sentence about it
static int add(hosts_t *hosts, const char *text, const char *where) {
    if (strlen(text) >= HOSTS_NAME_MAX || !is_host(text)) {
        return say_fail(
            "%s\"%s\" is neither a name nor an IPv4 address; write lamp.local, 10.0.0.7 or 10.0.0.7:8080", where, text);
    }
    for (uint32_t i = 0; i < hosts->count; i++) {
        if (strcasecmp(hosts->names[i], text) == 0) {
            return say_fail("%s%s is named twice; leave one out", where, text);
        }
    }
    if (hosts->count == HOSTS_COUNT_MAX) {
        return say_fail("more than %d devices are too many for one call; divide them", HOSTS_COUNT_MAX);
    }
    void *names = realloc(hosts->names, (hosts->count + 1) * sizeof hosts->names[0]);
    if (names == NULL) {
        return say_fail("there is not enough memory; close other programs");
    }
    hosts->names = names;
    snprintf(hosts->names[hosts->count++], HOSTS_NAME_MAX, "%s", text);
    return 0;
}

static int add_lines(hosts_t *hosts, char *text, const char *path) {
    uint32_t number = 0;
    int status = 0;
    while (status == 0 && text) {
        char where[300];
        char *line = strsep(&text, "\n");
        line[strcspn(line, "#\r")] = 0;
        line += strspn(line, " \t");
        size_t length = strlen(line);
        while (length && strchr(" \t", line[length - 1])) {
            line[--length] = 0;
        }
        snprintf(where, sizeof where, "%.250s, line %u: ", path, ++number);
        status = *line ? add(hosts, line, where) : 0;
    }
    return status;
}

static int add_file(hosts_t *hosts, const char *path) {
    uint8_t *bytes;
    uint32_t size;
    if (files_load_host(path, HOSTS_FILE_MAX, &bytes, &size)) {
        return 1;
    }
    char *text = malloc(size + 1u);
    int status = text ? 0 : say_fail("there is not enough memory; close other programs");
    if (text) {
        memcpy(text, bytes, size);
        text[size] = 0;
        status = strlen(text) == size ? add_lines(hosts, text, path)
                                      : say_fail("%s: this is no text; a hosts file has one name or address a line", path);
    }
    free(text);
    free(bytes);
    return status;
}

int hosts_load(hosts_t *hosts, const char **words, uint32_t count, const char *path) {
    *hosts = (hosts_t){ NULL, 0 };
    for (uint32_t i = 0; i < count; i++) {
        if (add(hosts, words[i], "")) {
            return 1;
        }
    }
    if (path && add_file(hosts, path)) {
        return 1;
    }
    return hosts->count ? 0 : say_fail("%s: no device stands there; write one name or address a line", path);
}

void hosts_free(hosts_t *hosts) {
    free(hosts->names);
    hosts->names = NULL;
    hosts->count = 0;
}
