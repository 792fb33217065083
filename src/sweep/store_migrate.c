/* A database of an older schema is brought up to date, and kept as it was. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sweep/store_internal.h"

static const char doing[] = "cannot bring the schema up to date";

/* Writes the whole database as the last transaction left it: through a connection of its own, because
 * the one that keeps other writers out is in a transaction. */
static enum status copy_database(const struct store *s, const char *copy, struct err *e)
{
    struct store reader = {.path = s->path};
    struct strbuf uri = STRBUF_INIT;
    sqlite3_stmt *statement = NULL;
    store_uri(s->path, "mode=ro", &uri);
    int code = uri.failed
                   ? SQLITE_NOMEM
                   : sqlite3_open_v2(uri.text, &reader.db,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE, NULL);
    enum status status = ST_OK;
    if (code != SQLITE_OK) {
        status = store_error(&reader, code, doing, e);
    } else {
        sqlite3_busy_timeout(reader.db, STORE_BUSY_MS);
        status = store_prepare(&reader, "VACUUM INTO ?1", &statement, doing, e);
    }
    if (status == ST_OK) {
        sqlite3_bind_text(statement, 1, copy, -1, SQLITE_STATIC);
        status = store_run(&reader, statement, doing, e);
    }
    sqlite3_finalize(statement);
    sqlite3_close_v2(reader.db);
    strbuf_release(&uri);
    return status;
}

/* 0, or -1 with errno. */
static int sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), result = -1;
    if (fd >= 0) {
        result = fsync(fd);
        close(fd);
    }
    return result;
}

/* The copy is complete before it gets its name. */
static enum status keep_copy(const struct store *s, int64_t version, struct err *e)
{
    char *kept = mem_printf("%s.v%lld.bak", s->path, (long long)version);
    char *partial = kept ? mem_printf("%s.tmp", kept) : NULL;
    if (!partial) {
        mem_free(kept);
        return store_error(s, SQLITE_NOMEM, doing, e);
    }
    unlink(partial); /* of an upgrade that was killed; this one keeps others out */
    enum status status = copy_database(s, partial, e);
    if (status == ST_OK && (sync_file(partial) != 0 || rename(partial, kept) != 0))
        status = err_errno(e, "%s: %s: cannot keep a copy as %s", s->path, doing, kept);
    if (status != ST_OK)
        unlink(partial);
    mem_free(partial);
    mem_free(kept);
    return status;
}

enum status store_migrate(struct store *s, struct err *e)
{
    static const char version_sql[] = "PRAGMA user_version";
    int64_t version = 0;
    enum status status = store_read_int(s, version_sql, &version, e);
    if (status != ST_OK || version == STORE_SCHEMA_VERSION)
        return status;
    status = store_begin(s, doing, e);
    if (status != ST_OK)
        return status;
    /* Again, because another process may have been quicker. */
    status = store_read_int(s, version_sql, &version, e);
    if (status == ST_OK && version < STORE_SCHEMA_VERSION) {
        status = keep_copy(s, version, e);
        if (status == ST_OK)
            status = store_schema_upgrade(s, version, e);
    }
    return store_end(s, status, doing, e);
}
