/* Looking for damage: the whole file is read, which takes longer than all else when a run opens a large
 * database. Comparing every index with its table takes about as long again. */
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "sweep/store_internal.h"

/* Up to here a run compares the indexes, too: a fraction of a second. */
static const int64_t SMALL_BYTES = 32 << 20;

static const char doing[] = "cannot check the database";

static enum status damaged(const struct store *s, const char *what, struct err *e)
{
    if (strstr(what, "index")) { /* "row 3 missing from index ...", "wrong # of entries in index ..." */
        return err_set(
            e, ST_CORRUPT,
            "%s: the database is damaged (%.300s); make its indexes anew with \"sqlite3 %s REINDEX\", "
            "or restore a copy",
            s->path, what, s->path);
    }
    return err_set(e, ST_CORRUPT,
                   "%s: the database is damaged (%.300s); restore a copy, or save what is readable with "
                   "\"sqlite3 %s .recover\"",
                   s->path, what, s->path);
}

static enum status check(struct store *s, const char *pragma, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    enum status status = store_prepare(s, pragma, &statement, doing, e);
    if (status != ST_OK)
        return status;
    int code = sqlite3_step(statement);
    const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (!text)
        status = store_error(s, code == SQLITE_ROW ? SQLITE_NOMEM : code, doing, e);
    else if (strcmp(text, "ok") != 0)
        status = damaged(s, text, e);
    sqlite3_finalize(statement);
    return status;
}

enum status store_check_damage(struct store *s, struct err *e)
{
    int64_t pages = 0, page_bytes = 0;
    enum status status = store_read_int(s, "PRAGMA page_count", &pages, e);
    if (status == ST_OK)
        status = store_read_int(s, "PRAGMA page_size", &page_bytes, e);
    const bool small = pages * page_bytes <= SMALL_BYTES;
    return status == ST_OK ? check(s, small ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", e)
                           : status;
}

enum status store_check_all(struct store *s, struct err *e)
{
    return check(s, "PRAGMA integrity_check(1)", e);
}

/* Whether the store has all that a new database has; `wanted` gives their types and names. */
static enum status compare_schema(struct store *s, sqlite3_stmt *wanted, sqlite3_stmt *there, struct err *e)
{
    int code;
    while ((code = sqlite3_step(wanted)) == SQLITE_ROW) {
        bool found = false;
        int64_t one;
        const char *type = (const char *)sqlite3_column_text(wanted, 0);
        const char *name = (const char *)sqlite3_column_text(wanted, 1);
        sqlite3_bind_text(there, 1, type, -1, SQLITE_STATIC);
        sqlite3_bind_text(there, 2, name, -1, SQLITE_STATIC);
        const enum status status = store_fetch_int(s, there, &found, &one, doing, e);
        if (status != ST_OK)
            return status;
        if (!found) {
            return err_set(e, ST_CORRUPT, "%s: the database is damaged (it has no %s %s); restore a copy",
                           s->path, type ? type : "?", name ? name : "?");
        }
    }
    return code == SQLITE_DONE ? ST_OK : store_error(s, code, doing, e);
}

enum status store_check_schema(struct store *s, struct err *e)
{
    struct store model = {.path = s->path};
    sqlite3_stmt *wanted = NULL, *there = NULL;
    const int code = sqlite3_open_v2(":memory:", &model.db, SQLITE_OPEN_READWRITE, NULL);
    enum status status =
        code == SQLITE_OK ? store_schema_create(&model, e) : store_error(&model, code, doing, e);
    if (status == ST_OK) {
        status = store_prepare(&model, "SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL", &wanted,
                               doing, e);
    }
    if (status == ST_OK) {
        status =
            store_prepare(s, "SELECT 1 FROM sqlite_schema WHERE type = ?1 AND name = ?2", &there, doing, e);
    }
    if (status == ST_OK)
        status = compare_schema(s, wanted, there, e);
    sqlite3_finalize(wanted);
    sqlite3_finalize(there);
    sqlite3_close_v2(model.db);
    return status;
}

struct store_check {
    char *path;
    pthread_t thread;
    bool sound;
};

/* Whatever is wrong is said by store_open, which then looks itself. */
static void *look(void *context)
{
    struct store_check *c = context;
    struct store *s = NULL;
    c->sound = store_open_readonly(c->path, &s, NULL) == ST_OK && store_check_damage(s, NULL) == ST_OK;
    store_close(s);
    return NULL;
}

struct store_check *store_check_begin(const char *path)
{
    struct store_check *c = mem_calloc(1, sizeof *c);
    if (c)
        c->path = mem_strdup(path);
    if (!c || !c->path || pthread_create(&c->thread, NULL, look, c) != 0) {
        mem_free(c ? c->path : NULL);
        mem_free(c);
        return NULL;
    }
    return c;
}

bool store_check_end(struct store_check *c)
{
    if (!c)
        return false;
    pthread_join(c->thread, NULL);
    const bool sound = c->sound;
    mem_free(c->path);
    mem_free(c);
    return sound;
}
