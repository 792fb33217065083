/* Reading nodes against the field table: shared by the files that read the sections of a spec. */
#ifndef SWEEP_SPEC_READ_H
#define SWEEP_SPEC_READ_H

#include "sweep/spec.h"
#include "sweep/spec_fields.h"
#include "sweep/spec_yaml.h"

struct reader {
    struct spec *spec;
    struct arena nodes;   /* the tree and texts in passing */
    struct point scratch; /* where values are tried */
    int range_values;     /* of all ranges so far: a small file must not ask for much memory */
    struct err *e;
};

/* Where each field of a section stands in a mapping; NULL where it is not given. By field_index. */
struct given {
    const struct node *key[FIELDS_MAX];
    const struct node *value[FIELDS_MAX];
};
const struct node *given_value(const struct given *g, enum section section, const char *key);

enum status reader_no_memory(const struct reader *r);
/* An error at a position; the key reads "prefix.key" (or one of them where the other is NULL). */
enum status reader_fail(const struct reader *r, struct mark at, const char *prefix, const char *key,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The node is a mapping or a list (and not empty). `what` describes what belongs there. */
enum status reader_expect(const struct reader *r, const struct node *node, enum node_kind kind,
                          const char *prefix, const char *key, const char *what);

/* The text of a key's single value, NULL if there is none: for what messages call a mapping. */
const char *node_word(const struct node *mapping, const char *key);

/* Checks keys: a mapping, every key of the section, none twice, none missing. `prefix` is NULL for the root.
 */
enum status section_scan(const struct reader *r, const struct node *node, enum section section,
                         const char *prefix, struct given *out);

/* Sets all fields that hold one value, in the order of the mapping, in what their offsets count from. */
enum status section_assign(struct reader *r, const struct node *node, enum section section,
                           const char *prefix, void *target);

/* The text of a field's value (lists of pools and Fires become text); lives in r->nodes. */
enum status node_text(struct reader *r, const struct field *f, const struct node *node, const char *prefix,
                      const char **out);

/* Reads one value of a base or train field into its canonical text, which lives in the spec's arena. */
enum status axis_value_read(struct reader *r, const struct field *f, const struct node *node,
                            const char *prefix, struct axis_value *out);
/* The same from text; errors stand at `mark`. */
enum status axis_value_set(struct reader *r, const struct field *f, const char *text, struct mark mark,
                           const char *prefix, struct axis_value *out);

/* One condition; `prefix` and `key` are for errors, `costs` says that it may speak of what a point costs. */
enum status condition_read(struct reader *r, const struct node *node, const char *prefix, const char *key,
                           bool costs, struct condition *out);
/* A list of them (node NULL or an empty list: none): the key is "constraints" or "exclude". */
enum status conditions_read(struct reader *r, const struct node *node, const char *prefix, const char *key,
                            struct conditions *out);

struct range {
    double from, to, step;
    int decimals; /* with so many every value is exact, -1 = unknown */
};
/* Decimals of a number's text, 0..15, or -1 if it has more. */
int decimals_of(const char *text);
/* Whole steps between `from` and `to`; one that misses `to` by rounding only counts. */
double range_steps(const struct range *range);
/* from + k * step as a person would write it: 0.1 + 2 * 0.1 is 0.3. */
double range_value(const struct range *range, double k);

/* `random` and `params` of a block; either may be NULL. */
enum status random_read(struct reader *r, const struct node *random, const struct node *params,
                        const char *prefix, struct block *block);

/* `search`, NULL if there is none; after data, train and the blocks. */
enum status search_read(struct reader *r, const struct node *node);

/* The entries of `sweep`, or the one block of a spec without (node NULL). */
enum status blocks_read(struct reader *r, const struct node *node);

#endif
