/* Queries of people and of reports: one reading statement, its rows one at a time. */
#include "sweep/store_internal.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"

struct store_query {
    struct store *s;
    sqlite3_stmt *statement;
    int columns;
    bool ended;         /* SQLite would start again */
    struct cell *cells; /* of the current row */
    struct arena blobs; /* of the current row, as text */
};

/* SQLite's own words, or what the guard refused. */
static enum status query_error(struct store *s, int code, struct err *e)
{
    switch (code & 0xff) {
    case SQLITE_AUTH:
        return err_set(e, ST_USAGE, "%s: only reading is allowed: %s refused", s->path,
                       s->refused[0] ? s->refused : sqlite3_errmsg(s->db));
    case SQLITE_ERROR:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
        /* load_extension and the like are refused with this code and SQLite's text. */
        return err_set(e, ST_USAGE, "%s: %s", s->path, sqlite3_errmsg(s->db));
    default:
        return store_error(s, code, "cannot run the query", e);
    }
}

/* Compiles under the guard. */
static int guarded_prepare(struct store *s, const char *sql, sqlite3_stmt **out, const char **tail)
{
    s->guarded = true;
    s->refused[0] = '\0';
    int code = sqlite3_prepare_v2(s->db, sql, -1, out, tail);
    s->guarded = false;
    return code;
}

/* After the statement only blanks, comments and semicolons may follow. */
static enum status refuse_more(struct store *s, const char *tail, struct err *e)
{
    while (*tail) {
        sqlite3_stmt *more = NULL;
        const char *next = tail;
        int code = guarded_prepare(s, tail, &more, &next);
        sqlite3_finalize(more);
        if (code != SQLITE_OK || more) {
            return (code & 0xff) == SQLITE_NOMEM
                       ? query_error(s, code, e)
                       : err_set(e, ST_USAGE,
                                 "only one statement is allowed in a query; there is more after it: %.60s",
                                 tail);
        }
        if (next == tail)
            break;
        tail = next;
    }
    return ST_OK;
}

static enum status query_prepare(struct store_query *q, const char *sql, struct err *e)
{
    const char *tail = sql;
    int code = guarded_prepare(q->s, sql, &q->statement, &tail);
    if (code != SQLITE_OK)
        return query_error(q->s, code, e);
    if (!q->statement)
        return err_set(e, ST_USAGE, "the query is empty");
    enum status status = refuse_more(q->s, tail, e);
    if (status == ST_OK && !sqlite3_stmt_readonly(q->statement))
        status = err_set(e, ST_USAGE, "%s: only reading is allowed", q->s->path);
    if (status != ST_OK)
        return status;
    q->columns = sqlite3_column_count(q->statement);
    q->cells = mem_calloc((size_t)q->columns + 1, sizeof *q->cells);
    return q->cells ? ST_OK : query_error(q->s, SQLITE_NOMEM, e);
}

enum status store_query_open(struct store *s, const char *sql, struct store_query **out, struct err *e)
{
    struct store_query *q = mem_calloc(1, sizeof *q);
    if (!q)
        return query_error(s, SQLITE_NOMEM, e);
    q->s = s;
    arena_init(&q->blobs);
    enum status status = query_prepare(q, sql, e);
    if (status == ST_OK)
        *out = q;
    else
        store_query_close(q);
    return status;
}

int store_bind_cell(sqlite3_stmt *statement, int index, struct cell value)
{
    switch (value.type) {
    case CELL_TEXT:
        return sqlite3_bind_text(statement, index, value.text, -1, SQLITE_TRANSIENT);
    case CELL_INT:
        return sqlite3_bind_int64(statement, index, value.i);
    case CELL_REAL:
        return sqlite3_bind_double(statement, index, value.r);
    default:
        return sqlite3_bind_null(statement, index);
    }
}

/* A function of queries, and what it gave last: neighbouring rows often ask the same. */
struct function {
    double (*f)(double);
    double x, result;
};

static void call(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct function *f = sqlite3_user_data(context);
    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return; /* NULL */
    const double x = sqlite3_value_double(values[0]);
    if (x != f->x) {
        f->x = x;
        f->result = f->f(x);
    }
    if (!isnan(f->result)) /* else NULL */
        sqlite3_result_double(context, f->result);
}

enum status store_define(struct store *s, const char *name, double (*f)(double), struct err *e)
{
    struct function *kept = mem_alloc(1, sizeof *kept);
    if (!kept)
        return query_error(s, SQLITE_NOMEM, e);
    *kept = (struct function){f, NAN, NAN}; /* nothing equals NaN */
    const int code = sqlite3_create_function_v2(s->db, name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, kept,
                                                call, NULL, NULL, mem_free);
    return code == SQLITE_OK ? ST_OK : query_error(s, code, e);
}

enum status store_query_bind(struct store_query *q, int index, struct cell value, struct err *e)
{
    const int code = store_bind_cell(q->statement, index, value);
    return code == SQLITE_OK ? ST_OK : query_error(q->s, code, e);
}

int store_query_columns(const struct store_query *q)
{
    return q->columns;
}

const char *store_query_column(const struct store_query *q, int column)
{
    const char *name = sqlite3_column_name(q->statement, column);
    return name ? name : "?";
}

const char *store_query_column_type(const struct store_query *q, int column)
{
    const char *type = sqlite3_column_decltype(q->statement, column);
    return type ? type : "";
}

/* Hexadecimal digits of a blob; NULL if there is no memory. */
static const char *blob_text(struct store_query *q, int column)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = sqlite3_column_blob(q->statement, column);
    size_t n = (size_t)sqlite3_column_bytes(q->statement, column);
    char *text = arena_alloc(&q->blobs, 2 * n + 1, 1);
    if (!text || (n > 0 && !bytes))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return text;
}

/* False if there is no memory. */
static bool read_cell(struct store_query *q, int column)
{
    struct cell cell = {.type = CELL_NULL};
    switch (sqlite3_column_type(q->statement, column)) {
    case SQLITE_INTEGER:
        cell.type = CELL_INT;
        cell.i = sqlite3_column_int64(q->statement, column);
        break;
    case SQLITE_FLOAT:
        cell.type = CELL_REAL;
        cell.r = sqlite3_column_double(q->statement, column);
        break;
    case SQLITE_TEXT:
        cell.type = CELL_TEXT;
        cell.text = (const char *)sqlite3_column_text(q->statement, column);
        break;
    case SQLITE_BLOB:
        cell.type = CELL_TEXT;
        cell.text = blob_text(q, column);
        break;
    default:
        break;
    }
    q->cells[column] = cell;
    return cell.type != CELL_TEXT || cell.text;
}

enum status store_query_next(struct store_query *q, bool *row, struct err *e)
{
    *row = false;
    if (q->ended)
        return ST_OK;
    arena_release(&q->blobs);
    q->s->guarded = true; /* the tables of pragmas are compiled while they are read */
    int code = sqlite3_step(q->statement);
    q->s->guarded = false;
    if (code != SQLITE_ROW) {
        q->ended = true;
        return code == SQLITE_DONE ? ST_OK : query_error(q->s, code, e);
    }
    for (int i = 0; i < q->columns; i++)
        if (!read_cell(q, i))
            return query_error(q->s, SQLITE_NOMEM, e);
    *row = true;
    return ST_OK;
}

struct cell store_query_cell(const struct store_query *q, int column)
{
    return q->cells[column];
}

void store_query_close(struct store_query *q)
{
    if (!q)
        return;
    sqlite3_finalize(q->statement);
    arena_release(&q->blobs);
    mem_free(q->cells);
    mem_free(q);
}
