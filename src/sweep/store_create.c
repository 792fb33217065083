/* A new database appears complete or not at all: it is made in memory and put into its place like any other
 * file. SQLite would make it in its place, and whoever is killed then leaves a file that no reader knows as
 * one of firesweep's. */
#include "sweep/store_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"

static const char doing[] = "cannot create the database";

/* The bytes of a database with the schema and no rows; to be freed with sqlite3_free. */
static enum status make_image(const char *path, unsigned char **bytes, sqlite3_int64 *n, struct err *e)
{
    struct store s = {.path = (char *)path}; /* only read */
    int code = sqlite3_open_v2(":memory:", &s.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    enum status status = code == SQLITE_OK ? store_begin(&s, doing, e) : store_error(&s, code, doing, e);
    if (status == ST_OK)
        status = store_end(&s, store_schema_create(&s, e), doing, e);
    if (status == ST_OK) {
        *bytes = sqlite3_serialize(s.db, "main", n, 0);
        status = *bytes ? ST_OK : store_error(&s, SQLITE_NOMEM, doing, e);
    }
    sqlite3_close_v2(s.db);
    return status;
}

static bool is_there(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_size > 0;
}

/* Where the file belongs, mem_free: a link stays, and leads to it. */
static enum status find_place(const char *path, char **place, struct err *e)
{
    struct stat info;
    char *found = NULL;
    if (lstat(path, &info) == 0 && S_ISLNK(info.st_mode)) {
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666); /* realpath wants a file at its end */
        if (fd < 0)
            return err_errno(e, "%s: %s", path, doing);
        close(fd);
        found = realpath(path, NULL);
        if (!found)
            return err_errno(e, "%s: %s", path, doing);
    }
    *place = mem_strdup(found ? found : path);
    free(found);
    return *place ? ST_OK : err_set(e, ST_NOMEM, "%s: %s: out of memory", path, doing);
}

/* Whoever makes the file holds its temporary: two processes do not make it twice. Waits for the other one. */
static enum status take_turn(struct atomic_file *file, const char *place, bool *made, struct err *e)
{
    const double end = clock_seconds() + STORE_BUSY_MS / 1000.0;
    enum status status;
    do {
        *made = is_there(place);
        status = *made ? ST_OK : atomic_open(file, place, e);
    } while (status == ST_BUSY && clock_seconds() < end &&
             nanosleep(&(struct timespec){0, 1000000}, NULL) == 0);
    if (status == ST_OK && !*made && is_there(place)) { /* finished just before this one's turn */
        atomic_abort(file);
        *made = true;
    }
    return status;
}

static enum status write_image(const char *place, const unsigned char *bytes, size_t n, struct err *e)
{
    struct atomic_file file;
    bool made;
    enum status status = take_turn(&file, place, &made, e);
    if (status != ST_OK || made)
        return status;
    fwrite(bytes, 1, n, file.f);
    return atomic_commit(&file, e); /* sees a failed write */
}

enum status store_create_file(const char *path, struct err *e)
{
    unsigned char *bytes = NULL;
    sqlite3_int64 n = 0;
    char *place = NULL;
    enum status status = find_place(path, &place, e);
    if (!place)
        return status;
    status = make_image(path, &bytes, &n, e);
    if (status == ST_OK)
        status = write_image(place, bytes, (size_t)n, e);
    sqlite3_free(bytes);
    mem_free(place);
    return status;
}
