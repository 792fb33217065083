#include "sweep/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "sweep/paths.h"
#include "sweep/store_trials.h"
#include "sweep/trial_samples.h"
#include "sweep/worker.h"

enum { DETAIL_TEXT = 768 };

struct verifier {
    const struct verify_config *config;
    const struct verify_observer *observer;
    struct store *store;
    char *sweep; /* whose data is loaded, NULL = none yet */
    struct spec spec;
    struct dataset data;
    char unusable[DETAIL_TEXT]; /* why that data cannot be used, "" = it can */
    struct verification answer;
    char detail[DETAIL_TEXT];
};

const char *verify_result_name(enum verify_result r)
{
    static const char *const names[] = {"reproduced", "differs", "impossible"};
    return names[r];
}

/* The trial cannot be verified, and why. */
static void __attribute__((format(printf, 2, 3))) impossible(struct verifier *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(v->detail, sizeof v->detail, format, args);
    va_end(args);
    v->answer.result = VERIFY_IMPOSSIBLE;
    v->answer.detail = v->detail;
}

/* Equal bits, but that rows hold neither NaN nor infinity: NULL is both. */
static bool same(double recorded, double now)
{
    return isfinite(now) ? recorded == now : isnan(recorded);
}

/* The first difference is told. */
static void __attribute__((format(printf, 2, 3))) differs(struct verifier *v, const char *format, ...)
{
    if (v->answer.different++ == 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(v->detail, sizeof v->detail, format, args);
        va_end(args);
        v->answer.result = VERIFY_DIFFERS;
        v->answer.detail = v->detail;
    }
}

/* Rows hold no number for NaN and infinity. */
static const char *number_text(double x, char out[32])
{
    snprintf(out, 32, isfinite(x) ? "%.17g" : "no number", x);
    return out;
}

static void compare(struct verifier *v, const char *where, const char *what, double recorded, double now)
{
    char before[32], after[32];
    v->answer.compared++;
    if (!same(recorded, now)) {
        differs(v, "%s: %s was recorded as %s and is %s now", where, what, number_text(recorded, before),
                number_text(now, after));
    }
}

/* Where the trial diverged, -1: it did not. `why`: of what happened now. */
static void compare_divergence(struct verifier *v, int64_t recorded, int64_t now, const char *why)
{
    v->answer.compared++;
    if (recorded == now)
        return;
    if (now < 0) {
        differs(v, "it was recorded as diverged at step %" PRId64 " and does not diverge now", recorded);
    } else if (recorded < 0) {
        differs(v, "it was recorded as done and diverges now, at step %" PRId64 ": %s", now, why);
    } else {
        differs(v, "it was recorded as diverged at step %" PRId64 " and diverges at step %" PRId64 " now: %s",
                recorded, now, why);
    }
}

static void compare_metrics(struct verifier *v, const char *where, const char *split,
                            const struct eval_metrics *recorded, const struct eval_metrics *now)
{
    static const char *const names[] = {"count", "loss", "top1", "top5"};
    const double a[] = {(double)recorded->count, recorded->loss, recorded->top1, recorded->top5};
    const double b[] = {(double)now->count, now->loss, now->top1, now->top5};
    const int values = recorded->count == 0 && now->count == 0 ? 1 : 4;
    for (int i = 0; i < values; i++) {
        char what[32];
        snprintf(what, sizeof what, "%s_%s", split, names[i]);
        compare(v, where, what, a[i], b[i]);
    }
}

static void compare_epoch(struct verifier *v, const struct stored_trial *t, const struct epoch_metrics *now)
{
    char where[32];
    snprintf(where, sizeof where, "epoch %d", now->epoch);
    const struct epoch_metrics *recorded = NULL;
    for (int i = 0; i < t->epoch_count; i++)
        recorded = t->epochs[i].epoch == now->epoch ? &t->epochs[i] : recorded;
    if (!recorded) {
        v->answer.compared++;
        differs(v, "%s: it was not recorded", where);
        return;
    }
    compare(v, where, "lr", recorded->lr, now->lr);
    compare(v, where, "train_loss", recorded->train_loss, now->train_loss);
    compare(v, where, "train_top1", recorded->train_top1, now->train_top1);
    compare_metrics(v, where, "val", &recorded->val, &now->val);
}

/* Trains to the end, or to the divergence. */
static enum status retrain(struct verifier *v, const struct stored_trial *t, struct trainer *trainer,
                           struct err *e)
{
    v->answer.first_epoch = trainer_epochs_done(trainer) + 1;
    while (!trainer_finished(trainer)) {
        char why[128] = "";
        enum epoch_end end = trainer_run_epoch(trainer, NULL, NULL, why);
        if (end == EPOCH_DIVERGED) {
            compare_divergence(v, t->diverged_step, worker_diverged_step(trainer, why), why);
            return ST_OK;
        }
        if (end != EPOCH_DONE) {
            enum status lost = dataset_failure(&v->data, e);
            return lost != ST_OK ? lost : err_set(e, ST_NOMEM, "%s", why);
        }
        const struct epoch_metrics *now = &trainer_history(trainer)[trainer_epochs_done(trainer) - 1];
        v->answer.epochs++;
        compare_epoch(v, t, now);
        if (v->observer->epoch)
            v->observer->epoch(v->observer->context, t->name, now->epoch, t->point.recipe.epochs);
    }
    compare_divergence(v, t->diverged_step, -1, "");
    return ST_OK;
}

static enum status retest(struct verifier *v, const struct stored_trial *t, struct trainer *trainer,
                          struct err *e)
{
    struct sample_source source;
    struct samples test = trial_samples(&source, &v->data, &t->point.recipe, SPLIT_TEST);
    struct eval_metrics now = {0};
    if (t->state != TRIAL_DONE || !trainer_finished(trainer))
        return ST_OK;
    if (test.count > 0) {
        enum status status = trainer_evaluate(trainer, &test, &now, NULL, e);
        if (status != ST_OK) {
            enum status lost = dataset_failure(&v->data, e);
            return lost != ST_OK ? lost : status;
        }
    }
    compare_metrics(v, "the test", "test", &t->test, &now);
    return ST_OK;
}

/* Takes up the checkpoint if it is of the epoch that was asked for. Sets *found, and in `kept` that there is
 * one of its epoch. What is no checkpoint of this trial is as good as none. */
static enum status try_middle(const struct verifier *v, struct trainer *trainer, const char *path,
                              bool *found, bool *kept, int epochs, struct err *e)
{
    struct err why = ERR_INIT;
    if (!path || *found || !file_exists(path))
        return path ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
    enum status status = trainer_load(trainer, path, &why);
    if (status == ST_CORRUPT || status == ST_USAGE)
        return ST_OK;
    if (status != ST_OK)
        return err_set(e, status, "%s", why.text);
    const int epoch = trainer_epochs_done(trainer);
    *found = epoch == v->config->from_epoch;
    kept[epoch <= epochs ? epoch : 0] = true;
    return ST_OK;
}

/* Says which checkpoints there are instead: "1, 3 to 5". Those of single epochs by their names. */
static enum status tell_kept(struct verifier *v, const char *own, bool *kept, int epochs, struct err *e)
{
    struct strbuf text = STRBUF_INIT;
    for (int i = 1; i <= epochs; i++) {
        char *path = kept[i] ? NULL : checkpoint_epoch_path(own, i);
        kept[i] = kept[i] || (path && file_exists(path));
        mem_free(path);
    }
    kept[0] = false; /* no epoch */
    for (int i = 1; i <= epochs; i++)
        if (kept[i] && !kept[i - 1])
            strbuf_printf(&text, "%s%d", text.len ? ", " : "", i);
        else if (kept[i] && (i == epochs || !kept[i + 1]))
            strbuf_printf(&text, " to %d", i);
    const bool failed = text.failed;
    if (text.len > 0) {
        impossible(v, "no checkpoint after epoch %d is kept; there are those after epoch %s",
                   v->config->from_epoch, text.text);
    } else {
        impossible(v, "no checkpoint after epoch %d is kept, nor any other", v->config->from_epoch);
    }
    strbuf_release(&text);
    return failed ? err_set(e, ST_NOMEM, "out of memory") : ST_OK;
}

/* Continues from the checkpoint kept of an epoch. Its history is compared too: it was recorded then. */
static enum status go_to_middle(struct verifier *v, const struct stored_trial *t, struct trainer *trainer,
                                struct err *e)
{
    const int epochs = t->point.recipe.epochs;
    bool found = false, *kept = mem_calloc((size_t)epochs + 1, sizeof *kept);
    if (!kept)
        return err_set(e, ST_NOMEM, "out of memory");
    char *stem = paths_stem(v->config->db);
    char *own =
        stem ? paths_checkpoint(stem, t->arch_hash, t->recipe_hash, t->data_fingerprint, t->seed) : NULL;
    char *paths[] = {own ? mem_strdup(own) : NULL, own ? checkpoint_previous_path(own) : NULL,
                     own ? checkpoint_best_path(own) : NULL,
                     own ? checkpoint_epoch_path(own, v->config->from_epoch) : NULL};
    enum status status = ST_OK;
    for (size_t i = 0; i < sizeof paths / sizeof *paths && status == ST_OK; i++)
        status = try_middle(v, trainer, paths[i], &found, kept, epochs, e);
    if (status == ST_OK && !found)
        status = tell_kept(v, own, kept, epochs, e);
    for (int i = 0; found && status == ST_OK && i < trainer_epochs_done(trainer); i++)
        compare_epoch(v, t, &trainer_history(trainer)[i]);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        mem_free(paths[i]);
    mem_free(own);
    mem_free(stem);
    mem_free(kept);
    return status;
}

static enum status verify_training(struct verifier *v, const struct stored_trial *t, struct err *e)
{
    struct arch arch;
    char hash[HASH_TEXT];
    struct sample_source sources[2];
    struct trainer *trainer = NULL;
    enum status status = arch_build(&t->point.design, &arch, e);
    if (status != ST_OK)
        return status;
    arch_hash(&arch, hash);
    if (strcmp(hash, t->arch_hash) != 0) {
        impossible(v, "its variant's row describes architecture %s, not %s: the row was changed", hash,
                   t->arch_hash);
        return ST_OK;
    }
    struct trainer_config config = {
        .arch = &arch,
        .recipe = &t->point.recipe,
        .seed = t->seed,
        .threads = v->config->threads,
        .train = trial_samples(&sources[0], &v->data, &t->point.recipe, SPLIT_TRAIN),
        .val = trial_samples(&sources[1], &v->data, &t->point.recipe, SPLIT_VAL),
    };
    status = trainer_create(&config, &trainer, e);
    if (status == ST_OK && v->config->from_middle)
        status = go_to_middle(v, t, trainer, e);
    if (status == ST_OK && v->answer.result != VERIFY_IMPOSSIBLE)
        status = retrain(v, t, trainer, e);
    if (status == ST_OK && v->answer.result != VERIFY_IMPOSSIBLE)
        status = retest(v, t, trainer, e);
    trainer_free(trainer);
    return status;
}

static void unload(struct verifier *v)
{
    if (v->sweep) {
        dataset_release(&v->data);
        spec_release(&v->spec);
    }
    mem_free(v->sweep);
    v->sweep = NULL;
    v->unusable[0] = '\0';
}

/* Loads the data of a sweep, unless it is loaded already. Data that is not there is not an error of the
 * verification: its trials cannot be verified. */
static enum status load(struct verifier *v, const char *sweep, struct err *e)
{
    char *path = NULL, *text = NULL;
    struct err why = ERR_INIT;
    if (v->sweep && strcmp(v->sweep, sweep) == 0)
        return ST_OK;
    unload(v);
    enum status status = store_spec_text(v->store, sweep, &path, &text, e);
    if (status != ST_OK)
        return status;
    v->sweep = mem_strdup(sweep);
    memset(&v->data, 0, sizeof v->data);
    status = v->sweep ? spec_parse(text, strlen(text), path, &v->spec, &why)
                      : err_set(&why, ST_NOMEM, "out of memory");
    if (status == ST_OK)
        status = spec_check_data(&v->spec, &why);
    if (status == ST_OK)
        status = dataset_load(&v->spec.data, &v->data, &why);
    if (status == ST_NOMEM) {
        status = err_set(e, ST_NOMEM, "%s", why.text);
    } else if (status != ST_OK) {
        snprintf(v->unusable, sizeof v->unusable, "%.700s", why.text);
        status = ST_OK;
    }
    mem_free(path);
    mem_free(text);
    return status;
}

/* Kernels without fused multiply-add round otherwise. */
static bool is_generic(const char *isa)
{
    return strcmp(isa, "generic") == 0;
}

/* Whether this program on this machine with this data can give the same numbers at all. */
static bool can_reproduce(struct verifier *v, const struct stored_trial *t)
{
    char fingerprint[HASH_TEXT];
    hash_text(v->data.fingerprint, fingerprint);
    if (v->unusable[0]) {
        impossible(v, "%s", v->unusable);
    } else if (strcmp(t->numerics, engine_numerics()) != 0) {
        impossible(v, "it was trained by arithmetic %s, this version of firesweep computes by %s",
                   t->numerics, engine_numerics());
    } else if (strcmp(fingerprint, t->data_fingerprint) != 0) {
        impossible(v, "the data has changed: %s has fingerprint %s now, the trial was trained on %s",
                   v->spec.data.path, fingerprint, t->data_fingerprint);
    } else if (t->isa[0] && is_generic(t->isa) != is_generic(engine_isa())) {
        impossible(v,
                   "it was trained by %s kernels, here run %s kernels: with and without fused multiply-add "
                   "results are rounded otherwise%s",
                   t->isa, engine_isa(), is_generic(t->isa) ? "; FIRESWEEP_ISA=generic uses the same" : "");
    }
    return v->answer.result != VERIFY_IMPOSSIBLE;
}

static enum status verify_trial(struct verifier *v, int64_t id, struct err *e)
{
    struct stored_trial t;
    enum status status = stored_trial_read(v->store, id, &t, e);
    v->answer = (struct verification){.trial = id, .name = t.name};
    if (status == ST_OK && t.state != TRIAL_DONE && t.state != TRIAL_DIVERGED) {
        status =
            err_set(e, ST_USAGE, "%s: trial %" PRId64 " is %s; only done and diverged trials can be verified",
                    v->config->db, id, trial_state_name(t.state));
    }
    if (status == ST_OK && !t.sweep)
        impossible(v, "no sweep of the database names it, so its data is not known");
    else if (status == ST_OK)
        status = load(v, t.sweep, e);
    if (status == ST_OK && v->answer.result != VERIFY_IMPOSSIBLE && can_reproduce(v, &t))
        status = verify_training(v, &t, e);
    if (status == ST_OK)
        status = v->observer->verified(v->observer->context, &v->answer, e);
    stored_trial_release(&t);
    return status;
}

enum status verify_run(const struct verify_config *c, const struct verify_observer *o,
                       struct verify_totals *out, struct err *e)
{
    struct verifier v = {.config = c, .observer = o};
    int64_t *ids = NULL;
    int count = 1;
    *out = (struct verify_totals){0};
    enum status status = store_open_readonly(c->db, &v.store, e);
    if (status == ST_OK) /* what is read through a damaged index would be compared for nothing */
        status = store_check_all(v.store, e);
    if (status == ST_OK && c->trial == 0)
        status = store_trial_ids(v.store, 1U << TRIAL_DONE | 1U << TRIAL_DIVERGED, &ids, &count, e);
    for (int i = 0; i < count && status == ST_OK; i++) {
        status = verify_trial(&v, ids ? ids[i] : c->trial, e);
        out->reproduced += status == ST_OK && v.answer.result == VERIFY_REPRODUCED;
        out->different += status == ST_OK && v.answer.result == VERIFY_DIFFERS;
        out->impossible += status == ST_OK && v.answer.result == VERIFY_IMPOSSIBLE;
    }
    unload(&v);
    store_close(v.store);
    mem_free(ids);
    return status;
}
