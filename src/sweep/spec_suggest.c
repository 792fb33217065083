/* What is said of a key that a section does not have. */
#include <stdio.h>
#include <string.h>

#include "sweep/spec_error.h"
#include "sweep/spec_fields.h"
#include "sweep/suggest.h"

static const char *nearest(enum section section, const char *key)
{
    const char *known[FIELDS_MAX];
    int count = 0;
    for (size_t i = 0; i < field_count(); i++) {
        if (field_in(field_at(i), section))
            known[count++] = field_at(i)->key;
    }
    return suggest_word(key, known, count);
}

void field_unknown(enum section section, const char *key, char *out, size_t n)
{
    char quoted[QUOTED_TEXT];
    const char *guess = nearest(section, key);
    size_t used = (size_t)snprintf(out, n, "unknown key %s%s%s%s; allowed: ", text_quote(key, quoted),
                                   guess ? ", did you mean " : "", guess ? guess : "", guess ? "?" : "");
    const char *separator = "";
    for (size_t i = 0; i < field_count() && used < n; i++) {
        if (!field_in(field_at(i), section))
            continue;
        used += (size_t)snprintf(out + used, n - used, "%s%s", separator, field_at(i)->key);
        separator = ", ";
    }
}
