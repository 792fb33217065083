/* Metaparameters, Fires and every other key of a point as text: lines "key=value", as `derive`'s options and
 * axes give them. What is accepted is realised. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "metamodel/arch.h"
#include "metamodel/cost.h"
#include "sweep/spec.h"

enum { LINES_MAX = 32 };

static void require(bool promise)
{
    if (!promise)
        abort();
}

static void check_error(enum status st, const struct err *e)
{
    require(st == ST_USAGE && e->status == st && e->text[0] != '\0' && !strpbrk(e->text, "\n\r"));
}

/* Sets one key; what was accepted reads back to the same text. */
static void set(struct point *p, const char *key, const char *value)
{
    struct err e = ERR_INIT;
    struct point before = *p;
    char text[POINT_TEXT], again[POINT_TEXT];
    enum status st = point_set(p, key, value, &e);
    if (st != ST_OK) {
        check_error(st, &e);
        require(memcmp((const unsigned char *)&before, (const unsigned char *)p, sizeof before) == 0);
        return;
    }
    struct point copy = *p;
    require(point_get(p, key, text, sizeof text));
    require(point_set(&copy, key, text, &e) == ST_OK);
    require(point_get(&copy, key, again, sizeof again) && strcmp(text, again) == 0);
}

static void realise(const struct point *p)
{
    struct arch arch;
    struct derived derived;
    struct err e = ERR_INIT;
    enum status st = design_derive(&p->design, &derived, &e);
    if (st == ST_OK) {
        for (int i = 0; i < FIRE_COUNT; i++) {
            const struct fire *f = &derived.fires[i];
            require(f->s1x1 >= 1 && f->e1x1 >= 0 && f->e3x3 >= 0 && f->e1x1 + f->e3x3 >= 1);
        }
        st = arch_build(&p->design, &arch, &e);
    }
    if (st == ST_OK) {
        char hash[HASH_TEXT];
        struct cost cost;
        arch_cost(&arch, &cost);
        arch_hash(&arch, hash);
        require(cost.params > 0 && cost.macs > 0 && strlen(hash) == HASH_TEXT - 1);
    } else {
        check_error(st, &e);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const size_t live = mem_live();
    char *text = malloc(n + 1), *rest = text;
    struct point point;
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    memset(&point, 0, sizeof point);
    require(point_init(&point, NULL) == ST_OK);
    for (int i = 0; i < LINES_MAX && rest; i++) {
        char *line = strsep(&rest, "\n"), *value = strchr(line, '=');
        if (value) {
            *value++ = '\0';
            set(&point, line, value);
        }
    }
    realise(&point);
    free(text);
    require(mem_live() == live);
    return 0;
}
