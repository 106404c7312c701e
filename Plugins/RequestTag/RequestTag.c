/*
 * RequestTag: marks requests on their way to a target.
 *
 *   id: X-Trace-Id                     the id of the request under one more name, also in the response
 *   tags: { X-Region: north }          fields that every request gets
 *   response_tags: { X-Served-By: a }  fields that every response gets
 *   canary: { field: X-Canary, percent: 5, value: yes }
 *                                      a field that this share of clients gets, the same clients each time
 */

#include <stdlib.h>
#include <string.h>

#include "relay_plugin.h"

static const relay_host *relay;

/* A field that is set. */
struct tag {
    relay_bytes name;
    relay_bytes value;
    int is_for_response;
};

/* An instance. What its texts point to is its own copy. */
struct request_tag {
    relay_bytes id_field;
    relay_bytes canary_field;
    relay_bytes canary_value;
    /* Of 10,000 clients so many. */
    unsigned canary_share;
    size_t tag_count;
    struct tag *tags;
};

/* ---- Settings ---- */

static int is_text(relay_bytes bytes, const char *text) {
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

/* What stands behind `prefix` in a path; size 0 if it does not begin so. */
static relay_bytes behind(relay_bytes path, const char *prefix) {
    size_t size = strlen(prefix);
    relay_bytes rest = {NULL, 0};
    if (path.size > size && memcmp(path.data, prefix, size) == 0) {
        rest.data = path.data + size;
        rest.size = path.size - size;
    }
    return rest;
}

static relay_bytes copied(relay_bytes text) {
    relay_bytes copy = {NULL, 0};
    char *data = malloc(text.size + 1);
    if (data == NULL) return copy;
    if (text.size > 0) memcpy(data, text.data, text.size);
    data[text.size] = 0;
    copy.data = data;
    copy.size = text.size;
    return copy;
}

static void fail(const relay_configure_call *call, relay_bytes path, const char *message) {
    relay_bytes text = {message, strlen(message)};
    relay->config_error(call->instance, path, text);
}

/* A percentage of at most two decimals, times 100; -1 if it is none. */
static int share(relay_bytes text) {
    char number[16];
    char *end;
    double percent;
    if (text.size == 0 || text.size >= sizeof number) return -1;
    memcpy(number, text.data, text.size);
    number[text.size] = 0;
    percent = strtod(number, &end);
    if (*end != 0 || !(percent >= 0 && percent <= 100)) return -1;
    return (int)(percent * 100 + 0.5);
}

static int is_token(relay_bytes name) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    size_t index;
    for (index = 0; index < name.size; index++) {
        char byte = name.data[index];
        int is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        int is_digit = byte >= '0' && byte <= '9';
        if (!is_letter && !is_digit && (byte == 0 || strchr(marks, byte) == NULL)) return 0;
    }
    return name.size > 0;
}

static void take_tag(
    struct request_tag *own, const relay_configure_call *call, const relay_setting *setting, relay_bytes name,
    int is_for_response) {
    struct tag *tag = &own->tags[own->tag_count];
    if (setting->kind == RELAY_KIND_EMPTY || !is_token(name)) {
        fail(call, setting->path, "a tag is the name of a field and its value");
        return;
    }
    tag->name = copied(name);
    tag->value = copied(setting->text);
    tag->is_for_response = is_for_response;
    if (tag->name.data != NULL && tag->value.data != NULL) own->tag_count++;
}

static void take(struct request_tag *own, const relay_configure_call *call, const relay_setting *setting) {
    relay_bytes request_tag = behind(setting->path, "tags/");
    relay_bytes response_tag = behind(setting->path, "response_tags/");
    if (request_tag.size > 0) {
        take_tag(own, call, setting, request_tag, 0);
    } else if (response_tag.size > 0) {
        take_tag(own, call, setting, response_tag, 1);
    } else if (is_text(setting->path, "id")) {
        own->id_field = copied(setting->text);
        if (!is_token(setting->text)) fail(call, setting->path, "'id' is the name of a field");
    } else if (is_text(setting->path, "canary/field")) {
        own->canary_field = copied(setting->text);
        if (!is_token(setting->text)) fail(call, setting->path, "'field' is the name of a field");
    } else if (is_text(setting->path, "canary/value")) {
        own->canary_value = copied(setting->text);
    } else if (is_text(setting->path, "canary/percent")) {
        int value = share(setting->text);
        if (value < 0) fail(call, setting->path, "'percent' is a number from 0 to 100");
        own->canary_share = value < 0 ? 0 : (unsigned)value;
    } else if (setting->kind != RELAY_KIND_EMPTY) {
        fail(call, setting->path, "unknown key; expected id, tags, response_tags or canary (field, percent, value)");
    }
}

static void discard(struct request_tag *own) {
    size_t index;
    for (index = 0; index < own->tag_count; index++) {
        free((void *)own->tags[index].name.data);
        free((void *)own->tags[index].value.data);
    }
    free((void *)own->id_field.data);
    free((void *)own->canary_field.data);
    free((void *)own->canary_value.data);
    free(own->tags);
    free(own);
}

static relay_verdict configure(const relay_configure_call *call) {
    static const relay_bytes whole = {NULL, 0};
    struct request_tag *own = calloc(1, sizeof *own);
    size_t index;
    if (own == NULL) return RELAY_FAIL;
    own->tags = calloc(call->setting_count + 1, sizeof *own->tags);
    if (own->tags == NULL) {
        free(own);
        return RELAY_FAIL;
    }
    for (index = 0; index < call->setting_count; index++) take(own, call, &call->settings[index]);
    if (own->canary_share > 0 && own->canary_field.size == 0) {
        fail(call, whole, "'canary' needs a 'field'");
    }
    /* relay has noted what is wrong, and ends what it is given of an instance that failed by itself. */
    *call->state = own;
    return RELAY_CONTINUE;
}

static void retire(const relay_retire_call *call) { discard(call->state); }

/* ---- Exchanges ---- */

/* A number from 0 to 9999 that is the same for the same text (FNV-1a). */
static unsigned bucket(relay_bytes text) {
    uint32_t hash = 2166136261u;
    size_t index;
    for (index = 0; index < text.size; index++) {
        hash = (hash ^ (unsigned char)text.data[index]) * 16777619u;
    }
    return hash % 10000u;
}

static void set_tags(const struct request_tag *own, relay_exchange exchange, int is_for_response) {
    size_t index;
    for (index = 0; index < own->tag_count; index++) {
        const struct tag *tag = &own->tags[index];
        if (tag->is_for_response == is_for_response) relay->header_set(exchange, tag->name, tag->value);
    }
}

static void set_id(const struct request_tag *own, relay_exchange exchange) {
    relay_bytes id;
    if (own->id_field.size == 0) return;
    if (relay->attribute(exchange, RELAY_REQUEST_ID, &id) == RELAY_OK) {
        relay->header_set(exchange, own->id_field, id);
    }
}

static void set_canary(const struct request_tag *own, relay_exchange exchange) {
    static const relay_bytes yes = {"1", 1};
    relay_bytes client;
    if (own->canary_field.size == 0) return;
    /* A client must not choose for itself. */
    relay->header_remove(exchange, own->canary_field);
    if (relay->attribute(exchange, RELAY_CLIENT_ADDRESS, &client) != RELAY_OK) {
        /* On a unix socket all clients look the same: the requests are divided. */
        if (relay->attribute(exchange, RELAY_REQUEST_ID, &client) != RELAY_OK) return;
    }
    if (bucket(client) < own->canary_share) {
        relay->header_set(exchange, own->canary_field, own->canary_value.size > 0 ? own->canary_value : yes);
    }
}

static relay_verdict request_head(const relay_request_head_call *call) {
    const struct request_tag *own = call->call.state;
    set_tags(own, call->call.exchange, 0);
    set_id(own, call->call.exchange);
    set_canary(own, call->call.exchange);
    return RELAY_CONTINUE;
}

static relay_verdict response_head(const relay_response_head_call *call) {
    const struct request_tag *own = call->call.state;
    set_tags(own, call->call.exchange, 1);
    set_id(own, call->call.exchange);
    return RELAY_CONTINUE;
}

static const relay_plugin table = {
    .magic = RELAY_MAGIC,
    .abi_major = RELAY_ABI_MAJOR,
    .abi_minor = 0,
    .size = sizeof(relay_plugin),
    .name = {"RequestTag", 10},
    .version = {"1.0", 3},
    .configure = configure,
    .retire = retire,
    .request_head = request_head,
    .response_head = response_head,
};

RELAY_EXPORT const relay_plugin *relay_plugin_entry(const relay_host *host) {
    relay = host;
    return &table;
}
