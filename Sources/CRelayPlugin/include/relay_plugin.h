#ifndef RELAY_PLUGIN_H
#define RELAY_PLUGIN_H

/*
 * The contract between relay and a plugin: a shared library that is a stage of a pipeline.
 *
 * A library exports one function, relay_plugin_entry, which takes the table of what relay can do and
 * returns the table of what the plugin does. relay-plugin(3) is the tutorial; this is the reference.
 *
 * Versions. Both tables begin with a magic number, the version of this contract, and their own size. The
 * major version must be the same on both sides. Within one, structs only grow at their end: read a field of
 * relay's only if `size` covers it (RELAY_HAS), and leave what you do not know to relay, which takes what
 * lies beyond your `size` for NULL. `abi_minor` of a plugin is the lowest minor version that it can do with.
 *
 * Structs. Every struct that relay passes to a hook begins with its size. It and all that it points to belong
 * to relay and end with the call, unless the field says otherwise.
 *
 * Texts are relay_bytes: not terminated by a zero, in UTF-8 where not said otherwise.
 *
 * Threads. `configure` and `retire` are called on a thread of relay's own, never two at a time for one
 * instance. All other functions of a plugin are called on event loops: those of one worker on one loop, one
 * after the other; those of different workers at the same time. So what belongs to a worker or to an exchange
 * needs no lock, and what belongs to the instance does. A function that is called on an event loop must not
 * block: no file, no socket, no lock that is held for long. Functions of relay_host may be called on the
 * threads that their comments name.
 *
 * Errors. A plugin runs inside of relay: a crash of the one is a crash of the other.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this contract. */
#define RELAY_ABI_MAJOR 1
#define RELAY_ABI_MINOR 0

/* The first four bytes of both tables: "RLYP" as a number. */
#define RELAY_MAGIC 0x524C5950u

/* The name of the function that a library exports. */
#define RELAY_PLUGIN_ENTRY "relay_plugin_entry"

/* Whether the struct that `pointer` points to is long enough to have `field`. */
#define RELAY_HAS(pointer, type, field) \
    ((pointer)->size >= offsetof(type, field) + sizeof((pointer)->field))

/* Marks the entry, where everything else is hidden. */
#if defined(__GNUC__)
#define RELAY_EXPORT __attribute__((visibility("default")))
#else
#define RELAY_EXPORT
#endif

/* Some bytes of somebody's. `data` may be NULL if `size` is 0. */
typedef struct relay_bytes {
    const char *data;
    size_t size;
} relay_bytes;

/*
 * The name of an exchange: one request and its response. Names are never used twice, so one that is kept
 * too long is refused (RELAY_STALE) and does no harm. 0 is the name of none.
 */
typedef uint64_t relay_exchange;

/* The name of an instance of a plugin, for relay_host.log and relay_host.config_error. */
typedef uint64_t relay_instance;

/* What a function of relay_host says. */
typedef uint32_t relay_status;
enum {
    RELAY_OK = 0,
    /* There is no such thing: no field of this name, no value of this attribute. */
    RELAY_NONE = 1,
    /* The exchange is not the one of the hook that runs on this thread, or the pause is over. */
    RELAY_STALE = 2,
    /* An argument is not allowed: a malformed name or value, a field that belongs to relay. */
    RELAY_REFUSED = 3,
    /* Not at this point: see the function. */
    RELAY_NOT_NOW = 4
};

/* What a hook says. Any other number counts as RELAY_FAIL. */
typedef uint32_t relay_verdict;
enum {
    /* Go on. */
    RELAY_CONTINUE = 0,
    /* The plugin has answered, by relay_host.respond in this same call. */
    RELAY_RESPOND = 1,
    /* Wait for relay_host.resume; relay_host.pause was called in this same call. */
    RELAY_PAUSE = 2,
    /* The plugin has failed: `on_error` of the stage says what becomes of the exchange. */
    RELAY_FAIL = 3
};

/* How much a line of the log matters. */
typedef uint32_t relay_log_level;
enum {
    RELAY_LOG_DEBUG = 0,
    RELAY_LOG_INFO = 1,
    RELAY_LOG_NOTICE = 2,
    RELAY_LOG_WARNING = 3,
    RELAY_LOG_ERROR = 4
};

/* What there is to know of an exchange: the first four in request_head and in `resumed` of a request, the others in
 * every hook. */
typedef uint32_t relay_attribute;
enum {
    /* The request's method: GET. */
    RELAY_METHOD = 0,
    /* The request's path in its normal form, without query. */
    RELAY_PATH = 1,
    /* The request's query without its '?'. RELAY_NONE without '?'. */
    RELAY_QUERY = 2,
    /* The host and port that the request is for, as they were given. RELAY_NONE if it names none. */
    RELAY_HOST = 3,
    /* The client's address, without port: the peer's, or what trusted proxies say. RELAY_NONE for one on a
     * unix socket. */
    RELAY_CLIENT_ADDRESS = 4,
    /* The address of the peer, which is the client or the last proxy before relay. */
    RELAY_PEER_ADDRESS = 5,
    /* The id of the request (X-Request-Id). */
    RELAY_REQUEST_ID = 6,
    /* The name of the listener in relay.yaml. */
    RELAY_LISTENER = 7
};

/* The kind of a value in relay.yaml. */
typedef uint32_t relay_kind;
enum {
    RELAY_KIND_NULL = 0,
    /* `text` is "true" or "false". */
    RELAY_KIND_BOOLEAN = 1,
    /* `text` is a number as JSON writes it. */
    RELAY_KIND_NUMBER = 2,
    RELAY_KIND_TEXT = 3,
    /* A mapping or list with nothing in it: `text` is "{}" or "[]". */
    RELAY_KIND_EMPTY = 4
};

/*
 * One value of a plugin's `config`. All of them, in the order of the file, are the same as its JSON, for
 * who has no JSON parser at hand.
 */
typedef struct relay_setting {
    /* Where it is: keys and positions in lists joined by '/', as in "rules/0/rate"; in keys '~' is written
     * "~0" and '/' "~1" (RFC 6901, without the first '/'). */
    relay_bytes path;
    relay_bytes text;
    relay_kind kind;
    uint32_t reserved;
} relay_setting;

/* A header field. `name` is a token, `value` has no control character and no blank around it. */
typedef struct relay_field {
    relay_bytes name;
    relay_bytes value;
} relay_field;

/* ---- What relay does for a plugin ---- */

/*
 * The table lives as long as the process.
 *
 * Functions that take a relay_exchange, but for `resume`, may only be called inside of a hook, for the
 * exchange of that hook and on its thread; else they return RELAY_STALE. Texts that they give live until the
 * hook returns. Texts that they take are copied.
 */
typedef struct relay_host {
    uint32_t magic;
    uint16_t abi_major;
    uint16_t abi_minor;
    uint32_t size;
    uint32_t reserved;

    /*
     * Writes a line to relay's log, if its level is on. On any thread. Nothing secret: no token, no body.
     * `instance` is that of configure; what one says that is retired is not written.
     */
    void (*log)(relay_instance instance, relay_log_level level, relay_bytes message);

    /*
     * Says what is wrong in `config`: `path` as in relay_setting, of a value or of what holds values;
     * `message` one sentence, lower case, without full stop. relay shows it with file, line and column. May be
     * called several times. Only inside of configure, which then returns RELAY_FAIL; else RELAY_NOT_NOW.
     */
    relay_status (*config_error)(relay_instance instance, relay_bytes path, relay_bytes message);

    /* Nanoseconds of a clock that never jumps, since an arbitrary point. On any thread. */
    uint64_t (*clock)(void);

    /* Nanoseconds since 1970, UTC. On any thread. */
    uint64_t (*wall_clock)(void);

    /* Gives something about the exchange. RELAY_NONE: it has no such thing. RELAY_NOT_NOW: see relay_attribute. */
    relay_status (*attribute)(relay_exchange exchange, relay_attribute which, relay_bytes *value);

    /*
     * Gives the first field of this name, in any case, of the head that the hook is about. RELAY_NONE: there is
     * none. In request_head and response_head, and in `resumed` of either; else RELAY_NOT_NOW. So for the next
     * five.
     *
     * In request_head the fields are the client's, as earlier stages have left them. In response_head they are
     * those that the client gets, without framing, Date, Server and Connection, which relay writes; header
     * filters of the pipeline have changed them already.
     */
    relay_status (*header_get)(relay_exchange exchange, relay_bytes name, relay_bytes *value);

    /* Gives field number `index`, from 0. RELAY_NONE: there are not so many. */
    relay_status (*header_at)(relay_exchange exchange, size_t index, relay_field *field);

    /*
     * Replaces all fields of a name by one. RELAY_REFUSED: name or value is malformed, or relay alone writes
     * the field: framing and hop-by-hop fields, Host, Expect, Date; in a request of the packet protocol its
     * fields, Authorization and Cookie.
     */
    relay_status (*header_set)(relay_exchange exchange, relay_bytes name, relay_bytes value);

    /* Adds a field behind the others. RELAY_REFUSED as above. */
    relay_status (*header_add)(relay_exchange exchange, relay_bytes name, relay_bytes value);

    /* Removes all fields of a name; RELAY_OK also if there is none. RELAY_REFUSED as above. */
    relay_status (*header_remove)(relay_exchange exchange, relay_bytes name);

    /*
     * Answers the request, or replaces the response: `status` 200 to 599, `count` fields, and a body. relay
     * writes framing, Date, Server and Connection. The hook then returns RELAY_RESPOND; if it returns anything
     * else the answer is forgotten. Once a hook. RELAY_REFUSED: a field as in header_set, or the status.
     * RELAY_NOT_NOW: the response gives a packet to its client and cannot be replaced.
     */
    relay_status (*respond)(
        relay_exchange exchange, uint32_t status, const relay_field *fields, size_t count, relay_bytes body);

    /*
     * Announces that the hook will return RELAY_PAUSE: the exchange then waits for `resume` with this token.
     * `timeout` is in milliseconds; 0, or more than `timeout` of the plugin in relay.yaml, means the latter. When it is
     * over the plugin counts as failed. RELAY_NOT_NOW: this head cannot wait (see respond).
     */
    relay_status (*pause)(relay_exchange exchange, uint32_t timeout, uint64_t *token);

    /*
     * Ends a pause: relay calls `resumed` with `data` on the event loop of the exchange. On any thread, also
     * before the hook that paused has returned. RELAY_STALE, and nothing happens: the pause was resumed before, its
     * time is over, or the exchange is. After RELAY_OK `data` comes back exactly once: in `resumed`, or, if the
     * exchange ends first, in exchange_end.
     */
    relay_status (*resume)(relay_exchange exchange, uint64_t token, uint64_t data);
} relay_host;

/* ---- What a plugin does ---- */

typedef struct relay_configure_call {
    uint32_t size;
    uint32_t reserved;
    relay_instance instance;
    /* The name of the plugin in relay.yaml. */
    relay_bytes name;
    /* `config` as JSON; "{}" if there is none. */
    relay_bytes config;
    /* The same, value by value. */
    const relay_setting *settings;
    size_t setting_count;
    /* Where to put the pointer that all later calls get as `state`; may stay NULL. */
    void **state;
} relay_configure_call;

typedef struct relay_retire_call {
    uint32_t size;
    uint32_t reserved;
    void *state;
} relay_retire_call;

typedef struct relay_worker_start_call {
    uint32_t size;
    /* The number of the event loop, from 0. */
    uint32_t loop;
    void *state;
    /* Where to put the pointer that all calls on this loop get as `worker`; may stay NULL. */
    void **worker;
} relay_worker_start_call;

typedef struct relay_worker_stop_call {
    uint32_t size;
    uint32_t loop;
    void *state;
    void *worker;
} relay_worker_stop_call;

/* What begins the argument of every hook of an exchange. */
typedef struct relay_exchange_call {
    uint32_t size;
    uint32_t reserved;
    relay_exchange exchange;
    void *state;
    void *worker;
    /* A pointer of the plugin's for this exchange and this stage, NULL at first; what it points to must be
     * freed in exchange_end at the latest. */
    void **own;
} relay_exchange_call;

typedef struct relay_request_head_call {
    relay_exchange_call call;
    /* Whether a body follows. */
    uint32_t has_body;
    uint32_t reserved;
} relay_request_head_call;

typedef struct relay_response_head_call {
    relay_exchange_call call;
    /* The status: 200. */
    uint32_t status;
    /* Whether relay, or another plugin, has made the answer, and no target. */
    uint32_t is_own;
} relay_response_head_call;

typedef struct relay_resumed_call {
    relay_exchange_call call;
    /* What `resume` was given. */
    uint64_t data;
    /* The status of the response whose head waits; 0 if it is the request's. */
    uint32_t status;
    uint32_t reserved;
} relay_resumed_call;

typedef struct relay_exchange_end_call {
    relay_exchange_call call;
    /* The response's status; 0 if there was none. */
    uint32_t status;
    /* Whether `data` of a resume comes back here, because there was no `resumed` for it. */
    uint32_t has_data;
    uint64_t data;
    /* Nanoseconds from the request's head to the end. */
    uint64_t duration;
    /* Bytes of the bodies, as far as they came. */
    uint64_t request_bytes;
    uint64_t response_bytes;
} relay_exchange_end_call;

/* For relay_plugin.flags: the plugin protects what is behind it, so that `on_error: skip` is refused. */
#define RELAY_PLUGIN_GUARDS 1u

/*
 * The table of a plugin. It must live as long as the process; relay never unloads a library. Every function
 * may be NULL.
 *
 * Life: configure -> (worker_start -> hooks -> worker_stop) on every event loop -> retire. A reload makes new
 * instances, also of a library that has not changed, before it lets go of the old ones; these end when their last
 * exchange has. When relay itself ends, nothing is called any more.
 */
typedef struct relay_plugin {
    uint32_t magic;
    uint16_t abi_major;
    uint16_t abi_minor;
    uint32_t size;
    uint32_t flags;

    /* What the plugin is called, and its version, for the log. */
    relay_bytes name;
    relay_bytes version;

    /*
     * Makes an instance: RELAY_CONTINUE, or RELAY_FAIL after config_error. May block, not longer than
     * seconds. relay first calls it in a process of its own, which ends afterwards: what it does outside of its memory is
     * done twice.
     */
    relay_verdict (*configure)(const relay_configure_call *call);
    /* Ends an instance of which no worker is left, or whose configure has failed. On the thread of whoever used it last,
     * which may be an event loop. */
    void (*retire)(const relay_retire_call *call);

    /* Begins on an event loop: RELAY_CONTINUE, or RELAY_FAIL: then every hook on this loop counts as failed. */
    relay_verdict (*worker_start)(const relay_worker_start_call *call);
    /* Ends on an event loop on which worker_start went well. */
    void (*worker_stop)(const relay_worker_stop_call *call);

    /* The head of a request has come. Any verdict. */
    relay_verdict (*request_head)(const relay_request_head_call *call);
    /*
     * The head of a response is about to go out: of a target, of relay itself or of a later plugin, not the
     * plugin's own answer to request_head. In the reverse order of the pipeline. Any verdict. Not asked about
     * interim responses, and about a 101.
     */
    relay_verdict (*response_head)(const relay_response_head_call *call);
    /* A pause was ended by `resume`; the verdict takes the place of RELAY_PAUSE. Any verdict. */
    relay_verdict (*resumed)(const relay_resumed_call *call);
    /* The exchange is over: the last call for it, exactly once after each request_head. */
    void (*exchange_end)(const relay_exchange_end_call *call);
} relay_plugin;

/*
 * What a library exports. NULL: the plugin cannot do with this relay. Called once for each library that is loaded, before
 * everything else.
 */
RELAY_EXPORT const relay_plugin *relay_plugin_entry(const relay_host *host);

#ifdef __cplusplus
}
#endif

#endif
