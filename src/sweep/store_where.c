#include "sweep/store_where.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "sweep/conditions.h"
#include "sweep/expression_parser.h"
#include "sweep/spec_fields.h"
#include "sweep/store_internal.h"

/* The tree shares operands (of chains and lists), and SQL cannot: what is short as text can be long as SQL.
 */
enum { NODES_MAX = 20000 };

/* What is under way. */
struct translation {
    const char *text;
    const struct store_query *names;
    struct store_where *out;
    const struct expression **literals; /* of the parameters */
    const struct expression *confused;  /* a column beside a block or sweep: its name was meant */
    int nodes;                          /* written so far */
};

/* `names` end with NULL. */
static bool is_among(const char *name, const char *const *names)
{
    while (*names && strcasecmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

/* Columns of 0 and 1 that are no keys of a spec. */
static bool is_truth(const char *name)
{
    static const char *const names[] = {"promoted", "s1x1_clamped", "measured_winograd", NULL};
    return is_among(name, names);
}

/* By the declaration of the table's column; what is computed has none and goes with everything. */
static enum expression_type declared_type(const struct store_query *q, int column)
{
    const char *type = store_query_column_type(q, column);
    return strcmp(type, "TEXT") == 0                                   ? EXPRESSION_WORDS
           : strcmp(type, "INTEGER") == 0 || strcmp(type, "REAL") == 0 ? EXPRESSION_NUMBER
                                                                       : EXPRESSION_ANYTHING;
}

static bool ends_in(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* Columns have their unit in their name; what has none is a plain number. */
static enum expression_unit unit_of(const char *name)
{
    return ends_in(name, "_mib")                             ? UNIT_MIB
           : ends_in(name, "bytes")                          ? UNIT_BYTES
           : ends_in(name, "_ms")                            ? UNIT_MS
           : ends_in(name, "_s") && !ends_in(name, "_img_s") ? UNIT_TIME
                                                             : UNIT_PLAIN;
}

/* Columns of texts that are computed, and so declare no type. */
static bool is_text(const char *name)
{
    static const char *const names[] = {"sweep",  "block",         "axes",         "also",
                                        "trials", "same_as_block", "same_as_axes", NULL};
    return is_among(name, names);
}

/* Accuracies, and how sure they are. */
static bool is_share(const char *name)
{
    static const char *const splits[] = {"train_top", "val_top", "test_top"};
    bool found = false;
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
        const size_t n = strlen(splits[i]);
        const char *rest = strncasecmp(name, splits[i], n) == 0 && name[n] ? name + n + 1 : "?";
        found = found || *rest == '\0' || strcasecmp(rest, "_ci95") == 0 || strcasecmp(rest, "_stddev") == 0;
    }
    return found;
}

/* What a column is: as in a spec where it holds what a spec speaks of; what has a unit is a number, computed
 * or not. */
static struct expression_name entry_of(const struct store_query *q, int column)
{
    struct expression_name entry = {.name = store_query_column(q, column),
                                    .type = declared_type(q, column),
                                    .share = is_share(store_query_column(q, column))};
    const int key = conditions_column(entry.name);
    const struct expression_name known = conditions_entry(key < 0 ? 0 : key);
    const bool words = key >= 0 && known.type == EXPRESSION_WORDS;
    if (entry.type == EXPRESSION_WORDS || words || is_text(entry.name))
        return (struct expression_name){
            .name = entry.name, .type = EXPRESSION_WORDS, .choice = store_where_field(entry.name) != NULL};
    entry.unit = key >= 0 ? known.unit : unit_of(entry.name);
    if (is_truth(entry.name))
        entry.type = EXPRESSION_TRUTH;
    else if (key >= 0 || entry.unit != UNIT_PLAIN)
        entry.type = key >= 0 ? known.type : EXPRESSION_NUMBER;
    return entry;
}

static const char *state_choice(int i)
{
    return i < TRIAL_STATE_COUNT ? trial_state_name((enum trial_state)i) : NULL;
}

/* How attempts end; see docs/schema.md. */
static const char *outcome_choice(int i)
{
    static const char *const names[] = {"done",   "diverged", "timed_out", "interrupted",
                                        "failed", "crashed",  NULL};
    return names[i];
}

const struct field *store_where_field(const char *name)
{
    static const struct field own[] = {{.kind = FIELD_WORD, .key = "state", .choice = state_choice},
                                       {.kind = FIELD_WORD, .key = "outcome", .choice = outcome_choice}};
    const int key = conditions_column(name);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcasecmp(name, own[i].key) == 0)
            return &own[i];
    return key < 0 ? NULL : conditions_field(key);
}

static bool canonical(const void *context, int name, const char *text, char out[EXPRESSION_TEXT])
{
    const struct expression_name *entry = (const struct expression_name *)context + name;
    const struct field *f = entry->type == EXPRESSION_NUMBER ? NULL : store_where_field(entry->name);
    out[0] = '\0';
    return !f || conditions_canonical(f, text, out);
}

enum status store_where_scope(const struct store_query *q, struct arena *arena, struct expression_scope *out,
                              struct err *e)
{
    const int count = store_query_columns(q);
    struct expression_name *names = arena_alloc(arena, (size_t)count + 1, sizeof *names);
    if (!names)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < count; i++)
        names[i] = entry_of(q, i);
    *out = (struct expression_scope){
        .count = count, .names = names, .columns = true, .context = names, .canonical = canonical};
    return ST_OK;
}

void store_where_column(struct strbuf *sql, const struct store_query *names, int column)
{
    strbuf_putc(sql, '"');
    for (const char *c = store_query_column(names, column); *c; c++) {
        if (*c == '"')
            strbuf_putc(sql, '"');
        strbuf_putc(sql, *c);
    }
    strbuf_putc(sql, '"');
}

/* A literal is one parameter however often it is written. */
static void put_parameter(struct translation *t, const struct expression *x, struct cell value)
{
    size_t i = 0;
    while (i < t->out->count && t->literals[i] != x)
        i++;
    if (i == t->out->count) {
        t->literals[i] = x;
        t->out->parameters[t->out->count++] = value;
    }
    strbuf_printf(&t->out->sql, "?%zu", i + 1);
}

/* Whole numbers stay whole: seeds have more digits than a double. */
static void put_number(struct translation *t, const struct expression *x)
{
    char source[32];
    int64_t whole;
    snprintf(source, sizeof source, "%.*s", (int)(x->length < 31 ? x->length : 31), t->text + x->at);
    if (num_parse_int(source, &whole) && (double)whole == x->number)
        put_parameter(t, x, (struct cell){.type = CELL_INT, .i = whole});
    else
        put_parameter(t, x, (struct cell){.type = CELL_REAL, .r = x->number});
}

/* Operators that need no parentheses between each other, read from the left; 0: those that do. SQLite's
 * parser takes long sums, but not deep ones. */
static int level(enum expression_op op)
{
    return op == X_OR                           ? 1
           : op == X_AND                        ? 2
           : op == X_ADD || op == X_SUBTRACT    ? 3
           : op == X_MULTIPLY || op == X_DIVIDE ? 4
                                                : 0;
}

static void put_node(struct translation *t, const struct expression *x, bool bare);

/* An operand that stands for true or false: a column without a value is false. */
static void put_truth(struct translation *t, const struct expression *x, bool bare)
{
    const bool may_be_null = x->op == X_NAME || (x->op >= X_NEGATE && x->op <= X_DIVIDE);
    strbuf_puts(&t->out->sql, may_be_null ? "coalesce(" : "");
    put_node(t, x, bare);
    strbuf_puts(&t->out->sql, may_be_null ? ", 0)" : "");
}

static void put_logic(struct translation *t, const struct expression *x, bool bare)
{
    struct strbuf *sql = &t->out->sql;
    strbuf_puts(sql, bare ? "" : "(");
    strbuf_puts(sql, x->op == X_NOT ? "NOT " : "");
    put_truth(t, x->a, x->a->op == x->op && x->op != X_NOT);
    if (x->op != X_NOT) {
        strbuf_puts(sql, x->op == X_AND ? " AND " : " OR ");
        put_truth(t, x->b, x->b->op == x->op);
    }
    strbuf_puts(sql, bare ? "" : ")");
}

/* A comparison with what has no value does not hold, and its opposite does; IS and IS NOT: what has no value
 * differs from every value. Quotients are real: 1 / 2 is 0.5. */
static void put_operation(struct translation *t, const struct expression *x, bool bare)
{
    static const struct {
        const char *before, *between, *after; /* between: NULL with one operand */
    } forms[] = {
        [X_KNOWN] = {"(", NULL, " IS NOT NULL)"},
        [X_NEGATE] = {"(- ", NULL, ")"},
        [X_ADD] = {"(", " + ", ")"},
        [X_SUBTRACT] = {"(", " - ", ")"},
        [X_MULTIPLY] = {"(", " * ", ")"},
        [X_DIVIDE] = {"(", " * 1.0 / ", ")"},
        [X_LESS] = {"coalesce(", " < ", ", 0)"},
        [X_AT_MOST] = {"coalesce(", " <= ", ", 0)"},
        [X_MORE] = {"coalesce(", " > ", ", 0)"},
        [X_AT_LEAST] = {"coalesce(", " >= ", ", 0)"},
        [X_EQUAL] = {"(", " IS ", ")"},
        [X_UNEQUAL] = {"(", " IS NOT ", ")"},
    };
    struct strbuf *sql = &t->out->sql;
    const int own = level(x->op);
    const bool open = bare && own > 0; /* other forms are more than parentheses */
    strbuf_puts(sql, open ? "" : forms[x->op].before);
    put_node(t, x->a, own > 0 && level(x->a->op) == own);
    if (forms[x->op].between) {
        strbuf_puts(sql, forms[x->op].between);
        put_node(t, x->b, false);
    }
    strbuf_puts(sql, open ? "" : forms[x->op].after);
}

static bool is_column(const struct translation *t, const struct expression *x, const char *name)
{
    return x->op == X_NAME && strcasecmp(store_query_column(t->names, x->name), name) == 0;
}

/* The index of a column, -1 where the query has none of this name. */
static int column_of(const struct store_query *q, const char *name)
{
    int i = store_query_columns(q) - 1;
    while (i >= 0 && strcasecmp(store_query_column(q, i), name) != 0)
        i--;
    return i;
}

/* A block has one name in two spellings: alone, and with its sweep's and a slash before it. False: x compares
 * no block with a text, or there is no sweep. */
static bool put_block(struct translation *t, const struct expression *x)
{
    const bool first = is_column(t, x->a, "block");
    const struct expression *block = first ? x->a : x->b, *text = first ? x->b : x->a;
    const int sweep = column_of(t->names, "sweep");
    struct strbuf *sql = &t->out->sql;
    if ((x->op != X_EQUAL && x->op != X_UNEQUAL) || sweep < 0 || !is_column(t, block, "block") ||
        text->op != X_TEXT)
        return false;
    strbuf_puts(sql, x->op == X_UNEQUAL ? "(NOT " : "(");
    strbuf_puts(sql, "coalesce(");
    put_node(t, text, false);
    strbuf_puts(sql, " IN (");
    put_node(t, block, false);
    strbuf_puts(sql, ", ");
    store_where_column(sql, t->names, sweep);
    strbuf_puts(sql, " || '/' || ");
    put_node(t, block, false);
    strbuf_puts(sql, "), 0))");
    return true;
}

/* A column beside a block or sweep is a name that has forgotten its quotes. */
static void find_confused(struct translation *t, const struct expression *x)
{
    const bool comparison = x->op >= X_LESS && x->op <= X_UNEQUAL;
    for (int i = 0; comparison && i < 2 && !t->confused; i++) {
        const struct expression *place = i ? x->b : x->a, *other = i ? x->a : x->b;
        if (other->op == X_NAME && other->name != place->name &&
            (is_column(t, place, "block") || is_column(t, place, "sweep")))
            t->confused = other;
    }
}

/* `bare`: without parentheses. */
static void put_node(struct translation *t, const struct expression *x, bool bare)
{
    if (++t->nodes > NODES_MAX)
        return;
    switch (x->op) {
    case X_NAME:
        store_where_column(&t->out->sql, t->names, x->name);
        break;
    case X_TEXT:
        put_parameter(t, x, (struct cell){.type = CELL_TEXT, .text = x->text});
        break;
    case X_TRUTH:
        strbuf_puts(&t->out->sql, x->number != 0 ? "1" : "0");
        break;
    case X_NULL:
        strbuf_puts(&t->out->sql, "NULL");
        break;
    case X_NUMBER:
        put_number(t, x);
        break;
    case X_NOT:
    case X_AND:
    case X_OR:
        put_logic(t, x, bare);
        break;
    default:
        find_confused(t, x);
        if (!put_block(t, x))
            put_operation(t, x, bare);
    }
}

/* The number, from 1, of the character (UTF-8) that begins at a byte. */
static size_t character_at(const char *text, size_t byte)
{
    size_t number = 1;
    for (size_t i = 0; i < byte; i++)
        number += ((unsigned char)text[i] & 0xC0) != 0x80;
    return number;
}

enum status store_where_translate(const char *text, const char *label, const struct store_query *names,
                                  struct arena *arena, struct store_where *out, struct err *e)
{
    struct translation t = {.text = text, .names = names, .out = out};
    struct expression_scope scope;
    const struct expression *x = NULL;
    struct err cause = ERR_INIT;
    size_t at = 0;
    *out = (struct store_where){.sql = STRBUF_INIT};
    if (!text)
        return ST_OK;
    enum status st = store_where_scope(names, arena, &scope, e);
    if (st != ST_OK)
        return st;
    if (text[strspn(text, " \t\n")] == '\0')
        return err_set(e, ST_USAGE, "%sthe condition is empty, allowed: a comparison such as %s = 1", label,
                       store_query_column(names, 0));
    st = expression_parse(text, &scope, arena, &x, &at, &cause);
    if (st == ST_USAGE)
        return err_set(e, st, "%scharacter %zu: %s", label, character_at(text, at), cause.text);
    /* No literal is shorter than a character; each MiB that meets bytes is made of one more. */
    out->parameters = arena_alloc(arena, 2 * EXPRESSION_LENGTH_MAX, sizeof *out->parameters);
    t.literals = arena_alloc(arena, 2 * EXPRESSION_LENGTH_MAX, sizeof(void *));
    if (st != ST_OK || !out->parameters || !t.literals)
        return err_set(e, ST_NOMEM, "out of memory");
    put_truth(&t, x, true);
    if (t.confused)
        return err_set(
            e, ST_USAGE,
            "%scharacter %zu: %.*s is a column; the name of a block or sweep stands in quotes then: '%.*s'",
            label, character_at(text, t.confused->at), (int)t.confused->length, text + t.confused->at,
            (int)t.confused->length, text + t.confused->at);
    if (t.nodes > NODES_MAX)
        return err_set(e, ST_USAGE,
                       "%scharacter 1: the condition is too large: lists and chains repeat what stands "
                       "before them; say less in one condition",
                       label);
    return ST_OK;
}
