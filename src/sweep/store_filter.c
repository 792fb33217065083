/* Queries narrowed: the statement around the query's own. */
#include "sweep/store_filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "sweep/spec_error.h"
#include "sweep/store_internal.h"
#include "sweep/store_where.h"
#include "sweep/suggest.h"

enum { WORD_LIMIT = 128, NAMES_LIMIT = 160 };

struct filter {
    const struct store_query *rows;  /* the query that is narrowed: its columns */
    const struct store_query *names; /* what comes of it: its columns */
    struct strbuf sql;
    struct arena arena;
    struct store_where where;
    struct err *e;
};

/* `there is no column "SRR", did you mean sr? Columns are ...` */
static enum status unknown_column(const struct filter *f, const char *option, const char *name, size_t n)
{
    const char *known[NAMES_LIMIT];
    char word[WORD_LIMIT], quoted[QUOTED_TEXT], guess[SUGGEST_TEXT], list[SUGGEST_LIST];
    const int columns = store_query_columns(f->names);
    int count = 0;
    for (; count < columns && count < NAMES_LIMIT; count++)
        known[count] = store_query_column(f->names, count);
    snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), name);
    return err_set(f->e, ST_USAGE, "%s: there is no column %s%s; allowed: %s", option,
                   text_quote(word, quoted), suggest_text(word, known, count, guess),
                   suggest_list(known, count, " (--columns all shows them)", list));
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
        if (column < 0)
            return unknown_column(f, option, name, length);
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
    store_where_column(&f->sql, f->names, column);
    return ST_OK;
}

static enum status put_order(struct filter *f, int column, const char *suffix, size_t n)
{
    const bool falling = n == 5 && strncasecmp(suffix, ":desc", n) == 0;
    if (n > 0 && !falling && !(n == 4 && strncasecmp(suffix, ":asc", n) == 0))
        return err_set(f->e, ST_USAGE, "--sort: \"%.*s\" is unknown, allowed are :asc and :desc",
                       n < 60 ? (int)n : 60, suffix);
    put_comma(f);
    store_where_column(&f->sql, f->names, column);
    strbuf_puts(&f->sql, falling ? " DESC NULLS LAST" : " ASC NULLS LAST");
    return ST_OK;
}

/* Where there are other names of a row, they are all that it goes by. */
static void put_where(struct strbuf *sql, const char *condition, const char *others)
{
    if (others)
        strbuf_printf(sql,
                      " WHERE CASE WHEN EXISTS (%s) THEN EXISTS (SELECT 1 FROM (%s) WHERE %s) ELSE %s END",
                      others, others, condition, condition);
    else
        strbuf_printf(sql, " WHERE %s", condition);
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
    strbuf_printf(&f->sql, " FROM (%sSELECT * FROM (%s) r", filter->before ? filter->before : "", sql);
    if (st == ST_OK)
        st = store_where_translate(filter->where, filter->label ? filter->label : "--where: ", f->rows,
                                   &f->arena, &f->where, f->e);
    if (st == ST_OK && f->where.sql.len > 0)
        put_where(&f->sql, f->where.sql.text, filter->others);
    strbuf_printf(&f->sql, "%s)", filter->after ? filter->after : "");
    if (st == ST_OK && filter->sort) {
        strbuf_puts(&f->sql, " ORDER BY ");
        st = each_name(f, "--sort", filter->sort, put_order);
    }
    if (filter->limit >= 0)
        strbuf_printf(&f->sql, " LIMIT %" PRId64, filter->limit);
    return st == ST_OK && (f->sql.failed || f->where.sql.failed) ? err_set(f->e, ST_NOMEM, "out of memory")
                                                                 : st;
}

/* The columns of what comes of the rows; of the rows themselves where nothing is around them. */
static enum status open_names(struct store *s, const char *sql, const struct store_filter *filter,
                              struct store_query **out, struct err *e)
{
    struct strbuf around = STRBUF_INIT;
    strbuf_printf(&around, "%s%s%s", filter->before ? filter->before : "", sql,
                  filter->after ? filter->after : "");
    const enum status st =
        around.failed ? err_set(e, ST_NOMEM, "out of memory") : store_query_open(s, around.text, out, e);
    strbuf_release(&around);
    return st;
}

enum status store_query_open_filtered(struct store *s, const char *sql, const struct store_filter *filter,
                                      struct store_query **out, struct err *e)
{
    struct store_query *rows = NULL, *names = NULL, *q = NULL;
    enum status st = store_query_open(s, sql, &rows, e);
    if (st == ST_OK)
        st = open_names(s, sql, filter, &names, e);
    struct filter f = {
        .rows = rows, .names = names, .sql = STRBUF_INIT, .where = {.sql = STRBUF_INIT}, .e = e};
    arena_init(&f.arena);
    if (st == ST_OK)
        st = put_statement(&f, sql, filter);
    if (st == ST_OK)
        st = store_query_open(s, f.sql.text, &q, e);
    for (size_t i = 0; st == ST_OK && i < f.where.count; i++)
        st = store_query_bind(q, (int)i + 1, f.where.parameters[i], e);
    store_query_close(rows);
    store_query_close(names);
    strbuf_release(&f.sql);
    strbuf_release(&f.where.sql);
    arena_release(&f.arena);
    if (st == ST_OK)
        *out = q;
    else
        store_query_close(q);
    return st;
}
