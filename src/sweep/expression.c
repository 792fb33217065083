#include "sweep/expression.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "sweep/expression_parser.h"
#include "sweep/spec_error.h"
#include "sweep/suggest.h"

/* Expressions: building nodes with their checks, and evaluation. expression_parser.c has the grammar. */

static const char *const type_names[] = {[EXPRESSION_NUMBER] = "a number",
                                         [EXPRESSION_TRUTH] = "true or false",
                                         [EXPRESSION_WORDS] = "a text",
                                         [EXPRESSION_ANYTHING] = "anything"};
static const char *const unit_names[] = {
    [UNIT_ANY] = "a number", [UNIT_PLAIN] = "a plain number", [UNIT_BYTES] = "bytes",
    [UNIT_MIB] = "MiB",      [UNIT_TIME] = "a time",          [UNIT_MS] = "milliseconds"};
/* Literals that go with a unit. */
static const char *const unit_literals[] = {[UNIT_ANY] = "any number",
                                            [UNIT_PLAIN] = "5, 50%, 5K, 5M or 5G",
                                            [UNIT_BYTES] = "5, 5KB, 5MB, 5GB, 5KiB, 5MiB or 5GiB",
                                            [UNIT_MIB] = "5 (MiB), 5KB, 5MB, 5GB, 5KiB, 5MiB or 5GiB",
                                            [UNIT_TIME] = "5 (seconds), 5s, 5m, 5h, 5d or 1h30m",
                                            [UNIT_MS] = "5 (milliseconds), 5s, 5m, 5h or 5d"};

struct expression *expression_fail(struct parser *p, size_t at, const char *format, ...)
{
    char text[900];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (p->status == ST_OK) {
        p->at = at;
        p->status = err_set(p->e, ST_USAGE, "%s", text);
    }
    return NULL;
}

/* The part of the text that a node stands for, in quotes. */
static const char *source_of(const struct parser *p, const struct expression *x, char quoted[QUOTED_TEXT])
{
    char part[QUOTED_TEXT];
    const size_t n = x->length < sizeof part - 1 ? x->length : sizeof part - 1;
    memcpy(part, p->text + x->at, n);
    part[n] = '\0';
    return text_quote(part, quoted);
}

/* A name such as fig3a-curve reads as a difference of two. */
static bool joined_by_sign(const struct parser *p, const struct expression *x)
{
    const char before = x->at > 0 ? p->text[x->at - 1] : ' ';
    const char after = p->text[x->at + x->length];
    return before == '-' || before == '/' || after == '-' || after == '/';
}

static struct expression *unknown_name(struct parser *p, const struct expression *x)
{
    char list[SUGGEST_LIST], guess[SUGGEST_TEXT], quoted[QUOTED_TEXT];
    const char *known[EXPRESSION_NAMES_MAX];
    int count = 0;
    for (; count < p->scope->count && count < EXPRESSION_NAMES_MAX; count++)
        known[count] = p->scope->names[count].name;
    return expression_fail(
        p, x->at, "%s is unknown%s%s; allowed: %s", source_of(p, x, quoted),
        suggest_text(x->text, known, count, guess),
        joined_by_sign(p, x) ? " (a text with - or / in it stands in quotes)" : "",
        p->scope->allowed ? p->scope->allowed
                          : suggest_list(known, count, " (query DB NAME --columns all shows them)", list));
}

struct expression *expression_node(struct parser *p, enum expression_op op, enum expression_type type,
                                   const struct expression *a, const struct expression *b)
{
    if (!a || !b)
        return NULL;
    struct expression *x = arena_alloc(p->arena, 1, sizeof *x);
    if (!x) {
        p->status = p->status ? p->status : err_set(p->e, ST_NOMEM, "out of memory");
        return NULL;
    }
    *x = (struct expression){.op = op, .type = type, .unit = UNIT_ANY, .a = a, .b = b, .at = a->at};
    x->length = b->at + b->length - a->at;
    return x;
}

bool expression_expect(struct parser *p, const struct expression *x, enum expression_type type)
{
    char quoted[QUOTED_TEXT];
    if (!x)
        return false;
    if (x->word) {
        unknown_name(p, x);
        return false;
    }
    if (x->op == X_NULL) {
        expression_fail(p, x->at, "null stands only beside = and !=");
        return false;
    }
    if (x->type == type || (x->type == EXPRESSION_ANYTHING && type != EXPRESSION_TRUTH))
        return true;
    source_of(p, x, quoted);
    if (type == EXPRESSION_TRUTH)
        expression_fail(
            p, x->at, "%s alone is no condition: a comparison is missing, allowed: <, <=, >, >=, =, != or in",
            quoted);
    else
        expression_fail(p, x->at, "%s is %s where %s is needed", quoted, type_names[x->type],
                        type_names[type]);
    return false;
}

static bool units_agree(struct parser *p, const struct expression *a, const struct expression *b)
{
    char left[QUOTED_TEXT], right[QUOTED_TEXT];
    if (a->unit == UNIT_ANY || b->unit == UNIT_ANY || a->unit == b->unit)
        return true;
    const bool literals = a->op == X_NUMBER || b->op == X_NUMBER;
    const struct expression *wrong = a->op == X_NUMBER ? a : b, *other = wrong == a ? b : a;
    expression_fail(p, wrong->at, "%s is %s but %s is %s, allowed: %s", source_of(p, other, left),
                    unit_names[other->unit], source_of(p, wrong, right), unit_names[wrong->unit],
                    literals ? unit_literals[other->unit] : "equal units");
    return false;
}

/* Numbers of MiB beside bytes are turned into bytes, milliseconds beside a time into seconds. NULL: no
 * memory. */
static const struct expression *unit_settle(struct parser *p, const struct expression *x,
                                            const struct expression *other)
{
    const bool mib = x->unit == UNIT_MIB && other->unit == UNIT_BYTES,
               ms = x->unit == UNIT_MS && other->unit == UNIT_TIME;
    if (!mib && !ms)
        return x;
    struct expression *factor = expression_node(p, X_NUMBER, EXPRESSION_NUMBER, x, x);
    if (factor)
        factor->number = mib ? 0x1p20 : 1e-3;
    struct expression *settled = expression_node(p, X_MULTIPLY, EXPRESSION_NUMBER, x, factor);
    if (settled)
        settled->unit = other->unit;
    return settled;
}

/* Of a product or quotient. One of plain numbers is plain, one of bytes and a plain number is bytes; of
 * others nothing is known. */
static enum expression_unit product_unit(enum expression_op op, enum expression_unit a,
                                         enum expression_unit b)
{
    const bool a_plain = a <= UNIT_PLAIN, b_plain = b <= UNIT_PLAIN;
    if (a_plain && b_plain)
        return a == UNIT_PLAIN || b == UNIT_PLAIN ? UNIT_PLAIN : UNIT_ANY;
    if (a_plain != b_plain && (op == X_MULTIPLY || b_plain))
        return a_plain ? b : a;
    return UNIT_ANY;
}

struct expression *expression_arithmetic(struct parser *p, enum expression_op op, const struct expression *a,
                                         const struct expression *b)
{
    if (!expression_expect(p, a, EXPRESSION_NUMBER) || !expression_expect(p, b, EXPRESSION_NUMBER))
        return NULL;
    const bool sum = op == X_ADD || op == X_SUBTRACT;
    if (op == X_DIVIDE && b->op == X_NUMBER && b->number == 0)
        return expression_fail(p, b->at, "division by zero");
    if (sum) {
        const struct expression *left = unit_settle(p, a, b), *right = unit_settle(p, b, a);
        if (!left || !right || !units_agree(p, left, right))
            return NULL;
        a = left;
        b = right;
    }
    struct expression *x = expression_node(p, op, EXPRESSION_NUMBER, a, b);
    if (x && sum)
        x->unit = a->unit == UNIT_ANY ? b->unit : a->unit;
    else if (x)
        x->unit = product_unit(op, a->unit, b->unit);
    return x;
}

/* A literal text beside a name must be one of the name's values; it is replaced by its one form. */
static const struct expression *literal_settle(struct parser *p, const struct expression *literal,
                                               const struct expression *other)
{
    char out[EXPRESSION_TEXT], quoted[QUOTED_TEXT];
    if (!literal || literal->op != X_TEXT)
        return literal;
    const bool texts = other->type == EXPRESSION_WORDS || other->type == EXPRESSION_ANYTHING;
    if (other->op == X_NAME && other->type == EXPRESSION_TRUTH && literal->word)
        return expression_fail(p, literal->at, "%s is no value of %s, allowed: true or false",
                               source_of(p, literal, quoted), p->scope->names[other->name].name);
    if (other->op != X_NAME || !texts)
        return literal->word ? unknown_name(p, literal) : literal;
    if (!p->scope->canonical(p->scope->context, other->name, literal->text, out))
        return expression_fail(p, literal->at, "%s is no value of %s, %s", source_of(p, literal, quoted),
                               p->scope->names[other->name].name, out);
    if (out[0] == '\0')
        return literal;
    struct expression *x = expression_node(p, X_TEXT, EXPRESSION_WORDS, literal, literal);
    if (!x)
        return NULL;
    x->text = arena_strdup(p->arena, out);
    if (!x->text)
        p->status = err_set(p->e, ST_NOMEM, "out of memory");
    return x->text ? x : NULL;
}

/* x = null and x != null. */
static struct expression *compare_null(struct parser *p, enum expression_op op, const struct expression *null,
                                       const struct expression *x)
{
    if (op != X_EQUAL && op != X_UNEQUAL)
        return expression_fail(p, null->at, "null has no order, allowed: = and !=");
    if (x->word)
        return unknown_name(p, x);
    struct expression *known = expression_node(p, X_KNOWN, EXPRESSION_TRUTH, x, x);
    return op == X_UNEQUAL ? known : expression_node(p, X_NOT, EXPRESSION_TRUTH, known, known);
}

/* Can the two stand beside each other? */
static bool types_agree(const struct parser *p, enum expression_type a, enum expression_type b)
{
    const bool numbers = a != EXPRESSION_WORDS && b != EXPRESSION_WORDS && p->scope->columns;
    return a == b || a == EXPRESSION_ANYTHING || b == EXPRESSION_ANYTHING || numbers;
}

/* False where a literal beyond 1 stands beside a share: an accuracy of 20 is meant to be 20 %. */
static bool share_fits(struct parser *p, const struct expression *name, const struct expression *literal)
{
    char quoted[QUOTED_TEXT];
    if (name->op != X_NAME || !p->scope->names[name->name].share || literal->op != X_NUMBER ||
        literal->number <= 1)
        return true;
    const double percent = literal->unit == UNIT_ANY && literal->number <= 100 ? literal->number : 90;
    expression_fail(
        p, literal->at, "%s is no value of %s, a share from 0 to 1, allowed: %g or %g%% for %g percent",
        source_of(p, literal, quoted), p->scope->names[name->name].name, percent / 100, percent, percent);
    return false;
}

/* What cannot be more or less than another: a text of a spec, a choice of a query. */
static bool has_no_order(const struct parser *p, const struct expression *x)
{
    if (p->scope->columns)
        return x->op == X_NAME && p->scope->names[x->name].choice;
    return x->type != EXPRESSION_NUMBER;
}

static void *no_order(struct parser *p, const struct expression *x)
{
    char quoted[QUOTED_TEXT];
    return expression_fail(p, x->at, "%s has no order, allowed: = and !=", source_of(p, x, quoted));
}

struct expression *expression_compare(struct parser *p, enum expression_op op, const struct expression *a,
                                      const struct expression *b)
{
    char left[QUOTED_TEXT], right[QUOTED_TEXT];
    if (!a || !b)
        return NULL;
    if (a->op == X_NULL || b->op == X_NULL)
        return a->op == X_NULL ? compare_null(p, op, a, b) : compare_null(p, op, b, a);
    const struct expression *x = literal_settle(p, a, b), *y = x ? literal_settle(p, b, a) : NULL;
    if (!x || !y)
        return NULL;
    const bool order = op != X_EQUAL && op != X_UNEQUAL;
    const bool unordered = order && (has_no_order(p, x) || has_no_order(p, y));
    if (unordered && types_agree(p, x->type, y->type))
        return no_order(p, has_no_order(p, x) ? x : y);
    if ((x->word || y->word) && order && p->scope->columns) /* rather a name */
        return unknown_name(p, x->word ? x : y);
    if (!types_agree(p, x->type, y->type))
        return expression_fail(p, y->at, "%s is %s but %s is %s, allowed: two of one kind",
                               source_of(p, x, left), type_names[x->type], source_of(p, y, right),
                               type_names[y->type]);
    if (!share_fits(p, x, y) || !share_fits(p, y, x))
        return NULL;
    const struct expression *u = unit_settle(p, x, y), *v = unit_settle(p, y, x);
    return u && v && units_agree(p, u, v) ? expression_node(p, op, EXPRESSION_TRUTH, u, v) : NULL;
}

/* evaluation */

struct evaluation {
    expression_lookup *lookup;
    const void *context;
    struct expression_fault *fault; /* the first */
};

/* The number an operation gives, and whether it is one. */
static double result_of(const struct evaluation *v, const struct expression *x, double a, double b)
{
    const double result = x->op == X_ADD        ? a + b
                          : x->op == X_SUBTRACT ? a - b
                          : x->op == X_MULTIPLY ? a * b
                                                : a / b;
    const char *what = x->op == X_DIVIDE && b == 0 ? "divides by zero"
                       : isinf(result)             ? "gives a number beyond all bounds"
                                                   : NULL;
    if (what && !v->fault->what)
        *v->fault = (struct expression_fault){x->at, x->length, what};
    return result;
}

static double number_of(const struct evaluation *v, const struct expression *x)
{
    struct expression_value value;
    switch (x->op) {
    case X_NAME:
        v->lookup(v->context, x->name, &value);
        return value.number;
    case X_NEGATE:
        return -number_of(v, x->a);
    case X_ADD:
    case X_SUBTRACT:
    case X_MULTIPLY:
    case X_DIVIDE:
        return result_of(v, x, number_of(v, x->a), number_of(v, x->b));
    default:
        return x->number;
    }
}

static const char *text_of(const struct evaluation *v, const struct expression *x,
                           struct expression_value *value)
{
    if (x->op != X_NAME)
        return x->text;
    v->lookup(v->context, x->name, value);
    return value->text;
}

static bool truth_of(const struct evaluation *v, const struct expression *x);

static bool equal_of(const struct evaluation *v, const struct expression *a, const struct expression *b)
{
    struct expression_value x, y;
    if (a->type == EXPRESSION_TRUTH)
        return truth_of(v, a) == truth_of(v, b);
    if (a->type == EXPRESSION_WORDS)
        return strcmp(text_of(v, a, &x), text_of(v, b, &y)) == 0;
    return number_of(v, a) == number_of(v, b);
}

static bool known_of(const struct evaluation *v, const struct expression *x)
{
    struct expression_value value;
    return x->op != X_NULL &&
           (x->type == EXPRESSION_TRUTH ||
            (x->type == EXPRESSION_WORDS ? text_of(v, x, &value)[0] != '\0' : !isnan(number_of(v, x))));
}

static bool truth_of(const struct evaluation *v, const struct expression *x)
{
    switch (x->op) {
    case X_KNOWN:
        return known_of(v, x->a);
    case X_OR:
        return truth_of(v, x->a) || truth_of(v, x->b);
    case X_AND:
        return truth_of(v, x->a) && truth_of(v, x->b);
    case X_NOT:
        return !truth_of(v, x->a);
    case X_LESS:
        return number_of(v, x->a) < number_of(v, x->b);
    case X_AT_MOST:
        return number_of(v, x->a) <= number_of(v, x->b);
    case X_MORE:
        return number_of(v, x->a) > number_of(v, x->b);
    case X_AT_LEAST:
        return number_of(v, x->a) >= number_of(v, x->b);
    case X_EQUAL:
        return equal_of(v, x->a, x->b);
    case X_UNEQUAL:
        return !equal_of(v, x->a, x->b);
    default: /* a name or literal */
        return number_of(v, x) != 0;
    }
}

bool expression_holds(const struct expression *x, expression_lookup *lookup, const void *context,
                      struct expression_fault *fault)
{
    const struct evaluation v = {lookup, context, fault};
    *fault = (struct expression_fault){.what = NULL};
    return truth_of(&v, x);
}

bool expression_uses(const struct expression *x, int name)
{
    if (x->op == X_NAME)
        return x->name == name;
    /* Literals name themselves or nothing below them. */
    if (x->op == X_NUMBER || x->op == X_TEXT || x->op == X_TRUTH || x->op == X_NULL)
        return false;
    return expression_uses(x->a, name) || (x->b != x->a && expression_uses(x->b, name));
}
