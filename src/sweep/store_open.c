/* Opening and closing: a file is looked at without a trace first, and only a database of firesweep is opened.
 */
#include "sweep/store_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static const char *const state_names[TRIAL_STATE_COUNT] = {"pending", "running",   "done",   "diverged",
                                                           "failed",  "timed_out", "pruned", "skipped"};

const char *trial_state_name(enum trial_state s)
{
    return (unsigned)s < TRIAL_STATE_COUNT ? state_names[s] : "unknown";
}

bool trial_state_parse(const char *name, enum trial_state *out)
{
    for (int i = 0; i < TRIAL_STATE_COUNT; i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *out = (enum trial_state)i;
            return true;
        }
    }
    return false;
}

const char *store_path(const struct store *s)
{
    return s->path;
}

/* The path as a URI, so that no character of it means anything special, with parameters. */
void store_uri(const char *path, const char *parameters, struct strbuf *out)
{
    strbuf_puts(out, path[0] == '/' ? "file://" : "file:./");
    for (const char *c = path; *c; c++)
        if (strchr("%?#", *c))
            strbuf_printf(out, "%%%02X", (unsigned char)*c);
        else
            strbuf_putc(out, *c);
    strbuf_printf(out, "?%s", parameters);
}

static void disconnect(struct store *s)
{
    sqlite3_close_v2(s->db);
    s->db = NULL;
}

static enum status connect(struct store *s, int flags, const char *parameters, struct err *e)
{
    struct strbuf uri = STRBUF_INIT;
    store_uri(s->path, parameters, &uri);
    int code = uri.failed
                   ? SQLITE_NOMEM
                   : sqlite3_open_v2(uri.text, &s->db, flags | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE, NULL);
    strbuf_release(&uri);
    if (code == SQLITE_OK)
        return ST_OK;
    enum status status = store_error(s, code, "cannot open the database", e);
    disconnect(s);
    return status;
}

enum status store_read_int(struct store *s, const char *sql, int64_t *out, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    enum status status = store_prepare(s, sql, &statement, "cannot read the database", e);
    if (status == ST_OK)
        status = store_fetch_int(s, statement, &found, out, "cannot read the database", e);
    sqlite3_finalize(statement);
    if (status == ST_OK && !found)
        status = store_error(s, SQLITE_CORRUPT, "cannot read the database", e);
    return status;
}

static enum status judge_marks(const struct store *s, int64_t application, int64_t version, struct err *e)
{
    if (application != STORE_APPLICATION_ID) {
        return err_set(e, ST_CORRUPT, "%s: a SQLite database, but not one of firesweep: left untouched",
                       s->path);
    }
    if (version > STORE_SCHEMA_VERSION) {
        return err_set(
            e, ST_FAILED,
            "%s: schema version %lld is newer than this firesweep knows (%d): use the newer firesweep; "
            "left untouched",
            s->path, (long long)version, STORE_SCHEMA_VERSION);
    }
    if (version < STORE_OLDEST_VERSION) {
        return err_set(e, ST_CORRUPT, "%s: unknown schema version %lld, this firesweep knows %d to %d",
                       s->path, (long long)version, STORE_OLDEST_VERSION, STORE_SCHEMA_VERSION);
    }
    return ST_OK;
}

static enum status check_marks(struct store *s, struct err *e)
{
    int64_t application = 0, version = 0;
    enum status status = store_read_int(s, "PRAGMA application_id", &application, e);
    if (status == ST_OK)
        status = store_read_int(s, "PRAGMA user_version", &version, e);
    return status == ST_OK ? judge_marks(s, application, version, e) : status;
}

bool store_wal(const struct store *s, long long *bytes, long long *inode)
{
    struct stat info;
    const char *wal = sqlite3_filename_wal(sqlite3_db_filename(s->db, "main"));
    const bool there = wal && stat(wal, &info) == 0;
    *bytes = there ? (long long)info.st_size : -1;
    *inode = there ? (long long)info.st_ino : 0;
    return there;
}

/* Bytes in the -wal file beside the database that s->db has open; -1 when there is none. */
static long long wal_bytes(const struct store *s)
{
    long long bytes, inode;
    store_wal(s, &bytes, &inode);
    return bytes;
}

static int64_t big_endian_32(const unsigned char *b)
{
    return (int32_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
}

/* Reads the marks in the file's header (https://www.sqlite.org/fileformat.html, section 1.3): without a lock,
 * a file beside it or a recovery, so that what is not ours stays as it is. Not through an open() of our own:
 * closing that would drop the locks which other connections of this process hold on the file. */
static enum status probe(struct store *s, long long *wal, struct err *e)
{
    static const char magic[16] = "SQLite format 3";
    unsigned char header[100] = {0};
    sqlite3_file *file = NULL;
    enum status status = connect(s, SQLITE_OPEN_READONLY, "mode=ro", e);
    if (status != ST_OK)
        return status;
    int code = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK)
        code = file->pMethods->xRead(file, header, sizeof header, 0);
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)
        status = err_set(e, ST_FAILED, "%s: cannot read the database: %s", s->path, sqlite3_errstr(code));
    else if (memcmp(header, magic, sizeof magic) != 0)
        status = err_set(e, ST_CORRUPT, "%s: not a SQLite database: left untouched", s->path);
    else
        status = judge_marks(s, big_endian_32(header + 68), big_endian_32(header + 60), e);
    *wal = wal_bytes(s);
    disconnect(s);
    return status;
}

/* *size: of the file, -1 when there is none. */
static enum status look(const struct store *s, long long *size, struct err *e)
{
    struct stat info;
    *size = -1;
    if (s->path[0] == '\0')
        return err_set(e, ST_USAGE, "the database's path is empty");
    if (stat(s->path, &info) != 0)
        return errno == ENOENT ? ST_OK : err_errno(e, "%s: cannot open the database", s->path);
    if (!S_ISREG(info.st_mode)) {
        return err_set(e, ST_FAILED, "%s: not a database but a %s", s->path,
                       S_ISDIR(info.st_mode) ? "folder" : "special file");
    }
    *size = (long long)info.st_size;
    return ST_OK;
}

void store_on_busy(struct store *s, bool (*wait)(void *context, double waited_s), void *context)
{
    s->busy_wait = wait;
    s->busy_context = context;
}

/* Called by SQLite while another process has the lock: whether to try once more. */
static int wait_while_busy(void *context, int tries)
{
    enum { FIRST_MS = 1, MOST_MS = 50 };
    struct store *s = context;
    s->busy_ms = tries == 0 ? 0 : s->busy_ms;
    if (s->busy_ms >= STORE_BUSY_MS || (s->busy_wait && !s->busy_wait(s->busy_context, s->busy_ms / 1e3)))
        return 0;
    const int pause = FIRST_MS + s->busy_ms / 4 < MOST_MS ? FIRST_MS + s->busy_ms / 4 : MOST_MS;
    sqlite3_sleep(pause);
    s->busy_ms += pause;
    return 1;
}

/* What every connection gets. The file may come from anywhere: no write reaches its internals. */
static enum status configure(struct store *s, const char *pragmas, struct err *e)
{
    sqlite3_busy_handler(s->db, wait_while_busy, s);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_set_authorizer(s->db, store_guard, s);
    return store_exec(s, pragmas, "cannot open the database", e);
}

/* The folder must take the -wal and -shm files too, so a writable file in a read-only folder will not do. */
static enum status prepare_folder(const struct store *s, struct err *e)
{
    char *folder = dir_of(s->path);
    if (!folder)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->path);
    enum status status = dir_create(folder, e);
    if (status == ST_OK && access(folder, W_OK | X_OK) != 0)
        status = err_errno(e, "%s: the folder %s cannot be written", s->path, folder);
    mem_free(folder);
    return status;
}

/* synchronous = FULL: every commit waits for the disk, so a trial that was reported as done survives a power
 * cut. Commits are rare (one an epoch, two an attempt), so the wait costs nothing that could be seen. */
static const char writer_pragmas[] =
    "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;"
    "PRAGMA journal_size_limit = 67108864;";

/* The log of a database that is gone would be taken for the new one's. */
static enum status refuse_orphaned_wal(const struct store *s, struct err *e)
{
    struct stat info;
    char *wal = mem_printf("%s-wal", s->path);
    if (!wal)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->path);
    enum status status = ST_OK;
    if (stat(wal, &info) == 0 && info.st_size > 0) {
        status =
            err_set(e, ST_FAILED,
                    "%s: there is no database, but %s, the log of one that was removed: put the database "
                    "back, or remove that file to begin anew",
                    s->path, wal);
    }
    mem_free(wal);
    return status;
}

static enum status open_writable(struct store *s, bool sound, struct err *e)
{
    long long size, wal;
    enum status status = look(s, &size, e);
    if (status == ST_OK && size > 0)
        status = probe(s, &wal, e);
    if (status == ST_OK)
        status = prepare_folder(s, e);
    if (status == ST_OK && size >= 0 && access(s->path, W_OK) != 0)
        status = err_errno(e, "%s: the database cannot be written", s->path);
    if (status == ST_OK && size <= 0)
        status = refuse_orphaned_wal(s, e);
    if (status == ST_OK && size <= 0)
        status = store_create_file(s->path, e);
    if (status == ST_OK)
        status = connect(s, SQLITE_OPEN_READWRITE, "mode=rw", e);
    if (status == ST_OK)
        status = configure(s, writer_pragmas, e);
    if (status == ST_OK)
        status = check_marks(s, e);
    if (status == ST_OK) {
        /* Fails only while another process opens the same new file, which then does it. */
        sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    }
    if (status == ST_OK && !sound)
        status = store_check_damage(s, e);
    if (status == ST_OK)
        status = store_migrate(s, e);
    if (status == ST_OK)
        status = store_check_schema(s, e);
    return status;
}

static const char reader_pragmas[] = "PRAGMA query_only = ON; PRAGMA cell_size_check = ON;";

static enum status connect_reader(struct store *s, const char *parameters, struct err *e)
{
    int64_t tables;
    enum status status = connect(s, SQLITE_OPEN_READONLY, parameters, e);
    if (status == ST_OK)
        status = configure(s, reader_pragmas, e);
    return status == ST_OK ? store_read_int(s, "SELECT count(*) FROM sqlite_schema", &tables, e) : status;
}

/* A folder that has no place for the files that readers and a writer share has no writer, and the file may be
 * read as it is; unless it has a log that was never merged into it. */
static enum status connect_immutable(struct store *s, long long wal, struct err *e)
{
    disconnect(s);
    if (wal > 0) {
        return err_set(
            e, ST_FAILED,
            "%s: cannot be read in a folder that cannot be written, because changes in %s-wal are not "
            "merged yet: copy both files to a folder that can be written",
            s->path, s->path);
    }
    return connect_reader(s, "immutable=1", e);
}

/* Has the folder no place for these files: may it not be written, or is the disk full? A writer that is at
 * work has them already, so that readers need no room. */
static bool lacks_place(int code)
{
    const int first = code & 0xff;
    return first == SQLITE_CANTOPEN || first == SQLITE_READONLY || first == SQLITE_FULL ||
           code == SQLITE_IOERR_SHMOPEN || code == SQLITE_IOERR_SHMSIZE || code == SQLITE_IOERR_SHMMAP;
}

static enum status read_older(struct store *s, struct err *e)
{
    int64_t version = 0;
    enum status status = store_read_int(s, "PRAGMA user_version", &version, e);
    return status == ST_OK && version < STORE_SCHEMA_VERSION ? store_schema_emulate(s, version, e) : status;
}

static enum status open_reader(struct store *s, struct err *e)
{
    long long size, wal = -1;
    s->readonly = true;
    enum status status = look(s, &size, e);
    if (status == ST_OK && size < 0)
        return err_set(e, ST_FAILED, "%s: no such database", s->path);
    if (status == ST_OK && size == 0)
        return err_set(e, ST_CORRUPT, "%s: the file is empty, not a database of firesweep", s->path);
    if (status == ST_OK)
        status = probe(s, &wal, e);
    if (status != ST_OK)
        return status;
    struct err first = ERR_INIT;
    status = connect_reader(s, "mode=ro", &first);
    int code = s->db ? sqlite3_extended_errcode(s->db) : SQLITE_OK;
    if (status == ST_OK)
        s->tidy = true;
    else if (lacks_place(code))
        status = connect_immutable(s, wal, e);
    else
        err_set(e, status, "%s", first.text);
    if (status == ST_OK)
        status = check_marks(s, e);
    return status == ST_OK ? read_older(s, e) : status;
}

/* With its path; NULL: no memory. */
static struct store *store_new(const char *path)
{
    struct store *s = mem_calloc(1, sizeof *s);
    if (s)
        s->path = mem_strdup(path);
    if (!s || !s->path) {
        mem_free(s);
        return NULL;
    }
    return s;
}

/* Hands the store over when it is open. */
static enum status keep_open(struct store *s, enum status status, struct store **out)
{
    if (status == ST_OK)
        *out = s;
    else
        store_close(s);
    return status;
}

enum status store_open_checked(const char *path, bool sound, struct store **out, struct err *e)
{
    struct store *s = store_new(path);
    return s ? keep_open(s, open_writable(s, sound, e), out)
             : err_set(e, ST_NOMEM, "%s: out of memory", path);
}

enum status store_open(const char *path, struct store **out, struct err *e)
{
    return store_open_checked(path, false, out, e);
}

enum status store_open_readonly(const char *path, struct store **out, struct err *e)
{
    struct store *s = store_new(path);
    return s ? keep_open(s, open_reader(s, e), out) : err_set(e, ST_NOMEM, "%s: out of memory", path);
}

/* A reader that is the first to open a database, or the last to close it, leaves a -wal and a -shm file
 * beside it. SQLite takes them away when the last connection that may write closes, under its own locks: so
 * be one for a moment. */
static void remove_side_files(struct store *s)
{
    int64_t tables;
    if (connect(s, SQLITE_OPEN_READWRITE, "mode=rw", NULL) == ST_OK) {
        store_read_int(s, "SELECT count(*) FROM sqlite_schema", &tables, NULL);
        disconnect(s);
    }
}

void store_close(struct store *s)
{
    if (!s)
        return;
    bool tidy = s->tidy && wal_bytes(s) >= 0;
    disconnect(s);
    if (tidy)
        remove_side_files(s);
    mem_free(s->path);
    mem_free(s);
}
