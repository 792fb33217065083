#include "cli/plan_changes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "cli/database.h"
#include "report/recorded_images.h"
#include "sweep/run.h"

static void add_count(struct strbuf *b, const char *what, double before, double now)
{
    if (before != now)
        strbuf_printf(b, "%s%s images %.0f -> %.0f", b->len ? ", " : "", what, before, now);
}

/* "training images 400 -> 399": how many there were when the sweep was last run, and are now; "" = as many,
 * or not known. */
static enum status count_images(struct plan_changes *c, struct store *store, const struct spec *spec,
                                const struct image_counts *now, struct strbuf *out, struct err *e)
{
    struct image_counts before;
    enum status st = now ? recorded_images(store, spec->name, &before, e) : ST_OK;
    c->images_counted = st == ST_OK && now && before.train >= 0 && now->train >= 0;
    if (!c->images_counted)
        return st;
    add_count(out, "training", before.train, now->train);
    add_count(out, "validation", before.val, now->val);
    add_count(out, "test", before.test, now->test);
    return out->failed ? err_set(e, ST_NOMEM, "out of memory") : ST_OK;
}

static enum status compare(struct plan_changes *c, struct store *store, const struct spec *spec,
                           const struct space *space, const struct image_counts *images, struct err *e)
{
    struct strbuf counts = STRBUF_INIT;
    enum status st = count_images(c, store, spec, images, &counts, e);
    if (st == ST_OK)
        st = changes_find(&c->found, store, spec, space, counts.len ? counts.text : NULL, e);
    c->images_differ = c->found.data && counts.len && strcmp(c->found.data, counts.text) == 0;
    strbuf_release(&counts);
    return st;
}

enum status plan_changes_load(struct plan_changes *c, const char *db, const struct spec *spec,
                              const struct space *space, const struct image_counts *images, struct err *e)
{
    struct store *store = NULL;
    *c = (struct plan_changes){.db = run_database_path(spec, db), .search = spec->search.on};
    if (!c->db)
        return err_set(e, ST_NOMEM, "out of memory");
    if (!file_exists(c->db)) {
        mem_free(c->db);
        c->db = NULL;
        return ST_OK;
    }
    enum status st = database_open(c->db, &store, e);
    if (st == ST_OK)
        st = compare(c, store, spec, space, images, e);
    if (st == ST_OK)
        st = prediction_error_find(store, &c->error, e);
    store_close(store);
    return st;
}

void plan_changes_release(struct plan_changes *c)
{
    if (c->db)
        changes_release(&c->found);
    mem_free(c->db);
}

const char *plan_change_text(const struct plan_changes *c, int trial, char *out, size_t n)
{
    if (!c->db)
        return NULL;
    const struct trial_change *t = &c->found.trials[trial];
    const char *name = change_name(t->change);
    if (t->change == CHANGE_CONTINUES || t->change == CHANGE_RUNNING)
        snprintf(out, n, "%s after epoch %d", name, t->epochs_done);
    else
        snprintf(out, n, "%s%s%s", name, t->why ? ": " : "", t->why ? t->why : "");
    return out;
}

static const struct table_column change_columns[] = {
    {.name = "db", .title = "database"},
    {.name = "done"},
    {.name = "diverged"},
    {.name = "timed_out", .title = "timed out"},
    {.name = "pruned", .title = "pruned by the search"},
    {.name = "skipped"},
    {.name = "continues", .title = "to continue"},
    {.name = "again", .title = "to try again"},
    {.name = "waiting", .title = "waiting"},
    {.name = "running"},
    {.name = "new"},
    {.name = "outside", .title = "outside the spec"},
    {.name = "epochs", .title = "epochs left"},
    {.name = "predicted_wall_s", .flags = TABLE_NOT_TEXT},
    {.name = "wall", .title = "predicted time left, h:mm:ss", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "data", .title = "data"},
};

static enum status change_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan_changes *c = context;
    const int *n = c->found.counts;
    char wall[48];
    const int64_t seconds = (int64_t)ceil(c->remaining_s);
    snprintf(wall, sizeof wall, "%lld:%02d:%02d", (long long)(seconds / 3600), (int)(seconds / 60 % 60),
             (int)(seconds % 60));
    const struct cell cells[] = {
        cell_text(c->db),
        cell_int(n[CHANGE_DONE]),
        cell_int(n[CHANGE_DIVERGED]),
        cell_int(n[CHANGE_TIMED_OUT]),
        cell_int(n[CHANGE_PRUNED]),
        cell_int(n[CHANGE_SKIPPED]),
        cell_int(n[CHANGE_CONTINUES]),
        cell_int(n[CHANGE_AGAIN]),
        cell_int(n[CHANGE_WAITING]),
        cell_int(n[CHANGE_RUNNING]),
        cell_int(n[CHANGE_NEW]),
        cell_int(c->found.outside_count),
        cell_int(c->epochs),
        c->remaining_s > 0 ? cell_real(c->remaining_s) : cell_null(),
        cell_text(c->remaining_s > 0 ? wall : NULL),
        cell_text(c->found.data),
    };
    return table_row(t, cells, e);
}

static void change_note(const void *context, FILE *out)
{
    const struct plan_changes *c = context;
    if (!c->found.known)
        fputs("\nNote: the database does not hold this sweep yet.\n", out);
    if (c->images_differ)
        fputs("\nNote: images were added or removed since the sweep was last run: all trials are new.\n",
              out);
    else if (c->found.data)
        fputs(
            "\nNote: the spec names other data than when the sweep was last run: on other images all trials "
            "are new.\n",
            out);
    else if (c->found.known)
        fprintf(out, "\nNote: %s: run reads all of them, and on changed ones all trials are new.\n",
                c->images_counted
                    ? "there are as many images as when the sweep was last run, but they were not "
                      "compared"
                    : "images were not compared");
    if (c->search && c->epochs > 0)
        fputs("\nNote: what is left counts as trained in full; the search trains less of it, and its shorter "
              "rungs are not counted.\n",
              out);
    if (c->found.outside_count > 0)
        fputs("\nNote: trials outside the spec keep their results, but stand in no curve and no ranking.\n",
              out);
}

static const struct table_column outside_columns[] = {
    {.name = "trial"},
    {.name = "name"},
    {.name = "state"},
    {.name = "epochs_done", .title = "epochs done"},
    {.name = "why", .title = "why (then -> now)"},
};

static enum status outside_rows(const void *context, struct table *t, struct err *e)
{
    const struct changes *c = &((const struct plan_changes *)context)->found;
    enum status st = ST_OK;
    for (int i = 0; i < c->outside_count && st == ST_OK; i++) {
        const struct outside_trial *o = &c->outside[i];
        const struct cell cells[] = {cell_int(o->id), cell_text(o->name),
                                     cell_text(trial_state_name(o->state)), cell_int(o->epochs_done),
                                     cell_text(o->why)};
        st = table_row(t, cells, e);
    }
    return st;
}

const struct section plan_change_sections[PLAN_CHANGE_SECTIONS] = {
    {.name = "changes",
     .heading = "Compared with the database",
     SECTION_COLUMNS(change_columns),
     .record = true,
     .rows = change_rows,
     .note = change_note},
    {.name = "outside",
     .heading = "Outside the spec",
     SECTION_COLUMNS(outside_columns),
     .may_be_empty = true,
     .rows = outside_rows},
};
