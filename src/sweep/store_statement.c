/* Statements, rows and errors of the store. */
#include "sweep/store_internal.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"

/* The system's error number at the file behind one of SQLite's pointers. */
static int file_errno(const struct store *s, int which)
{
    sqlite3_file *file = NULL;
    int number = 0;
    if (sqlite3_file_control(s->db, "main", which, &file) == SQLITE_OK && file && file->pMethods)
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

/* What an input or output error means: only the system's error number tells a full quota from a broken disk.
 * SQLite keeps it with the connection for most statements, but for a failed COMMIT only with the file. */
static enum status io_error(const struct store *s, const char *doing, struct err *e)
{
    int number = sqlite3_system_errno(s->db);
    if (!number)
        number = file_errno(s, SQLITE_FCNTL_JOURNAL_POINTER);
    if (!number)
        number = file_errno(s, SQLITE_FCNTL_FILE_POINTER);
    bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    return err_set(e, full ? ST_NOSPACE : ST_FAILED, "%s: %s: %s%s%s", s->path, doing, sqlite3_errmsg(s->db),
                   number ? ": " : "", number ? strerror(number) : "");
}

/* Waited for in vain, or not any longer because the run is to stop at once. */
static enum status busy_error(const struct store *s, const char *doing, struct err *e)
{
    char wait[32] = "";
    if (s->busy_ms >= STORE_BUSY_MS)
        snprintf(wait, sizeof wait, " for more than %d s", STORE_BUSY_MS / 1000);
    return err_set(
        e, ST_FAILED,
        "%s: %s: locked by another process%s (another firesweep run, or a transaction left open in "
        "another program)",
        s->path, doing, wait);
}

enum status store_error(const struct store *s, int code, const char *doing, struct err *e)
{
    if (code == SQLITE_IOERR_NOMEM)
        code = SQLITE_NOMEM;
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return err_set(e, ST_NOMEM, "%s: %s: out of memory", s->path, doing);
    case SQLITE_FULL:
        return err_set(e, ST_NOSPACE, "%s: %s: the disk is full", s->path, doing);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return io_error(s, doing, e);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(e, ST_CORRUPT,
                       "%s: %s: the database is damaged (%s); restore a copy, or save what is readable with "
                       "\"sqlite3 %s .recover\"",
                       s->path, doing, sqlite3_errmsg(s->db), s->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return busy_error(s, doing, e);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return err_set(e, ST_FAILED, "%s: %s: the file or its folder cannot be written", s->path, doing);
    default:
        return err_set(e, ST_FAILED, "%s: %s: %s", s->path, doing, sqlite3_errmsg(s->db));
    }
}

enum status store_exec(struct store *s, const char *sql, const char *doing, struct err *e)
{
    int code = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? ST_OK : store_error(s, code, doing, e);
}

enum status store_prepare(struct store *s, const char *sql, sqlite3_stmt **out, const char *doing,
                          struct err *e)
{
    int code = sqlite3_prepare_v2(s->db, sql, -1, out, NULL);
    return code == SQLITE_OK ? ST_OK : store_error(s, code, doing, e);
}

/* All that the open file holds, at a new place: "<path>.rescued". */
static bool rescue(struct store *s, const char *place)
{
    sqlite3_stmt *statement = NULL;
    const bool rescued = sqlite3_prepare_v2(s->db, "VACUUM INTO ?1", -1, &statement, NULL) == SQLITE_OK &&
                         sqlite3_bind_text(statement, 1, place, -1, SQLITE_STATIC) == SQLITE_OK &&
                         sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    return rescued;
}

/* Whoever opens a file at the old place would take our log for its own; all that it holds is rescued.
 * Another's log stays. */
static void remove_wal(const struct store *s)
{
    long long bytes, inode;
    const char *wal = sqlite3_filename_wal(sqlite3_db_filename(s->db, "main"));
    if (store_wal(s, &bytes, &inode) && inode == s->wal_inode)
        unlink(wal);
}

/* The open file no longer stands at its path: rows written to it would be lost with it, and beside another
 * file in its place its log would be taken for the other's. */
static enum status refuse_moved(struct store *s, const char *doing, struct err *e)
{
    struct strbuf place = STRBUF_INIT;
    strbuf_printf(&place, "%s.rescued", s->path);
    if (!place.failed && rescue(s, place.text)) {
        remove_wal(s);
        err_set(e, ST_FAILED,
                "%s: %s: the file was removed or replaced while it was in use; what it held is saved as %s: "
                "with that in its place the same command continues",
                s->path, doing, place.text);
    } else {
        err_set(e, ST_FAILED,
                "%s: %s: the file was removed or replaced while it was in use, and what it held could not be "
                "saved as %s; with a copy in its place the same command continues from the checkpoints",
                s->path, doing, place.failed ? "a new file" : place.text);
    }
    strbuf_release(&place);
    return ST_FAILED;
}

enum status store_begin(struct store *s, const char *doing, struct err *e)
{
    int moved = 0;
    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved)
        return refuse_moved(s, doing, e);
    if (s->wal_inode == 0) { /* SQLite keeps the file open, and its name, until the last connection closes */
        long long bytes;
        store_wal(s, &bytes, &s->wal_inode);
    }
    if (s->readonly)
        return err_set(e, ST_FAILED, "%s: %s: the database is open for reading only", s->path, doing);
    return store_exec(s, "BEGIN IMMEDIATE", doing, e);
}

enum status store_end(struct store *s, enum status status, const char *doing, struct err *e)
{
    if (status == ST_OK)
        status = store_exec(s, "COMMIT", doing, e);
    /* After some errors SQLite has already rolled back by itself. */
    if (status != ST_OK && !sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

enum status store_read_begin(struct store *s, struct err *e)
{
    int64_t tables;
    enum status status = store_exec(s, "BEGIN", "cannot begin to read", e);
    /* The first read takes the snapshot. */
    return status == ST_OK ? store_read_int(s, "SELECT count(*) FROM sqlite_master", &tables, e) : status;
}

void store_read_end(struct store *s)
{
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
}

enum status store_run(struct store *s, sqlite3_stmt *statement, const char *doing, struct err *e)
{
    int code;
    do {
        code = sqlite3_step(statement);
    } while (code == SQLITE_ROW);
    enum status status = code == SQLITE_DONE ? ST_OK : store_error(s, code, doing, e);
    sqlite3_reset(statement);
    return status;
}

enum status store_fetch_int(struct store *s, sqlite3_stmt *statement, bool *found, int64_t *out,
                            const char *doing, struct err *e)
{
    int code = sqlite3_step(statement);
    *found = code == SQLITE_ROW;
    if (*found)
        *out = sqlite3_column_int64(statement, 0);
    enum status status = *found || code == SQLITE_DONE ? ST_OK : store_error(s, code, doing, e);
    sqlite3_reset(statement);
    return status;
}

static struct row_value *row_add(struct row *row, const char *column, enum cell_type type)
{
    assert(row->count < STORE_ROW_MAX);
    struct row_value *value = &row->values[row->count++];
    *value = (struct row_value){.column = column, .type = type};
    return value;
}

void row_int(struct row *row, const char *column, int64_t v)
{
    row_add(row, column, CELL_INT)->i = v;
}

void row_real(struct row *row, const char *column, double v)
{
    row_add(row, column, isfinite(v) ? CELL_REAL : CELL_NULL)->r = v;
}

void row_text(struct row *row, const char *column, const char *v)
{
    row_add(row, column, v ? CELL_TEXT : CELL_NULL)->text = v;
}

void row_null(struct row *row, const char *column)
{
    row_add(row, column, CELL_NULL);
}

void row_now(struct row *row, const char *column)
{
    row_add(row, column, CELL_NULL)->sql = STORE_NOW;
}

/* Parameters ?1.. in the order of the row. The texts live until the statement has run. */
static int row_bind(sqlite3_stmt *statement, const struct row *row)
{
    int code = SQLITE_OK;
    for (int i = 0; i < row->count && code == SQLITE_OK; i++) {
        const struct row_value *value = &row->values[i];
        if (value->sql)
            continue;
        switch (value->type) {
        case CELL_NULL:
            code = sqlite3_bind_null(statement, i + 1);
            break;
        case CELL_INT:
            code = sqlite3_bind_int64(statement, i + 1, value->i);
            break;
        case CELL_REAL:
            code = sqlite3_bind_double(statement, i + 1, value->r);
            break;
        case CELL_TEXT:
            code = sqlite3_bind_text(statement, i + 1, value->text, -1, SQLITE_STATIC);
            break;
        }
    }
    return code;
}

/* The value of column k in a statement: its parameter or its expression. */
static void value_sql(const struct row *row, int k, struct strbuf *sql)
{
    if (row->values[k].sql)
        strbuf_puts(sql, row->values[k].sql);
    else
        strbuf_printf(sql, "?%d", k + 1);
}

static void insert_sql(const struct inserter *i, const struct row *row, struct strbuf *sql)
{
    strbuf_printf(sql, "INSERT INTO %s(", i->table);
    for (int k = 0; k < row->count; k++)
        strbuf_printf(sql, "%s%s", k ? ", " : "", row->values[k].column);
    for (int k = 0; k < row->count; k++) {
        strbuf_puts(sql, k ? ", " : ") VALUES(");
        value_sql(row, k, sql);
    }
    strbuf_printf(sql, ") %s", i->suffix);
}

/* Compiles the text and gives it back; an allocation failure while it was put together counts too. */
static enum status prepare_text(struct store *s, struct strbuf *sql, sqlite3_stmt **out, const char *doing,
                                struct err *e)
{
    enum status status =
        sql->failed ? store_error(s, SQLITE_NOMEM, doing, e) : store_prepare(s, sql->text, out, doing, e);
    strbuf_release(sql);
    return status;
}

static enum status bind_and_run(struct store *s, sqlite3_stmt *statement, const struct row *row,
                                const char *doing, struct err *e)
{
    int code = row_bind(statement, row);
    return code == SQLITE_OK ? store_run(s, statement, doing, e) : store_error(s, code, doing, e);
}

enum status inserter_add(struct inserter *i, struct store *s, const struct row *row, const char *doing,
                         struct err *e)
{
    enum status status = ST_OK;
    if (!i->statement) {
        struct strbuf sql = STRBUF_INIT;
        insert_sql(i, row, &sql);
        status = prepare_text(s, &sql, &i->statement, doing, e);
    }
    return status == ST_OK ? bind_and_run(s, i->statement, row, doing, e) : status;
}

void inserter_release(struct inserter *i)
{
    sqlite3_finalize(i->statement);
    i->statement = NULL;
}

enum status store_update(struct store *s, const char *table, const struct row *row, int64_t id,
                         const char *doing, struct err *e)
{
    struct strbuf sql = STRBUF_INIT;
    sqlite3_stmt *statement = NULL;
    strbuf_printf(&sql, "UPDATE %s SET ", table);
    for (int k = 0; k < row->count; k++) {
        strbuf_printf(&sql, "%s%s = ", k ? ", " : "", row->values[k].column);
        value_sql(row, k, &sql);
    }
    strbuf_printf(&sql, " WHERE id = %lld", (long long)id);
    enum status status = prepare_text(s, &sql, &statement, doing, e);
    if (status == ST_OK)
        status = bind_and_run(s, statement, row, doing, e);
    sqlite3_finalize(statement);
    return status;
}
