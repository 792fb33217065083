/* From a condition in the filter language to SQL with parameters. */
#include "sweep/store_filter.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "sweep/store_internal.h"
#include "sweep/suggest.h"

enum { DEPTH_LIMIT = 64, PARAMETER_LIMIT = 256, WORD_LIMIT = 128, NAMES_LIMIT = 128 };

/* What an operand holds. SQLite orders every text above every number, so a comparison between the two would
 * select all rows or none without a word. */
enum kind { KIND_UNKNOWN, KIND_NUMBER, KIND_BYTES, KIND_MIB, KIND_TEXT };

struct filter {
    const struct store_query *names; /* the query that is narrowed: its columns */
    struct strbuf sql;
    struct arena arena;
    size_t count;
    struct cell parameters[PARAMETER_LIMIT];
    const char *text, *at; /* the condition, and the next character */
    int depth;
    enum kind kind; /* of the operand taken last */
    struct err *e;
};

/* "there is no column "SRR", did you mean sr? Columns are ..." */
static void tell_columns(const struct filter *f, const char *name, size_t n, struct strbuf *out)
{
    const char *known[NAMES_LIMIT];
    char word[WORD_LIMIT];
    const int shown = n < 60 ? (int)n : 60, columns = store_query_columns(f->names);
    int count = 0;
    for (; count < columns && count < NAMES_LIMIT; count++)
        known[count] = store_query_column(f->names, count);
    snprintf(word, sizeof word, "%.*s", shown, name);
    const char *guess = suggest_word(word, known, count);
    strbuf_printf(out, "there is no column \"%s\"%s%s%s columns are ", word, guess ? ", did you mean " : "",
                  guess ? guess : "", guess ? "?" : ";");
    for (int i = 0; i < columns; i++)
        strbuf_printf(out, "%s%s", i ? ", " : "", store_query_column(f->names, i));
}

static enum status wrong(struct filter *f, const char *at, const char *what)
{
    return err_set(f->e, ST_USAGE, "--where: character %zu: %s", (size_t)(at - f->text) + 1, what);
}

static void skip_blanks(struct filter *f)
{
    while (isspace((unsigned char)*f->at))
        f->at++;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* Takes a word such as "and" if it stands here, or one of the operators. */
static bool take(struct filter *f, const char *token)
{
    skip_blanks(f);
    const size_t n = strlen(token);
    const bool word = isalpha((unsigned char)*token);
    if (strncasecmp(f->at, token, n) != 0 || (word && is_word(f->at[n])))
        return false;
    f->at += n;
    return true;
}

/* The query's column of this name, or -1. */
static int find_column(const struct store_query *q, const char *name, size_t n)
{
    for (int i = 0; i < store_query_columns(q); i++) {
        const char *column = store_query_column(q, i);
        if (strlen(column) == n && strncasecmp(column, name, n) == 0)
            return i;
    }
    return -1;
}

/* By the declaration of the table's column and, for what is computed, the unit in its name. */
static enum kind column_kind(const struct store_query *q, int column)
{
    const char *name = store_query_column(q, column), *type = store_query_column_type(q, column);
    const size_t n = strlen(name);
    if (n > 4 && strcmp(name + n - 4, "_mib") == 0)
        return KIND_MIB;
    return strcmp(type, "TEXT") == 0                                   ? KIND_TEXT
           : strcmp(type, "INTEGER") == 0 || strcmp(type, "REAL") == 0 ? KIND_NUMBER
                                                                       : KIND_UNKNOWN;
}

/* SQLite's own name for the column, quoted: what the user wrote never becomes part of the statement. */
static void put_column(struct filter *f, int column)
{
    strbuf_putc(&f->sql, '"');
    for (const char *c = store_query_column(f->names, column); *c; c++) {
        if (*c == '"')
            strbuf_putc(&f->sql, '"');
        strbuf_putc(&f->sql, *c);
    }
    strbuf_putc(&f->sql, '"');
}

static enum status put_parameter(struct filter *f, const char *at, struct cell value)
{
    if (f->count == PARAMETER_LIMIT)
        return wrong(f, at, "too many values, allowed are 256");
    f->parameters[f->count++] = value;
    strbuf_printf(&f->sql, "?%zu", f->count);
    return ST_OK;
}

static enum status take_text(struct filter *f)
{
    const char *start = f->at, quote = *f->at++;
    struct strbuf text = STRBUF_INIT;
    for (;; f->at++) {
        if (!*f->at) {
            strbuf_release(&text);
            return wrong(f, start, "the text has no end: its quote is missing");
        }
        if (*f->at == quote && *++f->at != quote) /* a doubled quote is one */
            break;
        strbuf_putc(&text, *f->at);
    }
    char *copy = arena_strdup(&f->arena, text.text);
    const bool failed = text.failed || !copy;
    strbuf_release(&text);
    if (failed)
        return err_set(f->e, ST_NOMEM, "out of memory");
    f->kind = KIND_TEXT;
    return put_parameter(f, start, (struct cell){.type = CELL_TEXT, .text = copy});
}

static enum status take_number(struct filter *f)
{
    const char *start = f->at;
    char word[WORD_LIMIT];
    size_t n = 0;
    while (is_word(*f->at) || ((*f->at == '-' || *f->at == '+') && (f->at[-1] == 'e' || f->at[-1] == 'E'))) {
        if (n + 1 == sizeof word)
            return wrong(f, start, "the number is too long");
        word[n++] = *f->at++;
    }
    word[n] = '\0';
    struct cell value = {.type = CELL_REAL};
    if (!num_parse_scaled(word, &value.r))
        return wrong(f, start, "no number; examples are 0.5, 5e-4, 5MiB, 90%");
    f->kind = n > 0 && toupper((unsigned char)word[n - 1]) == 'B' ? KIND_BYTES : KIND_NUMBER;
    if (num_parse_int(word, &value.i))
        value.type = CELL_INT;
    if (*f->at == '%') {
        f->at++;
        value = (struct cell){.type = CELL_REAL, .r = value.r / 100};
    }
    return put_parameter(f, start, value);
}

static enum status take_column(struct filter *f)
{
    const char *start = f->at;
    while (is_word(*f->at))
        f->at++;
    const size_t n = (size_t)(f->at - start);
    const int column = find_column(f->names, start, n);
    if (column >= 0) {
        f->kind = column_kind(f->names, column);
        put_column(f, column);
        return ST_OK;
    }
    struct strbuf message = STRBUF_INIT;
    tell_columns(f, start, n, &message);
    const enum status st = wrong(f, start, message.text);
    strbuf_release(&message);
    return st;
}

static enum status take_condition(struct filter *f);

static enum status take_operand(struct filter *f)
{
    skip_blanks(f);
    if (take(f, "(")) {
        const char *open = f->at - 1;
        strbuf_putc(&f->sql, '(');
        const enum status st = take_condition(f);
        if (st != ST_OK)
            return st;
        if (!take(f, ")"))
            return *f->at ? wrong(f, f->at, "expected an operator or \")\"")
                          : wrong(f, open, "this \"(\" is not closed");
        strbuf_putc(&f->sql, ')');
        return ST_OK;
    }
    if (take(f, "-")) {
        strbuf_puts(&f->sql, "- "); /* the blank: two of them would begin a comment */
        if (++f->depth > DEPTH_LIMIT)
            return wrong(f, f->at, "too deeply nested");
        const enum status st = take_operand(f);
        f->depth--;
        return st;
    }
    if (take(f, "null")) {
        strbuf_puts(&f->sql, "NULL");
        f->kind = KIND_UNKNOWN;
        return ST_OK;
    }
    if (*f->at == '\'' || *f->at == '"')
        return take_text(f);
    if (isdigit((unsigned char)*f->at) || (*f->at == '.' && isdigit((unsigned char)f->at[1])))
        return take_number(f);
    if (isalpha((unsigned char)*f->at) || *f->at == '_')
        return take_column(f);
    return wrong(f, f->at,
                 *f->at ? "expected a column, a number or a 'text'" : "it ends where a value is expected");
}

/* Units stay in sums and where a plain number multiplies; a quotient or product of units is anything. */
static enum kind kind_of_result(enum kind a, enum kind b, bool product)
{
    const bool a_unit = a == KIND_BYTES || a == KIND_MIB, b_unit = b == KIND_BYTES || b == KIND_MIB;
    if (product && b_unit)
        return KIND_UNKNOWN;
    return a_unit || !b_unit ? a : b;
}

/* Operands joined by * and /, or these by + and -. */
static enum status take_sum(struct filter *f, bool products)
{
    enum status st = products ? take_operand(f) : take_sum(f, true);
    while (st == ST_OK) {
        skip_blanks(f);
        const char *operator= f->at;
        const enum kind left = f->kind;
        const bool first = take(f, products ? "*" : "+");
        if (!first && !take(f, products ? "/" : "-"))
            break;
        /* Reals: 1 / 2 is 0.5. */
        strbuf_puts(&f->sql, products ? first ? " * " : " * 1.0 / " : first ? " + " : " - ");
        st = products ? take_operand(f) : take_sum(f, true);
        if (st == ST_OK && (left == KIND_TEXT || f->kind == KIND_TEXT))
            return wrong(f, operator, "arithmetic with a text");
        f->kind = kind_of_result(left, f->kind, products);
    }
    return st;
}

/* Refuses what compares, but never as meant. */
static enum status check_kinds(struct filter *f, const char *operator, enum kind a, enum kind b)
{
    if (a == KIND_UNKNOWN || b == KIND_UNKNOWN)
        return ST_OK;
    if ((a == KIND_TEXT) != (b == KIND_TEXT))
        return wrong(f, operator, "a text is compared with a number; texts stand in quotes, numbers do not");
    if ((a == KIND_MIB && b == KIND_BYTES) || (a == KIND_BYTES && b == KIND_MIB))
        return wrong(f, operator,
                     "a column in MiB is compared with bytes: write the number of MiB, without a unit");
    return ST_OK;
}

static enum status take_comparison(struct filter *f)
{
    /* IS and IS NOT: an absent value differs from every value, and equals null. */
    static const char *const operators[][2] = {{"<=", " <= "},     {">=", " >= "}, {"!=", " IS NOT "},
                                               {"<>", " IS NOT "}, {"==", " IS "}, {"<", " < "},
                                               {">", " > "},       {"=", " IS "}};
    enum status st = take_sum(f, false);
    skip_blanks(f);
    const char *operator= f->at;
    for (size_t i = 0; st == ST_OK && i < sizeof operators / sizeof *operators; i++) {
        if (!take(f, operators[i][0]))
            continue;
        const enum kind left = f->kind;
        strbuf_puts(&f->sql, operators[i][1]);
        st = take_sum(f, false);
        if (st == ST_OK)
            st = check_kinds(f, operator, left, f->kind);
        f->kind = KIND_NUMBER;
        break;
    }
    return st;
}

static enum status take_negation(struct filter *f)
{
    if (!take(f, "not"))
        return take_comparison(f);
    if (++f->depth > DEPTH_LIMIT)
        return wrong(f, f->at, "too deeply nested");
    strbuf_puts(&f->sql, "NOT (");
    const enum status st = take_negation(f);
    strbuf_putc(&f->sql, ')');
    f->depth--;
    return st;
}

static enum status take_condition(struct filter *f)
{
    if (++f->depth > DEPTH_LIMIT)
        return wrong(f, f->at, "too deeply nested");
    enum status st = take_negation(f);
    while (st == ST_OK) {
        const bool both = take(f, "and") || take(f, "&&");
        if (!both && !take(f, "or") && !take(f, "||"))
            break;
        strbuf_puts(&f->sql, both ? " AND " : " OR ");
        st = take_negation(f);
    }
    f->depth--;
    return st;
}

static enum status put_where(struct filter *f, const char *where)
{
    f->text = f->at = where ? where : "";
    skip_blanks(f);
    if (!*f->at)
        return ST_OK;
    strbuf_puts(&f->sql, " WHERE (");
    const enum status st = take_condition(f);
    if (st == ST_OK && *f->at)
        return wrong(f, f->at, "expected an operator (< <= > >= = != and or + - * /) or the end");
    strbuf_putc(&f->sql, ')');
    return st;
}

/* Calls `put` for each name of a list with commas. `option` is for messages. */
static enum status each_name(struct filter *f, const char *option, const char *list,
                             enum status (*put)(struct filter *f, int column, const char *suffix, size_t n))
{
    for (const char *at = list;; at++) {
        while (*at == ' ')
            at++;
        const char *name = at;
        at += strcspn(at, ",");
        size_t n = (size_t)(at - name);
        while (n > 0 && name[n - 1] == ' ')
            n--;
        const char *colon = memchr(name, ':', n);
        const size_t length = colon ? (size_t)(colon - name) : n;
        const int column = find_column(f->names, name, length);
        if (column < 0) {
            struct strbuf known = STRBUF_INIT;
            tell_columns(f, name, length, &known);
            err_set(f->e, ST_USAGE, "%s: %s", option, known.text);
            strbuf_release(&known);
            return ST_USAGE;
        }
        const enum status st = put(f, column, name + length, n - length);
        if (st != ST_OK || !*at)
            return st;
    }
}

static void put_comma(struct filter *f)
{
    if (f->sql.len > 0 && f->sql.text[f->sql.len - 1] != ' ')
        strbuf_puts(&f->sql, ", ");
}

static enum status put_shown(struct filter *f, int column, const char *suffix, size_t n)
{
    if (n > 0)
        return err_set(f->e, ST_USAGE, "--columns: \"%.*s\" is behind a name, allowed are names with commas",
                       n < 60 ? (int)n : 60, suffix);
    put_comma(f);
    put_column(f, column);
    return ST_OK;
}

static enum status put_order(struct filter *f, int column, const char *suffix, size_t n)
{
    const bool falling = n == 5 && strncasecmp(suffix, ":desc", n) == 0;
    if (n > 0 && !falling && !(n == 4 && strncasecmp(suffix, ":asc", n) == 0))
        return err_set(f->e, ST_USAGE, "--sort: \"%.*s\" is unknown, allowed are :asc and :desc",
                       n < 60 ? (int)n : 60, suffix);
    put_comma(f);
    put_column(f, column);
    strbuf_puts(&f->sql, falling ? " DESC NULLS LAST" : " ASC NULLS LAST");
    return ST_OK;
}

static enum status put_statement(struct filter *f, const char *sql, const struct store_filter *filter)
{
    const char *columns = filter->columns ? filter->columns : filter->shown;
    enum status st = ST_OK;
    strbuf_puts(&f->sql, "SELECT ");
    if (!columns || strcasecmp(columns, "all") == 0)
        strbuf_puts(&f->sql, "*");
    else
        st = each_name(f, "--columns", columns, put_shown);
    strbuf_printf(&f->sql, " FROM (%s)", sql);
    if (st == ST_OK)
        st = put_where(f, filter->where);
    if (st == ST_OK && filter->sort) {
        strbuf_puts(&f->sql, " ORDER BY ");
        st = each_name(f, "--sort", filter->sort, put_order);
    }
    if (filter->limit >= 0)
        strbuf_printf(&f->sql, " LIMIT %" PRId64, filter->limit);
    return st == ST_OK && f->sql.failed ? err_set(f->e, ST_NOMEM, "out of memory") : st;
}

enum status store_query_open_filtered(struct store *s, const char *sql, const struct store_filter *filter,
                                      struct store_query **out, struct err *e)
{
    struct store_query *names = NULL, *q = NULL;
    enum status st = store_query_open(s, sql, &names, e);
    if (st != ST_OK)
        return st;
    struct filter f = {.names = names, .sql = STRBUF_INIT, .e = e};
    arena_init(&f.arena);
    st = put_statement(&f, sql, filter);
    if (st == ST_OK)
        st = store_query_open(s, f.sql.text, &q, e);
    for (size_t i = 0; st == ST_OK && i < f.count; i++)
        st = store_query_bind(q, (int)i + 1, f.parameters[i], e);
    store_query_close(names);
    strbuf_release(&f.sql);
    arena_release(&f.arena);
    if (st == ST_OK)
        *out = q;
    else
        store_query_close(q);
    return st;
}
