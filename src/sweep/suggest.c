/* "Did you mean": the known word nearest to an unknown one. */
#include "sweep/suggest.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

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

const char *suggest_word(const char *word, const char *const *known, int count)
{
    const char *best = NULL;
    size_t length = strlen(word);
    int best_distance = (int)length / 3 + 1; /* a third of the letters may differ, one always */
    if (length > LONGEST)
        return NULL;
    for (int i = 0; i < count; i++) {
        if (strlen(known[i]) > LONGEST)
            continue;
        int distance = edit_distance(word, known[i]);
        if (distance < (int)strlen(known[i]) &&
            (distance < best_distance || (!best && distance == best_distance))) {
            best = known[i];
            best_distance = distance;
        }
    }
    return best;
}
