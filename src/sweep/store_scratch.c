#include "sweep/store_scratch.h"

#include "base/mem.h"
#include "sweep/store_internal.h"

struct store_scratch {
    struct store *s;
    sqlite3_stmt *insert;
    int count;
};

static const char doing[] = "cannot keep computed rows";

static enum status create(struct store_scratch *x, const char *name, const char *const *columns,
                          struct err *e)
{
    struct strbuf sql = STRBUF_INIT, insert = STRBUF_INIT;
    /* In memory; and readers, who may write nothing, may write there. */
    strbuf_printf(&sql,
                  "PRAGMA query_only = OFF; PRAGMA temp_store = MEMORY; DROP TABLE IF EXISTS temp.%s;"
                  " CREATE TEMP TABLE %s(",
                  name, name);
    strbuf_printf(&insert, "INSERT INTO temp.%s VALUES(", name);
    for (int i = 0; i < x->count; i++) {
        strbuf_printf(&sql, "%s\"%s\"", i ? ", " : "", columns[i]);
        strbuf_puts(&insert, i ? ", ?" : "?");
    }
    strbuf_puts(&sql, ");");
    strbuf_puts(&insert, ")");
    enum status st = sql.failed || insert.failed ? err_set(e, ST_NOMEM, "out of memory")
                                                 : store_exec(x->s, sql.text, doing, e);
    if (st == ST_OK)
        st = store_prepare(x->s, insert.text, &x->insert, doing, e);
    strbuf_release(&sql);
    strbuf_release(&insert);
    return st;
}

enum status store_scratch_open(struct store *s, const char *name, const char *const *columns, int count,
                               struct store_scratch **out, struct err *e)
{
    struct store_scratch *x = mem_calloc(1, sizeof *x);
    if (!x)
        return err_set(e, ST_NOMEM, "out of memory");
    x->s = s;
    x->count = count;
    const enum status st = create(x, name, columns, e);
    if (st == ST_OK)
        *out = x;
    else
        store_scratch_close(x);
    return st;
}

enum status store_scratch_row(struct store_scratch *x, const struct cell *cells, struct err *e)
{
    int code = SQLITE_OK;
    for (int i = 0; i < x->count && code == SQLITE_OK; i++)
        code = store_bind_cell(x->insert, i + 1, cells[i]);
    if (code == SQLITE_OK)
        code = sqlite3_step(x->insert);
    sqlite3_reset(x->insert);
    return code == SQLITE_DONE ? ST_OK : store_error(x->s, code, doing, e);
}

void store_scratch_close(struct store_scratch *x)
{
    if (!x)
        return;
    sqlite3_finalize(x->insert);
    if (x->s->readonly)
        store_exec(x->s, "PRAGMA query_only = ON", doing, NULL);
    mem_free(x);
}
