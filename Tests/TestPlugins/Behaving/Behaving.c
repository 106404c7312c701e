/* A plugin that does what its config says, for the tests of the host. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "relay_plugin.h"

static const relay_host *relay;

struct behaving {
    relay_instance instance;
    char request[32];
    char response[32];
    char resumed[32];
    /* An exchange that is over. */
    relay_exchange stale;
};

static relay_bytes text(const char *text) {
    relay_bytes bytes = {text, strlen(text)};
    return bytes;
}

static int is(relay_bytes bytes, const char *text) {
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

static void take(char *target, relay_bytes bytes) {
    size_t size = bytes.size < 31 ? bytes.size : 31;
    memcpy(target, bytes.data, size);
    target[size] = 0;
}

static relay_verdict configure(const relay_configure_call *call) {
    struct behaving *own = calloc(1, sizeof *own);
    size_t index;
    if (own == NULL) return RELAY_FAIL;
    own->instance = call->instance;
    *call->state = own;
    for (index = 0; index < call->setting_count; index++) {
        relay_bytes path = call->settings[index].path;
        relay_bytes value = call->settings[index].text;
        if (is(path, "configure")) {
            if (is(value, "crash")) abort();
            if (is(value, "exit")) _exit(0);
            while (is(value, "hang")) pause();
            if (is(value, "fail")) return RELAY_FAIL;
        } else if (is(path, "request")) {
            take(own->request, value);
        } else if (is(path, "response")) {
            take(own->response, value);
        } else if (is(path, "resumed")) {
            take(own->resumed, value);
        } else {
            relay->config_error(call->instance, path, text("nothing behaves so"));
        }
    }
    return RELAY_CONTINUE;
}

static void retire(const relay_retire_call *call) {
    free(call->state);
}

struct resumption {
    relay_exchange exchange;
    uint64_t token;
};

static void *resume_elsewhere(void *argument) {
    struct resumption *resumption = argument;
    relay->resume(resumption->exchange, resumption->token, 42);
    free(resumption);
    return NULL;
}

static relay_verdict pause_until_thread(relay_exchange exchange) {
    struct resumption *resumption = malloc(sizeof *resumption);
    pthread_t thread;
    if (resumption == NULL) return RELAY_FAIL;
    resumption->exchange = exchange;
    if (relay->pause(exchange, 0, &resumption->token) != RELAY_OK) {
        free(resumption);
        return RELAY_FAIL;
    }
    if (pthread_create(&thread, NULL, resume_elsewhere, resumption) != 0) return RELAY_FAIL;
    pthread_detach(thread);
    return RELAY_PAUSE;
}

static relay_verdict pause_and_resume(relay_exchange exchange) {
    uint64_t token;
    if (relay->pause(exchange, 0, &token) != RELAY_OK) return RELAY_FAIL;
    if (relay->resume(exchange, token + 1, 0) != RELAY_STALE) return RELAY_FAIL;
    if (relay->resume(exchange, token, 42) != RELAY_OK) return RELAY_FAIL;
    /* A second time it is over. */
    if (relay->resume(exchange, token, 43) != RELAY_STALE) return RELAY_FAIL;
    return RELAY_PAUSE;
}

static relay_verdict answer(relay_exchange exchange) {
    relay_field field = {{"X-Answer", 8}, {"plugin", 6}};
    if (relay->respond(exchange, 202, &field, 1, text("by the plugin")) != RELAY_OK) return RELAY_FAIL;
    return RELAY_RESPOND;
}

static relay_verdict behave(const struct behaving *own, const char *word, relay_exchange exchange) {
    uint64_t token;
    relay_field framing = {{"Content-Length", 14}, {"1", 1}};
    if (strcmp(word, "respond") == 0) return answer(exchange);
    if (strcmp(word, "fail") == 0) return RELAY_FAIL;
    if (strcmp(word, "unknown") == 0) return 77;
    if (strcmp(word, "unannounced") == 0) return RELAY_PAUSE;
    if (strcmp(word, "pause-thread") == 0) return pause_until_thread(exchange);
    if (strcmp(word, "pause-at-once") == 0) return pause_and_resume(exchange);
    if (strcmp(word, "pause-forever") == 0) {
        return relay->pause(exchange, 0, &token) == RELAY_OK ? RELAY_PAUSE : RELAY_FAIL;
    }
    /* A hook that blocks for longer than relay lets pass without a word: nobody waits for its end. */
    if (strcmp(word, "slow") == 0) {
        struct timespec time = {0, 60000000};
        nanosleep(&time, NULL);
    }
    if (strcmp(word, "refused") == 0) {
        if (relay->header_set(exchange, framing.name, framing.value) != RELAY_REFUSED
            || relay->header_add(exchange, text("Bad Name"), text("x")) != RELAY_REFUSED
            || relay->header_add(exchange, text("X-Bad"), text("a\r\nX-B: c")) != RELAY_REFUSED
            || relay->respond(exchange, 101, NULL, 0, text("")) != RELAY_REFUSED
            || relay->respond(exchange, 200, &framing, 1, text("")) != RELAY_REFUSED
            || relay->config_error(own->instance, text(""), text("")) != RELAY_NOT_NOW) {
            return RELAY_FAIL;
        }
    }
    if (strcmp(word, "headers") == 0) {
        relay_bytes value;
        relay_field field;
        size_t index = 0;
        if (relay->header_get(exchange, text("x-in"), &value) != RELAY_OK) return RELAY_FAIL;
        relay->header_set(exchange, text("X-Copy"), value);
        relay->header_add(exchange, text("X-More"), text("1"));
        relay->header_add(exchange, text("X-More"), text("2"));
        relay->header_set(exchange, text("X-In"), text("changed"));
        relay->header_remove(exchange, text("X-Gone"));
        if (relay->header_get(exchange, text("X-Gone"), &value) != RELAY_NONE) return RELAY_FAIL;
        if (relay->header_get(exchange, text("X-In"), &value) != RELAY_OK || !is(value, "changed")) {
            return RELAY_FAIL;
        }
        while (relay->header_at(exchange, index, &field) == RELAY_OK) index++;
        if (index < 4) return RELAY_FAIL;
    }
    return RELAY_CONTINUE;
}

static relay_verdict request_head(const relay_request_head_call *call) {
    struct behaving *own = call->call.state;
    relay_bytes value;
    if (*call->call.own != NULL) return RELAY_FAIL;
    *call->call.own = own;
    if (own->stale != 0 && relay->header_get(own->stale, text("Host"), &value) != RELAY_STALE) {
        return RELAY_FAIL;
    }
    return behave(own, own->request, call->call.exchange);
}

static relay_verdict response_head(const relay_response_head_call *call) {
    struct behaving *own = call->call.state;
    if (*call->call.own != own) return RELAY_FAIL;
    relay->header_set(
        call->call.exchange, text("X-Is-Own"), call->is_own ? text("yes") : text("no"));
    return behave(own, own->response, call->call.exchange);
}

static relay_verdict resumed(const relay_resumed_call *call) {
    struct behaving *own = call->call.state;
    if (call->data != 42) return RELAY_FAIL;
    relay->header_set(call->call.exchange, text("X-Resumed"), text("yes"));
    return behave(own, own->resumed, call->call.exchange);
}

static void exchange_end(const relay_exchange_end_call *call) {
    struct behaving *own = call->call.state;
    uint64_t token;
    own->stale = call->call.exchange;
    if (*call->call.own != own || relay->pause(call->call.exchange, 0, &token) != RELAY_NOT_NOW) {
        relay->log(own->instance, RELAY_LOG_ERROR, text("the end is wrong"));
    }
    relay->log(
        own->instance, RELAY_LOG_INFO,
        call->status == 0 ? text("ended unanswered") : call->has_data ? text("ended with data") : text("ended"));
}

static const relay_plugin table = {
    .magic = RELAY_MAGIC,
    .abi_major = RELAY_ABI_MAJOR,
    .abi_minor = 0,
    .size = sizeof(relay_plugin),
#ifdef BEHAVING_GUARDS
    .flags = RELAY_PLUGIN_GUARDS,
#endif
    .name = {"Behaving", 8},
    .version = {"1", 1},
    .configure = configure,
    .retire = retire,
    .request_head = request_head,
    .response_head = response_head,
    .resumed = resumed,
    .exchange_end = exchange_end,
};

RELAY_EXPORT const relay_plugin *relay_plugin_entry(const relay_host *host) {
    relay = host;
    return &table;
}
