/* The same plugin, which says that it guards what is behind it. */

#define BEHAVING_GUARDS
#include "../Behaving/Behaving.c"
