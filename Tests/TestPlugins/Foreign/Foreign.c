/* A plugin of a later time. */

#include "relay_plugin.h"

static const relay_plugin table = {
    .magic = RELAY_MAGIC,
    .abi_major = RELAY_ABI_MAJOR + 1,
    .size = sizeof(relay_plugin),
};

RELAY_EXPORT const relay_plugin *relay_plugin_entry(const relay_host *host) {
    return host->magic == RELAY_MAGIC ? &table : NULL;
}
