/* "Did you mean": the known word nearest to an unknown one. */
#include "sweep/suggest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    LONGEST = 24,  /* no key is longer; to longer words none is near */
    LEAST_PART = 3 /* letters that two words must share to be related */
};

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

static bool contains(const char *text, const char *part)
{
    const size_t n = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && lower(text[i]) == lower(part[i]))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

/* Where no word is near: those of which one is a part of the other. */
static int related_words(const char *word, const char *const *known, int count, const char *out[SUGGESTIONS])
{
    int found = 0;
    for (int i = 0; i < count && found < SUGGESTIONS; i++) {
        const size_t shorter = strlen(word) < strlen(known[i]) ? strlen(word) : strlen(known[i]);
        if (shorter >= LEAST_PART && (contains(known[i], word) || contains(word, known[i])))
            out[found++] = known[i];
    }
    return found;
}

int suggest_words(const char *word, const char *const *known, int count, const char *out[SUGGESTIONS])
{
    const size_t length = strlen(word);
    int best = (int)length / 3 + 1; /* a third of the letters may differ, one always */
    int found = 0;
    for (int i = 0; length <= LONGEST && i < count; i++) {
        if (strlen(known[i]) > LONGEST)
            continue;
        const int distance = edit_distance(word, known[i]);
        if (distance >= (int)strlen(known[i]) || distance > best)
            continue;
        found = distance < best ? 0 : found;
        best = distance;
        if (found < SUGGESTIONS)
            out[found++] = known[i];
    }
    return found ? found : related_words(word, known, count, out);
}

const char *suggest_word(const char *word, const char *const *known, int count)
{
    const char *words[SUGGESTIONS];
    return suggest_words(word, known, count, words) ? words[0] : NULL;
}

const char *suggest_text(const char *word, const char *const *known, int count, char out[SUGGEST_TEXT])
{
    const char *words[SUGGESTIONS];
    const int found = suggest_words(word, known, count, words);
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < found && used < SUGGEST_TEXT; i++)
        used += (size_t)snprintf(out + used, SUGGEST_TEXT - used, "%s%.30s%s",
                                 i == 0           ? ", did you mean "
                                 : i + 1 == found ? " or "
                                                  : ", ",
                                 words[i], i + 1 == found ? "?" : "");
    return out;
}

const char *suggest_list(const char *const *known, int count, const char *more, char out[SUGGEST_LIST])
{
    const int shown = count > SUGGEST_LISTED ? SUGGEST_LISTED : count;
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < shown && used < SUGGEST_LIST; i++)
        used += (size_t)snprintf(out + used, SUGGEST_LIST - used, "%s%.30s", i ? ", " : "", known[i]);
    if (count > shown && used < SUGGEST_LIST)
        snprintf(out + used, SUGGEST_LIST - used, " and %d more%s", count - shown, more);
    return out;
}
