/* The header alone is the contract; this file lets the compiler look at it. */
#include "relay_plugin.h"
