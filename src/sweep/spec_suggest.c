/* What is said of a key that a section does not have. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sweep/spec_error.h"
#include "sweep/spec_fields.h"
#include "sweep/suggest.h"

/* Where a key belongs that is no key of `section`; NULL: nowhere. */
static const char *other_place(enum section section, const char *key)
{
    static const struct {
        enum section section;
        const char *name;
    } places[] = {{SECTION_ROOT, "the spec's first level"},
                  {SECTION_DATA, "data"},
                  {SECTION_BASE, "base"},
                  {SECTION_TRAIN, "train"},
                  {SECTION_SEARCH, "search"},
                  {SECTION_BUDGET, "budget"},
                  {SECTION_RUN, "run"},
                  {SECTION_BLOCK, "a block of sweep"}};
    for (size_t place = 0; place < sizeof places / sizeof *places; place++) {
        if (places[place].section == section)
            continue;
        for (size_t i = 0; i < field_count(); i++)
            if (field_in(field_at(i), places[place].section) && strcmp(field_at(i)->key, key) == 0)
                return places[place].name;
    }
    return NULL;
}

/* Is it what the SqueezeNet paper or other tools call a key of the section, where no letters lead there? */
static bool other_name(enum section section, const char *key, char out[SUGGEST_TEXT])
{
    static const struct {
        const char *name, *key, *more;
    } names[] = {{"squeeze", "SR", ""},
                 {"squeeze_ratio", "SR", ""},
                 {"ratio", "SR", " or pct3x3"},
                 {"expand", "base_e", " or incr_e"},
                 {"width", "base_e", ""},
                 {"learning_rate", "lr", ""},
                 {"wd", "weight_decay", ""},
                 {"image_size", "input", ""},
                 {"kernel_size", "conv1_kernel", ""}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i].name, key) == 0 && field_find(section, names[i].key)) {
            snprintf(out, SUGGEST_TEXT, ", did you mean %s%s?", names[i].key, names[i].more);
            return true;
        }
    }
    return false;
}

void field_unknown(enum section section, const char *key, char *out, size_t n)
{
    char quoted[QUOTED_TEXT], guess[SUGGEST_TEXT] = "", list[SUGGEST_LIST];
    const char *known[FIELDS_MAX], *place = other_place(section, key);
    int count = 0;
    for (size_t i = 0; i < field_count(); i++)
        if (field_in(field_at(i), section))
            known[count++] = field_at(i)->key;
    if (strcmp(key, "<<") == 0)
        snprintf(guess, sizeof guess, " (there are no merge keys; an alias stands for a whole value)");
    else if (!other_name(section, key, guess) && !place)
        suggest_text(key, known, count, guess);
    snprintf(out, n, "unknown key %s%s%s%s; allowed: %s", text_quote(key, quoted), guess,
             place ? ", which belongs to " : "", place ? place : "",
             suggest_list(known, count, " (firesweep plan --reference describes them)", list));
}
