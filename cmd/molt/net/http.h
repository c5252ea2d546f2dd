// Requests to molt_web (docs/web.md), many at a time, each with its proof of the password. On libcurl's multi interface.
#ifndef MOLT_CMD_HTTP_H
#define MOLT_CMD_HTTP_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "hosts.h"
#include "proof.h"

#define HTTP_URI_MAX 200
#define HTTP_TEXT_MAX 320

typedef struct http_pool {
    CURLM *multi;
    proof_key_t key;
    uint32_t patience_s;  // seconds in which nothing comes or goes, until a device is given up
} http_pool_t;

typedef enum http_outcome {
    HTTP_ANSWERED,     // status and json
    HTTP_UNREACHABLE,  // no connection came about
    HTTP_BROKEN,       // it broke, or nothing came for too long
    HTTP_FOREIGN,      // what answers is not molt_web
} http_outcome_t;

// What is said with one device: one request at a time. `host`, `owner` and `patience_s` are the caller's, who zeroes the rest at
// first.
typedef struct http {
    const char *host;
    void *owner;
    uint32_t patience_s;  // with the next request, where it is less than the pool's; 0: the pool's
    http_outcome_t outcome;
    long status;                // HTTP's, where it answered
    json_t *json;               // of the last answer, until the next request; NULL if it did not answer
    char error[HTTP_TEXT_MAX];  // the sentence, if it did not answer or answered with another status than 200
    bool is_password_wrong;
    // The rest is http.c's own.
    http_pool_t *pool;
    CURL *easy;
    struct curl_slist *headers;
    const char *method;
    char uri[HTTP_URI_MAX];
    const void *body;
    uint32_t body_size;
    char nonce[PROOF_NONCE_MAX + 1];
    uint32_t count;
    uint32_t stale_count;  // answers "stale" to this request
    char *text;
    size_t text_size;
} http_t;

// 0, or 1 after having said what is wrong. Call http_close_pool() in either case, after http_close() of all that used it.
int http_open_pool(http_pool_t *pool, const proof_key_t *key, uint32_t patience_s);
void http_close_pool(http_pool_t *pool);

// Begin a request. What http_next() gives then is the answer, or what came between.
//   method  a constant
//   uri     path and query, shorter than HTTP_URI_MAX
//   body    stays the caller's and has to stay until the answer is there; NULL for none
void http_send(http_pool_t *pool, http_t *http, const char *method, const char *uri, const void *body, uint32_t body_size);

// Go on with all requests, waiting up to `wait_ms` for something to happen.
void http_work(http_pool_t *pool, int wait_ms);

// The next one that has its answer, or NULL.
http_t *http_next(http_pool_t *pool);

// Bytes of the body that have gone so far.
uint32_t http_sent(const http_t *http);

// Give up what is being asked, and free what is kept.
void http_close(http_t *http);

// Milliseconds of a clock that only goes on.
uint64_t http_now_ms(void);

#endif
