/* Sweep specs: what is accepted must be whole, what is refused must say where. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "sweep/space.h"
#include "sweep/space_notes.h"
#include "sweep/spec.h"

enum { TRIALS_MAX = 500 }; /* more are not built: a run must be quick */

static void require(bool promise)
{
    if (!promise)
        abort();
}

/* "input:LINE:COLUMN: ..." on one line */
static void error_check(enum status st, const struct err *e)
{
    int line = 0, column = 0;
    require(st == ST_USAGE && e->status == st);
    require(sscanf(e->text, "input:%d:%d: ", &line, &column) == 2 && line >= 1 && column >= 1);
    require(!strpbrk(e->text, "\n\r"));
}

/* Every key reads back to the same text. */
static void point_check(const struct point *p)
{
    static const char *const keys[] = {
        "preset", "SR",    "pct3x3", "bypass",   "input", "pools",  "pool_rounding",
        "fires",  "lr",    "epochs", "schedule", "flip",  "init",   "crop_border",
        "base_e", "lanes", "clip",   "epsilon",  "freq",  "classes"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct point copy = *p;
        struct err e = ERR_INIT;
        char text[POINT_TEXT], again[POINT_TEXT];
        require(point_get(p, keys[i], text, sizeof text));
        require(point_set(&copy, keys[i], text, &e) == ST_OK);
        require(point_get(&copy, keys[i], again, sizeof again));
        require(strcmp(text, again) == 0);
    }
}

static double trials_of(const struct spec *s)
{
    double total = 0;
    for (int i = 0; i < s->block_count; i++) {
        const struct block *b = &s->blocks[i];
        if (b->random.n > 0) {
            total += (double)b->random.n * s->seed_count;
            continue;
        }
        double points = b->list_count > 0 ? b->list_count : 1;
        points *= b->zip_count > 0 ? b->zip[0].count : 1;
        for (int k = 0; k < b->grid_count; k++)
            points *= b->grid[k].count;
        total += points * s->seed_count;
    }
    return total;
}

static void space_check(const struct spec *spec, const struct space *space)
{
    double missing = 0; /* points that random blocks did not find */
    for (int i = 0; i < spec->block_count; i++) {
        const struct sampling *s = &space->samplings[i];
        require(s->points <= s->wanted && (s->points > 0 || s->wanted == 0));
        missing += (double)(s->wanted - s->points) * spec->seed_count;
    }
    require(space->membership_count == (int)(trials_of(spec) - missing) && space->trial_count >= 1);
    for (int i = 0; i < space->membership_count; i++) {
        const struct membership *m = &space->memberships[i];
        require(m->trial >= 0 && m->trial < space->trial_count && m->block >= 0 &&
                m->block < spec->block_count && m->design != NULL);
        struct json_object *axes = json_tokener_parse(m->axes);
        require(axes != NULL && json_object_is_type(axes, json_type_object));
        json_object_put(axes);
    }
    for (int i = 0; i < space->trial_count; i++) {
        require(space->trials[i].cost.params > 0 && space->trials[i].cost.macs > 0);
        point_check(&space->trials[i].point);
    }
}

/* Whole lines. */
static void notes_check(const struct spec *spec, const struct space *space)
{
    struct strbuf notes = STRBUF_INIT;
    space_notes(spec, space, 100, &notes);
    require(!notes.failed && (notes.len == 0 || notes.text[notes.len - 1] == '\n'));
    strbuf_release(&notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct spec spec;
    struct err e = ERR_INIT;
    size_t live = mem_live();
    enum status st = spec_parse((const char *)bytes, n, "input", &spec, &e);
    if (st != ST_OK)
        error_check(st, &e);
    else
        point_check(&spec.base);
    if (st == ST_OK && trials_of(&spec) <= TRIALS_MAX) {
        struct space space;
        st = space_build(&spec, &space, &e);
        if (st == ST_OK) {
            space_check(&spec, &space);
            notes_check(&spec, &space);
        } else {
            error_check(st, &e);
        }
        space_release(&space);
    }
    spec_release(&spec);
    require(mem_live() == live);
    return 0;
}
