/* "Did you mean": the known key nearest to an unknown one. */
#include <stdio.h>
#include <string.h>

#include "sweep/spec_error.h"
#include "sweep/spec_fields.h"

enum { LONGEST = 24 }; /* no key is longer; longer words get no suggestion */

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b, case ignored
 * (optimal string alignment). Both at most LONGEST long. */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][LONGEST + 1]; /* of a[0..i-2], a[0..i-1], a[0..i] against each start of b */
    int na = (int)strlen(a), nb = (int)strlen(b);
    for (int j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (int i = 1; i <= na; i++) {
        int *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= nb; j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

static const char *nearest(enum section section, const char *key)
{
    const char *best = NULL;
    size_t length = strlen(key);
    int best_distance = (int)length / 3 + 1; /* a third of the letters may differ, one always */
    if (length > LONGEST)
        return NULL;
    for (size_t i = 0; i < field_count(); i++) {
        const char *known = field_at(i)->key;
        if (!field_in(field_at(i), section) || strlen(known) > LONGEST)
            continue;
        int distance = edit_distance(key, known);
        if (distance < (int)strlen(known) &&
            (distance < best_distance || (!best && distance == best_distance))) {
            best = known;
            best_distance = distance;
        }
    }
    return best;
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
