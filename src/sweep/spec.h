/* A sweep spec: YAML text -> validated values. Only spec.c knows YAML.
 * Every error reads "file.yaml:line:column: key: what is wrong, what is allowed" and is ST_USAGE. */
#ifndef SWEEP_SPEC_H
#define SWEEP_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "data/dataset.h"
#include "engine/recipe.h"
#include "metamodel/arch.h"

/* Where something stands in the spec, for later errors. */
struct mark {
    int line, column; /* 1-based */
};

/* One point of the design space before it is realised: all that an axis can set. */
struct point {
    const char *preset; /* name of the preset the design started from (a static string), NULL = none */
    struct design design;
    struct recipe recipe;
};

/* One axis value as text ("0.125", "simple", "conv1,fire4,fire8") with its position. */
struct axis_value {
    const char *text;
    struct mark mark;
};

struct expression;

struct axis {
    const char *key; /* any metaparameter, macro-architecture or train key */
    struct mark mark;
    int count;
    int left_out;              /* by spec_parse_without, besides `count` */
    struct axis_value *values; /* ranges are already expanded */
};

/* One assignment list: a row of `list`, or the block's `set`. */
struct assignment {
    const char *key;
    struct axis_value value;
};
struct assignments {
    int count;
    struct assignment *items;
};

/* A condition on a point and its cost, see expression.h. */
struct condition {
    const char *text;   /* as written */
    const char *reason; /* what a trial says that it removes: the text, or "exclude: " and the text */
    struct mark mark;
    const struct expression *holds;
};
struct conditions {
    int count;
    struct condition *items;
};

enum sampler { SAMPLER_RANDOM, SAMPLER_LHS, SAMPLER_SOBOL };
const char *sampler_name(enum sampler s);

enum distribution { DRAW_CHOICE, DRAW_INT, DRAW_UNIFORM, DRAW_LOGUNIFORM };

/* One key that a random block draws. */
struct parameter {
    struct axis axis; /* the key; the values of a choice */
    enum distribution distribution;
    struct mark range; /* of the ends that numbers are drawn between */
    double low, high;  /* both may be drawn */
    double step;       /* 0 = none */
    int decimals;      /* of values low + k * step, -1 = unknown */
    bool whole;        /* the key takes whole numbers */
    bool conditional;
    struct condition when; /* drawn only where it holds; otherwise the value of set or base stays */
};

struct random_block {
    int n; /* 0: the block is not random */
    uint64_t seed;
    enum sampler sampler;
    struct mark mark;
    int count;
    struct parameter *params; /* in an order in which every `when` comes behind what it speaks of */
};

struct block {
    const char *id;
    struct mark mark;
    struct assignments set;
    struct random_block random;
    struct conditions exclude;
    int grid_count;
    struct axis *grid; /* product */
    int zip_count;
    struct axis *zip; /* side by side, equal lengths */
    int list_count;
    struct assignments *list; /* explicit rows */
};

struct plot_request {
    const char *kind;  /* "curve", "learning", "pareto", ...: the kinds of report/plot.h */
    const char *block; /* id, or NULL for all */
    const char *x, *y; /* column names, or NULL for the kind's defaults */
    struct mark x_mark, y_mark;
};

struct budget {
    double wall_s;       /* 0 = none */
    double trial_wall_s; /* 0 = none */
    int max_failed;      /* 0 = none */
};

/* Which checkpoints of a trial stay when it is done. */
enum keep {
    KEEP_LAST, /* the final state: what its results are of */
    KEEP_BEST, /* and that of the epoch with the best validation accuracy */
    KEEP_ALL,  /* and those of all epochs */
    KEEP_NONE, /* none: only the results */
};
const char *keep_name(enum keep k);

struct run_options {
    int workers, threads; /* 0 = auto */
    int retries;          /* attempts after a crash, default 2 */
    double checkpoint_s;  /* at most this long between checkpoints, default 60 */
    enum keep keep;
    bool measure; /* finished variants, at the end of a run; default true */
};

enum search_method { SEARCH_HALVING };
enum search_mode { SEARCH_ACCURACY, SEARCH_PARETO };
enum search_cost {
    SEARCH_MODEL_BYTES,
    SEARCH_PARAMS,
    SEARCH_MACS,
    SEARCH_ACTIVATION_BYTES,
    SEARCH_LATENCY_MS
};
const char *search_mode_name(enum search_mode m);
const char *search_cost_name(enum search_cost c);

/* Short trainings choose which variants are trained in full, see search.h. */
struct search_options {
    bool on; /* the spec has `search` */
    struct mark mark;
    enum search_method method;
    int eta; /* one of so many variants goes on, to so many times the epochs */
    int min_epochs;
    enum search_mode mode;
    enum search_cost cost; /* what variants are compared in beside accuracy: SEARCH_PARETO */
};

struct spec {
    struct arena arena; /* owns everything below */
    const char *path;   /* as given */
    const char *text;   /* the whole file, recorded with the sweep (a leading byte order mark is kept) */
    bool cut;           /* wrong parts were left out, to see what else is wrong: blocks may lack axes */
    const char *name;
    struct data_source data; /* a relative path counts from the current working directory */
    struct mark data_path_mark;
    struct mark data_val_mark;   /* where it is not given, data_path_mark */
    struct mark data_shape_mark; /* of data.resize, or else data.format: what may fix the images' shape */
    struct point base;
    struct mark base_mark;          /* of `base`, or of the whole spec when there is none */
    struct assignments base_given;  /* what made base.design: the preset is not in it, shape and classes that
                                       the data format fixes come first. A block that sets `preset` starts from
                                       that preset, then applies these, then its own values. What comes from
                                       the data section stands at data_shape_mark. */
    struct assignment preset_given; /* the base's preset; key NULL = none */
    struct assignments train_given; /* what made base.recipe */
    int block_count;
    struct block *blocks; /* at least one: a spec without `sweep` has one block "base" with the base point */
    struct conditions constraints; /* every trial must fulfil them */
    struct conditions exclude;     /* no trial may fulfil one */
    int seed_count;
    uint64_t *seeds; /* default [1] */
    struct search_options search;
    struct budget budget;
    struct run_options run;
    char **on_finish; /* program and arguments, ended by NULL; NULL = none */
    int plot_count;
    struct plot_request *plots;
};

enum {
    SPEC_MAX_BYTES = 1 << 20, /* of the file */
    SPEC_MAX_DEPTH = 100,     /* nested collections */
    SPEC_MAX_ANCHORS = 1000,
    SPEC_MAX_EXPANSION = 100000, /* nodes that come from aliases, and values of one range */
    SPEC_MAX_BLOCKS = 1000,
    SPEC_MAX_TRIALS = 1000000, /* of all blocks and seeds, and values of all ranges */
};

/* Reads and validates; does not touch the data (spec_check_data does). What only the data can tell is not
 * checked here: base.input and base.classes (and any axis over them) must match the data, which the run
 * checks. */
enum status spec_load(const char *path, struct spec *out, struct err *e);
/* The same from memory; `path` is used in messages. */
enum status spec_parse(const char *text, size_t n, const char *path, struct spec *out, struct err *e);
/* The same without what stands at these places: keys with their values, or items of lists. */
struct spec_cut {
    struct mark at;
    const char
        *missing; /* a key that the section at this place lacks: it is added, and nothing cut; or NULL */
    const char *instead; /* its value, or one to read in place of what is cut, as YAML; NULL = none */
    bool whole;          /* of a section and its first key, which begin at one place, the section is meant */
    bool found;          /* set by spec_parse_without */
    struct mark from;    /* if found: the list or section that it was cut from */
    char key[32];        /* and under which key, "" from a list */
};
enum status spec_parse_without(const char *text, size_t n, const char *path, struct spec_cut *cuts, int count,
                               struct spec *out, struct err *e);
void spec_release(struct spec *s); /* also after a failure */

/* Makes the trials of a spec longer: `epochs` for all. ST_USAGE, saying why and what to do, when the spec
 * sets epochs by block, has as many already, or any of its recipes cannot go on (recipe_extension_obstacle).
 */
enum status spec_extend(struct spec *s, int epochs, struct err *e);

/* The data path exists and is a folder; otherwise the error points at data.path in the spec. */
enum status spec_check_data(const struct spec *s, struct err *e);

/* The point of a spec that sets nothing: preset small32 and recipe_default(). */
enum status point_init(struct point *out, struct err *e);
/* Sets one axis key of a point from text, as `base`, `train` and axes do. The error text ("SR: 1.5 is out of
 * range, allowed: 0 < SR <= 1") has no position: the caller puts it in front. `preset` replaces the whole
 * design; `fires` takes "derived" (from the metaparameters) or eight "s1x1/e1x1/e3x3" joined by commas. */
enum status point_set(struct point *p, const char *key, const char *text, struct err *e);
enum { POINT_TEXT = 256 }; /* holds every value's text */
/* The value of a key as text (for axis columns and reports), in the one form that point_set reads back to
 * the same value; false if the key is unknown. */
bool point_get(const struct point *p, const char *key, char *out, size_t n);

/* The spec's format as reference text (Markdown), generated from the field table. */
enum status spec_reference(char **out, struct err *e); /* mem_free */

#endif
