/* Conditions: what is accepted can be evaluated, what is refused says where. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "sweep/conditions.h"
#include "sweep/spec.h"

static void require(bool promise)
{
    if (!promise)
        abort();
}

static void evaluate(const struct expression *x, bool costs)
{
    struct point point;
    const struct cost cost = {.params = 1000, .model_bytes = 4000, .macs = 5000};
    const struct derived derived = {.realised_sr = 0.25};
    const struct measures m = {&point, costs ? &cost : NULL, &derived, 16, 12.5};
    require(point_init(&point, NULL) == ST_OK);
    struct expression_fault fault, again;
    const bool once = expression_holds(x, conditions_lookup, &m, &fault);
    require(once == expression_holds(x, conditions_lookup, &m, &again));
    require(fault.what == again.what && fault.at == again.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const size_t live = mem_live();
    char *text = mem_alloc(n + 1, 1);
    require(text != NULL);
    memcpy(text, bytes, n);
    text[n] = '\0';
    for (int costs = 0; costs < 2; costs++) {
        struct arena arena;
        struct expression_scope scope;
        struct err e = ERR_INIT;
        const struct expression *x = NULL;
        size_t at = 0;
        arena_init(&arena);
        require(conditions_scope(&arena, costs == 1, &scope, &e) == ST_OK);
        const enum status st = expression_parse(text, &scope, &arena, &x, &at, &e);
        require(st == ST_OK ? x != NULL : st == ST_USAGE && at <= strlen(text) && e.text[0] != '\0');
        if (st == ST_OK)
            evaluate(x, costs == 1);
        arena_release(&arena);
    }
    mem_free(text);
    require(mem_live() == live);
    return 0;
}
