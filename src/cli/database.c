#include "cli/database.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/shell_word.h"
#include "sweep/run.h"
#include "sweep/spec.h"

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Says which database a spec has: the wrong argument, so wrong usage. A spec with mistakes has a name that
 * nobody knows. */
static enum status explain_spec(const char *path, struct err *e)
{
    struct spec spec;
    struct err ignored = ERR_INIT;
    const enum status loaded = spec_load(path, &spec, &ignored);
    char *db = loaded == ST_OK ? run_database_path(&spec, NULL) : NULL;
    char *word = shell_word(path);
    enum status st = ST_USAGE;
    if (!word || (loaded == ST_OK && !db))
        st = err_set(e, ST_NOMEM, "out of memory");
    else if (!db)
        st = err_set(
            e, st, "%s: this looks like a sweep spec, a results database is wanted (results/NAME.db)", path);
    else if (file_exists(db))
        st =
            err_set(e, st, "%s: this is a sweep spec, a results database is wanted; its own is %s", path, db);
    else
        st = err_set(e, st,
                     "%s: this is a sweep spec, a results database is wanted; its own will be %s, first: "
                     "firesweep run %s",
                     path, db, word);
    mem_free(word);
    mem_free(db);
    spec_release(&spec);
    return st;
}

enum status database_failure(const char *path, enum status st, struct err *e)
{
    const bool spec = ends_with(path, ".yaml") || ends_with(path, ".yml");
    return st == ST_CORRUPT && spec ? explain_spec(path, e) : st;
}

enum status database_open(const char *path, struct store **out, struct err *e)
{
    const enum status st = store_open_readonly(path, out, e);
    return st == ST_OK ? ST_OK : database_failure(path, st, e);
}
