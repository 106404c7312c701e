// PCRE2 names its functions by the width of a character, which must be said before its header: bytes.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
