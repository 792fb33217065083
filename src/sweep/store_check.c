/* Looking for damage: the whole file is read, which takes longer than all else when a run opens a large
 * database. */
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "sweep/store_internal.h"

enum status store_check_damage(struct store *s, struct err *e)
{
    static const char doing[] = "cannot check the database";
    sqlite3_stmt *statement = NULL;
    enum status status = store_prepare(s, "PRAGMA quick_check(1)", &statement, doing, e);
    if (status != ST_OK) {
        return status;
    }
    int code = sqlite3_step(statement);
    const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (!text) {
        status = store_error(s, code == SQLITE_ROW ? SQLITE_NOMEM : code, doing, e);
    } else if (strcmp(text, "ok") != 0) {
        status =
            err_set(e, ST_CORRUPT,
                    "%s: the database is damaged (%.300s); restore a copy, or save what is readable with "
                    "\"sqlite3 %s .recover\"",
                    s->path, text, s->path);
    }
    sqlite3_finalize(statement);
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
    if (c) {
        c->path = mem_strdup(path);
    }
    if (!c || !c->path || pthread_create(&c->thread, NULL, look, c) != 0) {
        mem_free(c ? c->path : NULL);
        mem_free(c);
        return NULL;
    }
    return c;
}

bool store_check_end(struct store_check *c)
{
    if (!c) {
        return false;
    }
    pthread_join(c->thread, NULL);
    const bool sound = c->sound;
    mem_free(c->path);
    mem_free(c);
    return sound;
}
