#include "report/settings.h"

#include <string.h>

bool settings_hold(const char *list, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = list; n > 0; at++) {
        if (strncmp(at, name, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
        at += strcspn(at, ",");
        if (!*at)
            break;
    }
    return false;
}
