// Requests to molt_web.

#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "say.h"

// An answer of molt_web is a few KB; what is longer is none of it. In bytes.
#define ANSWER_MAX (256u * 1024u)
#define CONNECT_SECONDS 10L
// A body slower than that is given up by molt_web. Bytes a second.
#define SLOWEST 500u
// Whenever a device restarts, or others ask it, a nonce can be no good any more: so many are taken for one request.
#define STALE_MAX 3u

uint64_t http_now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

int http_open_pool(http_pool_t *pool, const proof_key_t *key, uint32_t patience_s) {
    *pool = (http_pool_t){ .key = *key, .patience_s = patience_s };
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0) {
        pool->multi = curl_multi_init();
    }
    return pool->multi ? 0 : say_fail("libcurl cannot be used; there is not enough memory, or it is not installed as a whole");
}

void http_close_pool(http_pool_t *pool) {
    if (pool->multi) {
        (void)curl_multi_cleanup(pool->multi);
        pool->multi = NULL;
        curl_global_cleanup();
    }
}

static size_t take_text(char *bytes, size_t unit, size_t count, void *ctx) {
    http_t *http = ctx;
    size_t size = unit * count;
    if (size > ANSWER_MAX - http->text_size) {
        return 0;
    }
    char *text = realloc(http->text, http->text_size + size + 1);
    if (text == NULL) {
        return 0;
    }
    memcpy(text + http->text_size, bytes, size);
    http->text = text;
    http->text_size += size;
    http->text[http->text_size] = 0;
    return size;
}

static void forget_answer(http_t *http) {
    json_decref(http->json);
    http->json = NULL;
    free(http->text);
    http->text = NULL;
    http->text_size = 0;
    *http->error = 0;
    http->is_password_wrong = false;
}

static void set_headers(http_t *http) {
    char proof[PROOF_HEADER_SIZE];
    curl_slist_free_all(http->headers);
    http->headers = curl_slist_append(NULL, "Expect:");
    http->headers = curl_slist_append(http->headers, "Content-Type: application/octet-stream");
    if (*http->nonce) {
        proof_header(proof, &http->pool->key, http->method, http->uri, http->nonce, ++http->count);
        http->headers = curl_slist_append(http->headers, proof);
    }
    (void)curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
}

// What is the same for all requests. Devices are in the local network: no proxy that is meant for the rest of the world.
static void set_manners(http_t *http) {
    bool is_less = http->patience_s && http->patience_s < http->pool->patience_s;
    long patience_s = (long)(is_less ? http->patience_s : http->pool->patience_s);
    long seconds = patience_s + (long)(http->body_size / SLOWEST);
    (void)curl_easy_setopt(http->easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(http->easy, CURLOPT_PROTOCOLS_STR, "http");
    (void)curl_easy_setopt(http->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(http->easy, CURLOPT_FORBID_REUSE, 1L);
    (void)curl_easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT, patience_s < CONNECT_SECONDS ? patience_s : CONNECT_SECONDS);
    (void)curl_easy_setopt(http->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(http->easy, CURLOPT_LOW_SPEED_TIME, patience_s);
    (void)curl_easy_setopt(http->easy, CURLOPT_TIMEOUT, seconds);
    (void)curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, take_text);
    (void)curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, http);
    (void)curl_easy_setopt(http->easy, CURLOPT_PRIVATE, http);
}

static void start(http_t *http) {
    char url[HOSTS_NAME_MAX + HTTP_URI_MAX + 8];
    forget_answer(http);
    snprintf(url, sizeof url, "http://%s%s", http->host, http->uri);
    curl_easy_reset(http->easy);
    set_manners(http);
    (void)curl_easy_setopt(http->easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, http->method);
    if (strcmp(http->method, "GET") != 0) {
        (void)curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE, (long)http->body_size);
        (void)curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, http->body ? http->body : "");
    }
    set_headers(http);
    (void)curl_multi_add_handle(http->pool->multi, http->easy);
}

void http_send(http_pool_t *pool, http_t *http, const char *method, const char *uri, const void *body, uint32_t body_size) {
    http->pool = pool;
    http->method = method;
    snprintf(http->uri, sizeof http->uri, "%s", uri);
    http->body = body;
    http->body_size = body_size;
    http->stale_count = 0;
    if (http->easy == NULL) {
        http->easy = curl_easy_init();
    }
    if (http->easy == NULL) {
        // Some KB are not there. No device is worse off for it: uploads go on with the next push, upgrades by themselves.
        (void)say_fail("there is not enough memory; close other programs and push again");
        exit(1);
    }
    start(http);
}

void http_work(http_pool_t *pool, int wait_ms) {
    int running = 0;
    (void)curl_multi_perform(pool->multi, &running);
    (void)curl_multi_poll(pool->multi, NULL, 0, wait_ms, NULL);
    (void)curl_multi_perform(pool->multi, &running);
}

// The sentence for a request that had no answer.
static void say_broken(http_t *http, CURLcode code) {
    long os_error = 0;
    curl_off_t connected_us = 0;
    (void)curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &os_error);
    (void)curl_easy_getinfo(http->easy, CURLINFO_CONNECT_TIME_T, &connected_us);
    size_t length = strcspn(http->host, ":");
    bool is_mdns = length > 6 && strncmp(http->host + length - 6, ".local", 6) == 0;
    http->outcome = connected_us ? HTTP_BROKEN : HTTP_UNREACHABLE;
    const char *text = "the connection broke";
    if (code == CURLE_COULDNT_RESOLVE_HOST) {
        text =
            is_mdns
                ? "nobody says that it has this name; look whether the device is on, and whether this computer asks for names under "
                  ".local (Debian: package libnss-mdns), or write its address"
                : "there is no such name; check it, or write the device's address";
    } else if (code == CURLE_COULDNT_CONNECT) {
        text = "nothing answers there; look whether the device is on and in this network, and whether molt_web runs on it";
    } else if (code == CURLE_OPERATION_TIMEDOUT && connected_us == 0) {
        text = "nothing answers there within the time; look whether the device is on and in this network";
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        text =
            "it took the connection and then said nothing for too long; look what its program does meanwhile, or give it more time "
            "with --timeout";
    } else if (code == CURLE_WRITE_ERROR || code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL) {
        http->outcome = HTTP_FOREIGN;
        text = "what answers there is not molt_web; check address and port";
    }
    snprintf(http->error, sizeof http->error, "%s%s%s%s", text, os_error ? " (" : "", os_error ? strerror((int)os_error) : "",
        os_error ? ")" : "");
}

static void read_answer(http_t *http) {
    (void)curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &http->status);
    http->json = json_loadb(http->text ? http->text : "", http->text_size, 0, NULL);
    http->outcome = http->json ? HTTP_ANSWERED : HTTP_FOREIGN;
    if (http->json == NULL) {
        snprintf(http->error, sizeof http->error, "what answers there is not molt_web; check address and port");
    } else if (http->status != 200) {
        const char *sentence = json_string_value(json_object_get(http->json, "error"));
        http->is_password_wrong = http->status == 401 && !json_is_true(json_object_get(http->json, "stale"));
        snprintf(http->error, sizeof http->error, "%s", sentence ? sentence : "it refuses, and does not say why");
    }
}

// Whether the same is asked once more, with the nonce that came.
static bool ask_again(http_t *http) {
    const char *nonce = json_string_value(json_object_get(http->json, "nonce"));
    if (http->outcome != HTTP_ANSWERED || http->status != 401 || http->is_password_wrong || nonce == NULL
        || strlen(nonce) > PROOF_NONCE_MAX || strspn(nonce, "0123456789abcdefABCDEF") != strlen(nonce)
        || http->stale_count == STALE_MAX) {
        return false;
    }
    http->stale_count++;
    http->count = 0;
    snprintf(http->nonce, sizeof http->nonce, "%s", nonce);
    start(http);
    return true;
}

http_t *http_next(http_pool_t *pool) {
    int left;
    for (CURLMsg *message = curl_multi_info_read(pool->multi, &left); message;
         message = curl_multi_info_read(pool->multi, &left)) {
        char *owner = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        http_t *http = (http_t *)(void *)owner;
        (void)curl_multi_remove_handle(pool->multi, http->easy);
        if (code != CURLE_OK) {
            say_broken(http, code);
        } else {
            read_answer(http);
        }
        if (!ask_again(http)) {
            return http;
        }
    }
    return NULL;
}

uint32_t http_sent(const http_t *http) {
    curl_off_t sent = 0;
    if (http->easy) {
        (void)curl_easy_getinfo(http->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    }
    return (uint32_t)sent;
}

void http_close(http_t *http) {
    if (http->easy) {
        if (http->pool->multi) {
            (void)curl_multi_remove_handle(http->pool->multi, http->easy);
        }
        curl_easy_cleanup(http->easy);
        http->easy = NULL;
    }
    curl_slist_free_all(http->headers);
    http->headers = NULL;
    forget_answer(http);
}
