/* Between space.c (blocks to trials) and space_random.c (points of random blocks). */
#ifndef SWEEP_SPACE_INTERNAL_H
#define SWEEP_SPACE_INTERNAL_H

#include "base/strbuf.h"
#include "sweep/conditions.h"
#include "sweep/forecast.h"
#include "sweep/space.h"
#include "sweep/spec_fields.h"

/* One value of a point. */
struct choice {
    const struct field *field;
    const struct axis_value *value;
};

struct builder {
    const struct spec *spec;
    struct space *space;
    struct err *e;
    int trial_capacity;
    size_t slot_count; /* a power of two, at least twice the trials */
    int *slots;        /* hash table of trials by identity: index + 1, 0 = free */
    int *claimed;      /* of each trial: the last random block with it, + 1 */
    /* For conditions on train_s, where there are any: */
    bool wants_time;
    struct speed speed;
    struct image_counts images;
    /* The block and its point at work: */
    int block;
    int position;
    int choice_count, set_count; /* the first set_count choices come from the block's `set` */
    struct choice choices[FIELDS_MAX];
    struct strbuf axes;
    /* Of a random block: */
    uint32_t *strata; /* lhs: n for each parameter */
    struct axis_value drawn[FIELDS_MAX];
    char drawn_text[FIELDS_MAX][32];
};

enum status space_no_memory(const struct builder *b);

/* JSON of the choices that are not the block's `set`, in the space's arena. */
enum status space_axes(struct builder *b, const char **out);

/* The choices that `set` makes; others are added behind them. */
void space_choose_set(struct builder *b);
void space_choose(struct builder *b, const char *key, const struct axis_value *value);
/* The base, or another preset with all that the spec's base sets, then the choices. *cause has no position.
 */
enum status space_assemble(const struct builder *b, struct point *point, struct err *cause);

/* Makes the point of the choices. When it cannot be built: ST_USAGE, *cause saying why (with a position only
 * if *placed). */
enum status space_realise(const struct builder *b, struct trial *trial, bool *placed, struct err *cause);
/* Where a spec gives a value: "sweep.a.grid.SR", "base.SR", and the line and column. */
struct place {
    struct mark at;
    char key[256];
};
/* Of a choice: its axis in grid and zip, its value elsewhere. */
void space_place_axis(const struct builder *b, int choice, struct place *out);
/* Of the value that a point of this block has for a key of base or train; -1: in no block. Where nothing
 * gives it, of the preset, or of the base; for a key of train, the spec's beginning. */
void space_place_value(const struct spec *spec, int block, const struct field *f, const struct point *point,
                       struct place *out);
/* Records in *e (which may be b->e) why the point of the choices cannot be built, at the value that breaks
 * it: the one with which, in the order set, list, zip, grid, it can no longer be built; or, with none of
 * them, the value of base or train. Returns cause->status, or ST_NOMEM. */
enum status space_blame(struct builder *b, const struct err *cause, struct err *e);

/* Does a condition hold? ST_USAGE, in b->e with its place, where its numbers do not exist; `key`: what the
 * condition is the value of. */
enum status space_holds(struct builder *b, const struct condition *c, const char *key,
                        const struct measures *measures, bool *holds);
/* Number of the first condition that the point violates: constraints, exclude, the block's exclude; -1: none.
 * realise comes first. Fails as space_holds does. */
enum status space_violated(struct builder *b, const struct trial *trial, int *violated);
/* Index of a trial that is equal, -1 if there is none. */
int space_find(const struct builder *b, const struct trial *trial);
/* Adds the point under every seed. */
enum status space_add(struct builder *b, struct trial *trial);

/* The trials of shorter rungs, behind all others (space_search.c). */
enum status space_search(struct builder *b);

/* All points of the random block at work. */
enum status space_random(struct builder *b);

#endif
