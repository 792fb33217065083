/* Points of the design space by key and text. */
#include <stdio.h>

#include "sweep/spec_error.h"
#include "sweep/spec_fields.h"

enum status point_init(struct point *out, struct err *e)
{
    *out = (struct point){.recipe = recipe_default()};
    return field_set(field_find(SECTION_BASE, "preset"), out, "small32", e);
}

enum status point_set(struct point *p, const char *key, const char *text, struct err *e)
{
    const struct field *f = field_find(SECTION_AXIS, key);
    if (!f) {
        char unknown[900];
        field_unknown(SECTION_AXIS, key, unknown, sizeof unknown);
        return err_set(e, ST_USAGE, "%s", unknown);
    }
    enum status st = field_set(f, p, text, e);
    return st == ST_OK ? ST_OK : err_prefix(e, "%s", f->key);
}

bool point_get(const struct point *p, const char *key, char *out, size_t n)
{
    char text[POINT_TEXT];
    const struct field *f = field_find(SECTION_AXIS, key);
    if (!f)
        return false;
    field_get(f, p, text);
    snprintf(out, n, "%s", text);
    return true;
}
