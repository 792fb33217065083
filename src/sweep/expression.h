/* Conditions that people write as text, in specs and behind --where:
 * "model_bytes <= 5MiB and (SR < 0.5 or bypass = none)".
 *
 *     or    = and {"or" and}             not = "not" not | chain
 *     and   = not {"and" not}            chain = sum {("<" | "<=" | ">" | ">=" | "=" | "!=") sum}
 *                                              | sum ["not"] "in" "[" sum {"," sum} "]"
 *     sum   = product {("+" | "-") product}
 *     product = sign {("*" | "/") sign}
 *     sign  = "-" sign | number | text | name | "true" | "false" | "null" | "(" or ")"
 *
 * A chain a < b < c means a < b and b < c. Numbers take a unit: % (hundredths), K, M, G (counts), KB to GiB
 * (bytes), s, m, h, d and 1h30m (time). Numbers without a unit go with everything; counts, bytes and times
 * only with their like. Texts stand in quotes, a doubled quote is one; a single word may do without beside a
 * name whose values are texts. `x = null` asks whether x has no value. == is =, <> is !=, && is and, || is
 * or. Types and units are checked while parsing, so that evaluation fails only where a quotient or product
 * has no value. Knows neither YAML nor SQL nor the design space: a scope names what there is. */
#ifndef SWEEP_EXPRESSION_H
#define SWEEP_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { EXPRESSION_LENGTH_MAX = 2000, EXPRESSION_DEPTH_MAX = 50, EXPRESSION_TEXT = 256 };

enum expression_type {
    EXPRESSION_NUMBER,
    EXPRESSION_TRUTH,
    EXPRESSION_WORDS,
    EXPRESSION_ANYTHING /* a column that declares no type: goes with everything */
};

enum expression_unit {
    UNIT_ANY,   /* a number without unit: goes with everything */
    UNIT_PLAIN, /* a count or a ratio; a number with %, K, M, G */
    UNIT_BYTES,
    UNIT_MIB,  /* a number of MiB: where it meets bytes it is turned into them */
    UNIT_TIME, /* seconds */
    UNIT_MS,   /* milliseconds: where they meet a time they are turned into it */
};

struct expression_name {
    const char *name;
    enum expression_type type;
    enum expression_unit unit; /* of numbers */
    bool share;                /* a number from 0 to 1 that is easily taken for percent */
    bool choice;               /* one of a list of texts, which have no order */
};

/* The names that an expression may use. */
struct expression_scope {
    int count;
    const struct expression_name *names;
    const char *allowed; /* what they are; NULL: their list, cut short where they are many */
    /* They are columns of a table: names do not distinguish case, texts but choices have an order, true and
     * false are 1 and 0, and every text may stand beside a text. */
    bool columns;
    const void *context; /* of: */
    /* The one form of a text that is compared with a name of texts; "": any text, as it stands. False when it
     * is none of the name's values, with "allowed: ..." written to out. */
    bool (*canonical)(const void *context, int name, const char *text, char out[EXPRESSION_TEXT]);
};

struct expression;

/* Parses and checks. The expression lives in the arena. ST_USAGE with what is wrong and what is allowed; *at
 * is then the offset of the offending token in the text, 0 <= *at <= strlen(text). ST_NOMEM. */
enum status expression_parse(const char *text, const struct expression_scope *scope, struct arena *arena,
                             const struct expression **out, size_t *at, struct err *e);

/* Does it use the name with that index? */
bool expression_uses(const struct expression *x, int name);

struct expression_value {
    double number;              /* numbers, NaN: no value; truths: 0 or 1 */
    char text[EXPRESSION_TEXT]; /* "": no value */
};
/* Writes the value of a name. */
typedef void expression_lookup(const void *context, int name, struct expression_value *out);

/* A number that does not exist. */
struct expression_fault {
    size_t at, length; /* of the operation in the text */
    const char *what;  /* "divides by zero"; NULL: there is none */
};

/* A comparison with a number that is not known (NaN) does not hold, but for !=. *fault says whether the
 * answer rests on a quotient by zero or a number beyond all bounds, and so is none. */
bool expression_holds(const struct expression *x, expression_lookup *lookup, const void *context,
                      struct expression_fault *fault);

#endif
