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

#define HTTP_PORT 80u

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

// Whether it is made of numbers alone, hexadecimal ones among them: who resolves names takes that for an address, of however many numbers,
// and one that begins with 0 for an octal one.
static bool is_numbers(const char *text) {
    for (const char *p = text; *p && *p != ':';) {
        bool is_hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
        p += is_hex ? 2 + strspn(p + 2, "0123456789abcdefABCDEF") : strspn(p, "0123456789");
        if (*p && *p != '.' && *p != ':') {
            return false;
        }
        p += *p == '.';
    }
    return true;
}

// Four decimal numbers up to 255, none with zeros before it.
static bool is_address(const char *text) {
    const char *p = text;
    for (uint32_t i = 0; i < 4; i++) {
        size_t length = strspn(p, "0123456789");
        if (length == 0 || length > 3 || (length > 1 && *p == '0') || strtoul(p, NULL, 10) > 255) {
            return false;
        }
        p += length;
        if (i < 3 && *p++ != '.') {
            return false;
        }
    }
    return *p == 0 || *p == ':';
}

// Whether two mean the same: a name's case, a full stop behind it and the port 80 make no difference.
static bool is_same(const char *a, const char *b) {
    size_t a_length = strcspn(a, ":");
    size_t b_length = strcspn(b, ":");
    const char *a_port = a[a_length] ? a + a_length + 1 : NULL;
    const char *b_port = b[b_length] ? b + b_length + 1 : NULL;
    a_length -= a_length && a[a_length - 1] == '.';
    b_length -= b_length && b[b_length - 1] == '.';
    return a_length == b_length && strncasecmp(a, b, a_length) == 0
           && (a_port ? strtoul(a_port, NULL, 10) : HTTP_PORT) == (b_port ? strtoul(b_port, NULL, 10) : HTTP_PORT);
}

//   where  what to say before the sentence about it
static int add(hosts_t *hosts, const char *text, const char *where) {
    if (strlen(text) >= HOSTS_NAME_MAX || !is_host(text)) {
        return say_fail(
            "%s\"%s\" is neither a name nor an IPv4 address; write lamp.local, 10.0.0.7 or 10.0.0.7:8080", where, text);
    }
    if (is_numbers(text) && !is_address(text)) {
        return say_fail(
            "%s\"%s\" is no IPv4 address: one has four decimal numbers up to 255, without zeros before them; write 10.0.0.7",
            where, text);
    }
    for (uint32_t i = 0; i < hosts->count; i++) {
        if (is_same(hosts->names[i], text)) {
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
        char *line = text;
        text += strcspn(text, "\r\n");
        size_t end_size = text[0] == '\r' && text[1] == '\n' ? 2 : 1;
        bool is_last = *text == 0;
        *text = 0;
        text = is_last ? NULL : text + end_size;
        line[strcspn(line, "#")] = 0;
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
    if (files_load_stream(path, HOSTS_FILE_MAX, &bytes, &size)) {
        return 1;
    }
    char *text = malloc(size + 1u);
    int status = text ? 0 : say_fail("there is not enough memory; close other programs");
    if (text) {
        memcpy(text, bytes, size);
        text[size] = 0;
        bool has_mark = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;  // which editors put before UTF-8
        status = strlen(text) == size ? add_lines(hosts, text + (has_mark ? 3 : 0), path)
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
