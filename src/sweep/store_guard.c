/* The authorizer: while a query of the user is compiled or runs, SQLite asks it about everything the query
 * would do, and only reading is allowed. */
#include "sweep/store_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Pragmas that only read. Those of the second list also with an argument: a table, an index, a limit. */
static const char *const reading_pragmas[] = {
    "application_id", "collation_list", "compile_options", "database_list", "encoding",   "freelist_count",
    "function_list",  "module_list",    "page_count",      "page_size",     "table_list", "user_version",
};
static const char *const describing_pragmas[] = {
    "foreign_key_check", "foreign_key_list", "index_info", "index_list",  "index_xinfo",
    "integrity_check",   "quick_check",      "table_info", "table_xinfo",
};

static bool listed(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, list[i]) == 0)
            return true;
    return false;
}

static bool pragma_reads(const char *name, const char *argument)
{
    return listed(name, describing_pragmas, sizeof describing_pragmas / sizeof *describing_pragmas) ||
           (!argument && listed(name, reading_pragmas, sizeof reading_pragmas / sizeof *reading_pragmas));
}

static const char *action_name(int action)
{
    switch (action) {
    case SQLITE_ATTACH:
        return "ATTACH";
    case SQLITE_DETACH:
        return "DETACH";
    case SQLITE_DELETE:
        return "DELETE from";
    case SQLITE_INSERT:
        return "INSERT into";
    case SQLITE_UPDATE:
        return "UPDATE of";
    case SQLITE_PRAGMA:
        return "PRAGMA";
    case SQLITE_FUNCTION:
        return "function";
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        return "transaction";
    case SQLITE_ALTER_TABLE:
        return "ALTER TABLE";
    default:
        return "change of the schema by";
    }
}

/* Keeps the first thing that was refused, for the message. CREATE and DROP show as writes to the schema's own
 * table. */
static void describe(struct store *s, int action, const char *object)
{
    if (object && strncasecmp(object, "sqlite_", strlen("sqlite_")) == 0) {
        snprintf(s->refused, sizeof s->refused, "change of the schema");
        return;
    }
    snprintf(s->refused, sizeof s->refused, "%s%s%.64s", action_name(action), object ? " " : "",
             object ? object : "");
}

int store_guard(void *context, int action, const char *first, const char *second, const char *database,
                const char *trigger)
{
    (void)database;
    (void)trigger;
    struct store *s = context;
    bool allowed;
    if (!s->guarded)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        allowed = true;
        break;
    case SQLITE_UPDATE: /* SQLite asks this when it declares json_each and the like; it lets nobody do it */
        allowed = first && strcmp(first, "sqlite_master") == 0;
        break;
    case SQLITE_FUNCTION: /* the name is the second text */
        allowed =
            second && strcasecmp(second, "load_extension") != 0 && strcasecmp(second, "fts3_tokenizer") != 0;
        break;
    case SQLITE_PRAGMA:
        allowed = first && pragma_reads(first, second);
        break;
    default:
        allowed = false;
    }
    if (allowed)
        return SQLITE_OK;
    if (!s->refused[0])
        describe(s, action, action == SQLITE_FUNCTION ? second : first);
    return SQLITE_DENY;
}
