/* The one table of everything a spec can say: it validates, documents and gives defaults. */
#ifndef SWEEP_SPEC_FIELDS_H
#define SWEEP_SPEC_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sweep/spec.h"

enum section {
    SECTION_ROOT,
    SECTION_DATA,
    SECTION_BASE,
    SECTION_TRAIN,
    SECTION_SEARCH,
    SECTION_BUDGET,
    SECTION_RUN,
    SECTION_BLOCK,  /* an entry of `sweep` */
    SECTION_RANDOM, /* n, seed and sampler of a random block */
    SECTION_PARAM,  /* an entry of `params` */
    SECTION_RANGE,  /* {from, to, step} in place of an axis' list */
    SECTION_PLOT,   /* an entry of `plots` */
    SECTION_AXIS,   /* stands for base and train together: what an axis can set */
};

enum field_kind {
    FIELD_INT,         /* int */
    FIELD_INT_OR_AUTO, /* int, 0 = auto */
    FIELD_SEED,        /* uint64_t, up to 2^63 - 1 */
    FIELD_REAL,        /* double */
    FIELD_DURATION,    /* double, seconds */
    FIELD_BOOL,        /* bool */
    FIELD_CHOICE,      /* an enum, values named by choice(0), choice(1), ... */
    FIELD_SWITCH,      /* bool, named by choice(0) and choice(1) */
    FIELD_WORD,        /* const char *, one of the choices */
    FIELD_NAME,        /* const char *, letters, digits, '.', '_' and '-', the first no '.' or '-' */
    FIELD_TEXT,        /* const char *, not empty */
    FIELD_SIZE,        /* two ints, rows and columns, "HxW" */
    FIELD_PRESET,      /* struct point */
    FIELD_SHAPE,       /* struct shape, "CxHxW" */
    FIELD_POOLS,       /* unsigned, "conv1,fire4,fire8", also as a list */
    FIELD_FIRES,       /* struct point, "16/64/64,...", also as a list of eight triples */
    FIELD_SECTION,     /* a mapping, its keys are fields of their own */
    FIELD_LIST,        /* a list */
};

struct field {
    enum section section;
    enum field_kind kind;
    const char *key;
    size_t offset;       /* base, train: in struct point; data, budget, run: in struct spec; random: in
                            struct random_block; plot: in struct plot_request */
    double min, max;     /* numbers */
    const char *initial; /* default as text; NULL: none, or that of point_init (base, train) */
    const char *(*choice)(int i); /* names, NULL behind the last */
    const char *meaning;          /* one sentence */
    unsigned optimizers;          /* train: those that read the key, 1 << enum optimizer each; 0: all */
    bool above, below;            /* min, max themselves are not allowed */
    bool required;
};

enum { FIELDS_MAX = 128 };
size_t field_count(void); /* <= FIELDS_MAX */
const struct field *field_at(size_t index);
size_t field_index(const struct field *f);
bool field_in(const struct field *f, enum section section);
/* NULL if the section has no such key. */
const struct field *field_find(enum section section, const char *key);

/* Is the field one of the five metaparameters? (They have no effect beside explicit Fires.) */
bool field_is_metaparameter(const struct field *f);

/* Does the recipe's optimizer read the field, as recipe_hash has it? */
bool field_applies(const struct field *f, const struct recipe *recipe);

/* Sets the field in the structure its offset counts from; texts (word, name, text) are kept, not copied.
 * The error reads "\"x\" is not a whole number, allowed: ..." without the key. */
enum status field_set(const struct field *f, void *target, const char *text, struct err *e);
/* The text of a base or train field. */
void field_get(const struct field *f, const struct point *p, char out[POINT_TEXT]);

/* What a field takes ("0 < SR <= 1", "none, simple or complex") and its type in a word or two. */
const char *field_allowed(const struct field *f, char *out, size_t n); /* returns out */
const char *field_type(const struct field *f);

/* "unknown key "epoch", did you mean epochs? allowed: ..." */
void field_unknown(enum section section, const char *key, char *out, size_t n);

#endif
