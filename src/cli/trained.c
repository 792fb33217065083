#include "cli/trained.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/database.h"
#include "sweep/paths.h"
#include "sweep/store_trials.h"

/* The checkpoint where the database has it now, which may have moved with it, or where it was recorded. */
static enum status find_checkpoint(struct trained *out, const char *db, const struct stored_trial *t,
                                   struct err *e)
{
    char *stem = paths_stem(db);
    char *beside =
        stem ? paths_checkpoint(stem, t->arch_hash, t->recipe_hash, t->data_fingerprint, t->seed) : NULL;
    enum status st = ST_OK;
    if (!beside)
        st = err_set(e, ST_NOMEM, "out of memory");
    else if (file_exists(beside) || !t->checkpoint || !file_exists(t->checkpoint))
        out->checkpoint = beside;
    else
        out->checkpoint = mem_strdup(t->checkpoint);
    if (beside != out->checkpoint)
        mem_free(beside);
    mem_free(stem);
    if (st == ST_OK && !out->checkpoint)
        st = err_set(e, ST_NOMEM, "out of memory");
    if (st == ST_OK && !file_exists(out->checkpoint))
        st = err_set(e, ST_FAILED, "trial %" PRId64 ": its checkpoint is gone: %s does not exist", out->trial,
                     out->checkpoint);
    return st;
}

static enum status find_trial(struct trained *out, const char *db, struct err *e)
{
    struct store *store = NULL;
    struct stored_trial t = {.id = 0};
    enum status st = database_open(db, &store, e);
    if (st != ST_OK)
        return st;
    st = stored_trial_read(store, out->trial, &t, e);
    if (st == ST_OK && t.state != TRIAL_DONE)
        st = err_set(e, ST_USAGE, "trial %" PRId64 " is %s: only the weights of done trials are final",
                     out->trial, trial_state_name(t.state));
    if (st == ST_OK)
        st = find_checkpoint(out, db, &t, e);
    if (st == ST_OK)
        snprintf(out->arch_hash, sizeof out->arch_hash, "%s", t.arch_hash);
    if (st == ST_OK && t.sweep)
        st = store_spec_text(store, t.sweep, &out->spec_path, &out->spec_text, e);
    stored_trial_release(&t);
    store_close(store);
    return st;
}

static bool is_database(const char *path)
{
    static const char mark[16] = "SQLite format 3";
    char start[sizeof mark] = "";
    FILE *f = fopen(path, "re");
    const bool database =
        f && fread(start, 1, sizeof start, f) == sizeof start && memcmp(start, mark, sizeof mark) == 0;
    if (f)
        fclose(f);
    return database;
}

enum status trained_find(const char *const *positional, struct trained *out, struct err *e)
{
    const char *file = positional[0], *trial = positional[1];
    *out = (struct trained){.trial = 0};
    if (trial) {
        if (!num_parse_int(trial, &out->trial) || out->trial < 1)
            return err_set(e, ST_USAGE, "TRIAL \"%.40s\" is no id of a trial, allowed: a whole number from 1",
                           trial);
        return find_trial(out, file, e);
    }
    if (is_database(file))
        return err_set(e, ST_USAGE, "%s is a database: TRIAL is missing, `firesweep query %s` lists them",
                       file, file);
    out->checkpoint = mem_strdup(file);
    return out->checkpoint ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
}

void trained_release(struct trained *t)
{
    mem_free(t->checkpoint);
    mem_free(t->spec_path);
    mem_free(t->spec_text);
    *t = (struct trained){.trial = 0};
}
