#include "sweep/changes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "sweep/spec_fields.h"
#include "sweep/store_trials.h"

const char *change_name(enum change c)
{
    static const char *const names[] = {"new",  "waiting",  "continues", "again",  "running",
                                        "done", "diverged", "timed_out", "pruned", "skipped"};
    return names[c];
}

bool change_trains(enum change c)
{
    return c <= CHANGE_RUNNING;
}

/* The search's own memory. */
struct search {
    struct changes *c;
    struct store *store;
    const struct spec *spec;
    const struct space *space;
    const char *images;      /* how the images are known to differ; NULL = not known to */
    const char *fingerprint; /* of the spec's data as the database knows it, NULL = not known */
    struct known_trial *known;
    int count;
    int *by_identity;            /* indices into known, sorted by architecture, recipe, seed */
    const struct trial **wanted; /* the space's trials, sorted alike */
    bool *named;                 /* known trials that the spec names */
    struct known_recipe *recipes;
    struct {
        const struct point *before;
        char after[HASH_TEXT];
        int differences;
        const char *text;
    } last; /* most trials differ like the one before */
};

/* A recipe that the database holds. */
struct known_recipe {
    char hash[HASH_TEXT];
    struct point point; /* only its recipe counts */
    struct known_recipe *next;
};

static int compare(const char *arch_a, const char *recipe_a, uint64_t seed_a, const char *arch_b,
                   const char *recipe_b, uint64_t seed_b)
{
    int order = strcmp(arch_a, arch_b);
    order = order != 0 ? order : strcmp(recipe_a, recipe_b);
    return order != 0 ? order : (seed_a > seed_b) - (seed_a < seed_b);
}

static int compare_known(const void *a, const void *b, void *context)
{
    const struct known_trial *known = context, *x = &known[*(const int *)a], *y = &known[*(const int *)b];
    return compare(x->arch_hash, x->recipe_hash, x->seed, y->arch_hash, y->recipe_hash, y->seed);
}

static int compare_wanted(const void *a, const void *b)
{
    const struct trial *x = *(const struct trial *const *)a, *y = *(const struct trial *const *)b;
    return compare(x->arch_hash, x->recipe_hash, x->seed, y->arch_hash, y->recipe_hash, y->seed);
}

/* Where (arch, recipe, seed) stands in by_identity, or would stand. A NULL recipe comes before all. */
static int find_known(const struct search *s, const char *arch, const char *recipe, uint64_t seed)
{
    int low = 0, high = s->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        const struct known_trial *k = &s->known[s->by_identity[middle]];
        if (compare(k->arch_hash, k->recipe_hash, k->seed, arch, recipe ? recipe : "", seed) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A known trial of the spec's data at a place of by_identity, if it is of this architecture and recipe. */
static const struct known_trial *known_at(const struct search *s, int place, const char *arch,
                                          const char *recipe)
{
    for (; place < s->count; place++) {
        const struct known_trial *k = &s->known[s->by_identity[place]];
        if (strcmp(k->arch_hash, arch) != 0 || strcmp(k->recipe_hash, recipe) != 0)
            return NULL;
        if (s->fingerprint && strcmp(k->data_fingerprint, s->fingerprint) == 0)
            return k;
    }
    return NULL;
}

/* The first of the space's trials, sorted, with this architecture (and recipe); trial_count if there is none.
 */
static int find_wanted(const struct search *s, const char *arch, const char *recipe)
{
    int low = 0, high = s->space->trial_count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        const struct trial *t = s->wanted[middle];
        if (compare(t->arch_hash, t->recipe_hash, t->seed, arch, recipe ? recipe : "", 0) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const struct trial *t = low < s->space->trial_count ? s->wanted[low] : NULL;
    const bool same =
        t && strcmp(t->arch_hash, arch) == 0 && (!recipe || strcmp(t->recipe_hash, recipe) == 0);
    return same ? low : s->space->trial_count;
}

static enum status no_memory(const struct search *s, struct err *e)
{
    return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
}

/* "lr 0.04 -> 0.02, epochs 5 -> 10" into `text`, which may be NULL; returns how many keys differ. */
static int recipe_difference(const struct point *before, const struct point *after, struct strbuf *text)
{
    int count = 0;
    for (size_t i = 0; i < field_count(); i++) {
        const struct field *f = field_at(i);
        char old[POINT_TEXT], new[POINT_TEXT];
        if (f->section != SECTION_TRAIN || !field_applies(f, &before->recipe) ||
            !field_applies(f, &after->recipe))
            continue;
        field_get(f, before, old);
        field_get(f, after, new);
        if (strcmp(old, new) == 0)
            continue;
        if (text)
            strbuf_printf(text, "%s%s %s -> %s", count ? ", " : "", f->key, old, new);
        count++;
    }
    return count;
}

/* The recipe of a known trial, read once for all that share it; NULL: see the error. */
static const struct point *recipe_of(struct search *s, const struct known_trial *known, struct err *e)
{
    struct known_recipe *r = s->recipes;
    while (r && strcmp(r->hash, known->recipe_hash) != 0)
        r = r->next;
    if (r)
        return &r->point;
    struct stored_trial stored;
    enum status status = stored_trial_read(s->store, known->id, &stored, e);
    if (status == ST_OK) {
        r = arena_alloc(&s->c->arena, 1, sizeof *r);
        if (!r) {
            no_memory(s, e);
        } else {
            memcpy(r->hash, known->recipe_hash, HASH_TEXT);
            r->point.recipe = stored.point.recipe;
            r->next = s->recipes;
            s->recipes = r;
        }
    }
    stored_trial_release(&stored);
    return r ? &r->point : NULL;
}

/* What distinguishes a wanted trial from the known one of the same layers whose recipe is nearest. */
struct nearest {
    int differences; /* 0: none is found yet */
    const struct point *before;
    const struct trial *after;
};

static enum status look_nearer(struct search *s, struct nearest *n, const struct known_trial *known,
                               const struct trial *wanted, struct err *e)
{
    const struct point *before = recipe_of(s, known, e);
    if (!before)
        return e->status;
    if (before != s->last.before || strcmp(wanted->recipe_hash, s->last.after) != 0) {
        s->last.before = before;
        s->last.differences = recipe_difference(before, &wanted->point, NULL) + 1;
        s->last.text = NULL;
        memcpy(s->last.after, wanted->recipe_hash, HASH_TEXT);
    }
    if (n->differences == 0 || s->last.differences < n->differences)
        *n = (struct nearest){s->last.differences, before, wanted};
    return ST_OK;
}

static enum status nearest_text(struct search *s, const struct nearest *n, const char **why, struct err *e)
{
    const bool is_last = n->before == s->last.before && strcmp(n->after->recipe_hash, s->last.after) == 0;
    if (is_last && s->last.text) {
        *why = s->last.text;
        return ST_OK;
    }
    struct strbuf text = STRBUF_INIT;
    recipe_difference(n->before, &n->after->point, &text);
    *why = text.failed
               ? NULL
               : arena_strdup(&s->c->arena, text.len ? text.text : "another arithmetic of the engine");
    strbuf_release(&text);
    s->last.text = is_last ? *why : s->last.text;
    return *why ? ST_OK : no_memory(s, e);
}

static enum change change_of(const struct search *s, const struct known_trial *k, bool skipped)
{
    double limit = s->spec->budget.trial_wall_s;
    if (skipped && k->state != TRIAL_RUNNING)
        return CHANGE_SKIPPED; /* results that it has stand in no curve any more */
    switch (k->state) {
    case TRIAL_DONE:
        return CHANGE_DONE;
    case TRIAL_DIVERGED:
        return CHANGE_DIVERGED;
    case TRIAL_RUNNING:
        return CHANGE_RUNNING;
    case TRIAL_FAILED:
        return CHANGE_AGAIN;
    case TRIAL_TIMED_OUT:
        return limit <= 0 || k->timed_out_s < limit ? CHANGE_AGAIN : CHANGE_TIMED_OUT;
    case TRIAL_PRUNED:
        if (s->spec->search.on)
            return CHANGE_PRUNED;
        break;
    case TRIAL_PENDING:
    case TRIAL_SKIPPED:
    case TRIAL_STATE_COUNT:
        break;
    }
    return k->epochs_done > 0 ? CHANGE_CONTINUES : CHANGE_WAITING;
}

/* Why a trial is new although the sweep is not. */
static enum status why_new(struct search *s, const struct trial *t, const char **why, struct err *e)
{
    const char *arch = t->arch_hash;
    *why = NULL;
    if (!s->c->known || s->c->data) {
        *why = s->c->data;
        return ST_OK;
    }
    if (known_at(s, find_known(s, arch, t->recipe_hash, 0), arch, t->recipe_hash)) {
        *why = "new seed";
        return ST_OK;
    }
    struct nearest n = {0};
    const char *last = ""; /* seeds of a recipe come in a row */
    for (int place = find_known(s, arch, NULL, 0); place < s->count; place++) {
        const struct known_trial *k = &s->known[s->by_identity[place]];
        if (strcmp(k->arch_hash, arch) != 0)
            break;
        if (!s->fingerprint || strcmp(k->data_fingerprint, s->fingerprint) != 0 ||
            strcmp(k->recipe_hash, last) == 0)
            continue;
        last = k->recipe_hash;
        const enum status status = look_nearer(s, &n, k, t, e);
        if (status != ST_OK)
            return status;
    }
    if (n.differences == 0) {
        *why = "new point";
        return ST_OK;
    }
    return nearest_text(s, &n, why, e);
}

static enum status classify(struct search *s, struct err *e)
{
    enum status status = ST_OK;
    for (int i = 0; i < s->space->trial_count && status == ST_OK; i++) {
        const struct trial *t = &s->space->trials[i];
        struct trial_change *change = &s->c->trials[i];
        const struct known_trial *k = NULL;
        int place = find_known(s, t->arch_hash, t->recipe_hash, t->seed);
        k = known_at(s, place, t->arch_hash, t->recipe_hash);
        if (k && k->seed == t->seed) {
            s->named[k - s->known] = true;
            change->change = change_of(s, k, t->skip_reason != NULL);
            change->epochs_done = k->epochs_done;
        } else {
            change->change = t->skip_reason ? CHANGE_SKIPPED : CHANGE_NEW;
            status = t->skip_reason ? ST_OK : why_new(s, t, &change->why, e);
        }
        s->c->counts[change->change]++;
    }
    return status;
}

/* Why a known trial is outside the spec. */
static enum status why_outside(struct search *s, const struct known_trial *k, const char **why, struct err *e)
{
    const int end = s->space->trial_count;
    if (!s->fingerprint || strcmp(k->data_fingerprint, s->fingerprint) != 0) {
        *why = s->c->data ? s->c->data : "trained on other data";
        return ST_OK;
    }
    if (find_wanted(s, k->arch_hash, k->recipe_hash) < end) {
        *why = "its seed is not in the spec";
        return ST_OK;
    }
    struct nearest n = {0};
    const char *last = "";
    for (int i = find_wanted(s, k->arch_hash, NULL); i < end; i++) {
        const struct trial *t = s->wanted[i];
        if (strcmp(t->arch_hash, k->arch_hash) != 0)
            break;
        if (strcmp(t->recipe_hash, last) == 0)
            continue;
        last = t->recipe_hash;
        const enum status status = look_nearer(s, &n, k, t, e);
        if (status != ST_OK)
            return status;
    }
    if (n.differences == 0) {
        *why = "its point is not in the spec";
        return ST_OK;
    }
    return nearest_text(s, &n, why, e);
}

static enum status name_outside(struct search *s, struct err *e)
{
    const int count = s->c->outside_count;
    int64_t *ids = arena_alloc(&s->c->arena, (size_t)count + 1, sizeof *ids);
    const char **names = arena_alloc(&s->c->arena, (size_t)count + 1, sizeof(char *));
    if (!ids || !names)
        return no_memory(s, e);
    for (int i = 0; i < count; i++)
        ids[i] = s->c->outside[i].id;
    enum status status = store_trial_names(s->store, ids, count, &s->c->arena, names, e);
    for (int i = 0; i < count && status == ST_OK; i++)
        s->c->outside[i].name = names[i];
    return status;
}

static enum status find_outside(struct search *s, struct err *e)
{
    enum status status = ST_OK;
    int count = 0;
    for (int i = 0; i < s->count; i++)
        count += s->known[i].ours && !s->named[i];
    s->c->outside = arena_alloc(&s->c->arena, (size_t)count + 1, sizeof *s->c->outside);
    if (!s->c->outside)
        return no_memory(s, e);
    for (int i = 0; i < s->count && status == ST_OK; i++) {
        const struct known_trial *k = &s->known[i];
        if (!k->ours || s->named[i])
            continue;
        struct outside_trial *out = &s->c->outside[s->c->outside_count++];
        *out = (struct outside_trial){.id = k->id, .state = k->state, .epochs_done = k->epochs_done};
        status = why_outside(s, k, &out->why, e);
    }
    return status == ST_OK ? name_outside(s, e) : status;
}

static void add_number(struct strbuf *b, const char *key, uint64_t before, uint64_t after)
{
    if (before != after)
        strbuf_printf(b, "%sdata.%s %" PRIu64 " -> %" PRIu64, b->len ? ", " : "", key, before, after);
}

/* How two data sources differ in what they choose; "" when they do not. */
static void source_difference(const struct data_source *a, const struct data_source *b, struct strbuf *out)
{
    if (a->format != b->format)
        strbuf_printf(out, "data.format %s -> %s", data_format_name(a->format), data_format_name(b->format));
    if (strcmp(a->path, b->path) != 0)
        strbuf_printf(out, "%sdata.path %s -> %s", out->len ? ", " : "", a->path, b->path);
    add_number(out, "val", (uint64_t)a->val, (uint64_t)b->val);
    add_number(out, "val_seed", a->val_seed, b->val_seed);
    add_number(out, "train_limit", (uint64_t)a->train_limit, (uint64_t)b->train_limit);
    add_number(out, "test_limit", (uint64_t)a->test_limit, (uint64_t)b->test_limit);
    add_number(out, "resize (rows)", (uint64_t)a->resize_h, (uint64_t)b->resize_h);
    add_number(out, "resize (columns)", (uint64_t)a->resize_w, (uint64_t)b->resize_w);
    add_number(out, "skip_bad", a->skip_bad, b->skip_bad);
}

/* The fingerprint of the spec's data, from this sweep or another one with the same data. A path can differ
 * and the images still be the same: only the run can tell. */
static enum status find_data(struct search *s, struct err *e)
{
    struct known_sweep *sweeps = NULL;
    int count = 0;
    struct strbuf difference = STRBUF_INIT;
    enum status status = store_known_sweeps(s->store, &s->c->arena, &sweeps, &count, e);
    for (int i = 0; i < count && status == ST_OK; i++) {
        struct spec before;
        struct err why = ERR_INIT;
        const bool own = strcmp(sweeps[i].name, s->spec->name) == 0;
        s->c->known = s->c->known || own;
        strbuf_clear(&difference);
        if (spec_parse(sweeps[i].spec_text, strlen(sweeps[i].spec_text), sweeps[i].spec_path, &before,
                       &why) == ST_OK)
            source_difference(&before.data, &s->spec->data, &difference);
        else
            strbuf_puts(&difference, "another format of the spec");
        spec_release(&before);
        if (difference.len == 0 && own && s->images)
            strbuf_puts(&difference, s->images);
        if (difference.len == 0 && (own || !s->fingerprint))
            s->fingerprint = sweeps[i].data_fingerprint;
        else if (own)
            s->c->data = arena_strdup(&s->c->arena, difference.text);
        status = difference.failed || (own && difference.len && !s->c->data) ? no_memory(s, e) : ST_OK;
    }
    strbuf_release(&difference);
    return status;
}

static enum status prepare(struct search *s, struct err *e)
{
    const size_t trials = (size_t)s->space->trial_count + 1; /* never zero */
    enum status status = store_known_trials(s->store, s->spec->name, &s->known, &s->count, e);
    if (status != ST_OK)
        return status;
    s->by_identity = arena_alloc(&s->c->arena, (size_t)s->count + 1, sizeof *s->by_identity);
    s->named = arena_alloc(&s->c->arena, (size_t)s->count + 1, sizeof *s->named);
    s->wanted = arena_alloc(&s->c->arena, trials, sizeof(void *));
    s->c->trials = arena_alloc(&s->c->arena, trials, sizeof *s->c->trials);
    if (!s->by_identity || !s->named || !s->wanted || !s->c->trials)
        return no_memory(s, e);
    for (int i = 0; i < s->count; i++)
        s->by_identity[i] = i;
    for (int i = 0; i < s->space->trial_count; i++)
        s->wanted[i] = &s->space->trials[i];
    qsort_r(s->by_identity, (size_t)s->count, sizeof *s->by_identity, compare_known, s->known);
    qsort(s->wanted, (size_t)s->space->trial_count, sizeof(void *), compare_wanted);
    return ST_OK;
}

enum status changes_find(struct changes *c, struct store *store, const struct spec *spec,
                         const struct space *space, const char *images, struct err *e)
{
    struct search s = {.c = c, .store = store, .spec = spec, .space = space, .images = images};
    memset(c, 0, sizeof *c);
    arena_init(&c->arena);
    enum status status = find_data(&s, e);
    if (status == ST_OK)
        status = prepare(&s, e);
    if (status == ST_OK)
        status = classify(&s, e);
    if (status == ST_OK)
        status = find_outside(&s, e);
    mem_free(s.known);
    return status;
}

void changes_release(struct changes *c)
{
    arena_release(&c->arena);
}
