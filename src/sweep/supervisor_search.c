/* Successive halving: when all trials of a rung have ended, the best variants go on to the next. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "sweep/search.h"
#include "sweep/store_deployment.h"
#include "sweep/store_rung.h"
#include "sweep/supervisor.h"

static const double RETRY_S = 1; /* while another run measures what a decision needs */

enum { REASON_TEXT = 192 };

/* All that one decision needs. */
struct decision {
    int rung, entered, promoted;
    struct contender *contenders; /* those that entered, one after the other */
    int *place;                   /* by contender number: index into contenders, -1 = did not enter */
    const char **why;             /* by place: why it does not go on */
    struct rung_decision *orders;
    int order_count;
    double best; /* score */
};

enum status supervisor_search_init(struct supervisor *s, struct err *e)
{
    const struct space *space = s->space;
    struct search_state *search = &s->search;
    if (!s->spec->search.on)
        return ST_OK;
    search->alive = arena_alloc(&s->arena, (size_t)space->contender_count + 1, sizeof *search->alive);
    if (!search->alive)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    memset(search->alive, true, (size_t)space->contender_count * sizeof *search->alive);
    search->rungs = search_rungs(&s->spec->search, s->spec->base.recipe.epochs);
    search->rung = 1;
    for (int i = 0; i < space->trial_count; i++)
        s->trials[i].waits = space->trials[i].rung > 1;
    return ST_OK;
}

/* Takes part in the search's present rung. */
static bool takes_part(const struct supervisor *s, int trial)
{
    const struct trial *t = &s->space->trials[trial];
    return t->rung == s->search.rung && s->search.alive[t->contender];
}

static bool rung_ended(const struct supervisor *s)
{
    for (int i = 0; i < s->space->trial_count; i++) {
        const enum trial_state state = s->trials[i].state;
        if (takes_part(s, i) && (state == TRIAL_PENDING || state == TRIAL_RUNNING))
            return false;
    }
    return true;
}

double search_share(const struct supervisor *s, int trial)
{
    double share = 1;
    for (int rung = s->search.rung; rung < s->space->trials[trial].rung; rung++)
        share /= s->spec->search.eta;
    return s->search.rungs > 0 && s->search.alive[s->space->trials[trial].contender] ? share : 0;
}

static enum status decision_init(const struct supervisor *s, struct decision *d, struct err *e)
{
    const size_t count = (size_t)s->space->contender_count + 1, trials = (size_t)s->space->trial_count + 1;
    *d = (struct decision){.rung = s->search.rung};
    d->contenders = mem_calloc(count, sizeof *d->contenders);
    d->place = mem_calloc(count, sizeof *d->place);
    d->why = mem_calloc(count, sizeof *d->why);
    d->orders = mem_calloc(trials, sizeof *d->orders);
    if (!d->contenders || !d->place || !d->why || !d->orders)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    for (int i = 0; i < s->space->contender_count; i++)
        d->place[i] = s->search.alive[i] ? d->entered++ : -1;
    return ST_OK;
}

static void decision_release(struct decision *d)
{
    mem_free(d->contenders);
    mem_free(d->place);
    mem_free(d->why);
    mem_free(d->orders);
}

static enum status cost_of(const struct supervisor *s, int trial, double *out, struct err *e)
{
    const struct cost *cost = &s->space->trials[trial].cost;
    switch (s->spec->search.cost) {
    case SEARCH_MODEL_BYTES:
        *out = (double)cost->model_bytes;
        break;
    case SEARCH_PARAMS:
        *out = (double)cost->params;
        break;
    case SEARCH_MACS:
        *out = (double)cost->macs;
        break;
    case SEARCH_ACTIVATION_BYTES:
        *out = (double)cost->activation_bytes;
        break;
    case SEARCH_LATENCY_MS:
        return store_latency(s->store, s->trials[trial].id, out, e);
    }
    return ST_OK;
}

/* Mean scores over seeds, and costs. A variant one of whose seeds has no result has none. */
static enum status read_scores(const struct supervisor *s, struct decision *d, struct err *e)
{
    enum status status = ST_OK;
    int *seeds = mem_calloc((size_t)d->entered + 1, sizeof *seeds);
    if (!seeds)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    for (int i = 0; i < s->space->trial_count && status == ST_OK; i++) {
        if (!takes_part(s, i))
            continue;
        double score = (double)NAN;
        const int place = d->place[s->space->trials[i].contender];
        struct contender *c = &d->contenders[place];
        status = store_val_top1(s->store, &s->trials[i].id, 1, &score, e);
        c->score += score;
        seeds[place]++;
        if (status == ST_OK && seeds[place] == 1)
            status = cost_of(s, i, &c->cost, e);
    }
    for (int i = 0; i < d->entered; i++)
        d->contenders[i].score /= seeds[i];
    mem_free(seeds);
    return status;
}

/* Measured costs come from this machine; once recorded they stay. Another run may be at it: ST_BUSY. */
static enum status measure_costs(struct supervisor *s, struct err *e)
{
    const bool wanted = s->spec->search.mode == SEARCH_PARETO && s->spec->search.cost == SEARCH_LATENCY_MS;
    return wanted ? supervisor_measure(s, e) : ST_OK;
}

static const char *reason(struct supervisor *s, const struct decision *d, const struct contender *c)
{
    const struct search_options *o = &s->spec->search;
    const int epochs = search_epochs(o, s->spec->base.recipe.epochs, d->rung);
    char rung[64], front[64] = "";
    snprintf(rung, sizeof rung, "rung %d of %d (%d epoch%s)", d->rung, s->search.rungs, epochs,
             epochs == 1 ? "" : "s");
    if (isnan(c->score))
        return arena_printf(&s->arena, "%s: no result", rung);
    if (o->mode == SEARCH_PARETO)
        snprintf(front, sizeof front, ", front %d by val_top1 and %s", c->front, search_cost_name(o->cost));
    return arena_printf(&s->arena, "%s: rank %d of %d, %d go on%s", rung, c->rank, d->entered, d->promoted,
                        front);
}

/* What the decision means for one trial; nothing for trials of earlier rungs and of those long out. */
static void order_trial(const struct supervisor *s, struct decision *d, int trial)
{
    const struct trial *t = &s->space->trials[trial];
    const int place = t->rung >= d->rung ? d->place[t->contender] : -1;
    if (place < 0)
        return;
    const struct contender *c = &d->contenders[place];
    struct rung_decision order = {.trial = s->trials[trial].id, .goes_on = c->promoted};
    if (t->rung == d->rung)
        order.rank = c->rank;
    else if (!c->promoted)
        order.message = d->why[place];
    else if (t->rung > d->rung + 1)
        return; /* the next decision's */
    d->orders[d->order_count++] = order;
}

static enum status make_orders(struct supervisor *s, struct decision *d, struct err *e)
{
    d->best = -(double)INFINITY;
    for (int i = 0; i < d->entered; i++) {
        d->promoted += d->contenders[i].promoted;
        d->best = fmax(d->best, d->contenders[i].score);
    }
    for (int i = 0; i < d->entered; i++)
        if (!d->contenders[i].promoted && !(d->why[i] = reason(s, d, &d->contenders[i])))
            return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    for (int i = 0; i < s->space->trial_count; i++)
        order_trial(s, d, i);
    return ST_OK;
}

/* A trial that goes on continues from the rung before where its schedule makes that the same training. */
static void continue_shorter(struct supervisor *s, int trial)
{
    const struct trial *own = &s->space->trials[trial];
    struct run_trial *t = &s->trials[trial];
    if (t->state != TRIAL_PENDING || recipe_extension_obstacle(&own->point.recipe) ||
        file_exists(t->checkpoint))
        return;
    for (int i = 0; i < s->space->trial_count; i++) {
        const struct trial *shorter = &s->space->trials[i];
        if (shorter->rung == own->rung - 1 && shorter->full == own->full &&
            file_exists(s->trials[i].checkpoint)) {
            t->shorter = s->trials[i].checkpoint;
            t->shorter_epochs = shorter->point.recipe.epochs;
        }
    }
}

static void apply(struct supervisor *s, const struct decision *d)
{
    for (int i = 0; i < s->space->trial_count; i++) {
        const struct trial *t = &s->space->trials[i];
        struct run_trial *r = &s->trials[i];
        const int place = t->rung > d->rung ? d->place[t->contender] : -1;
        if (place < 0)
            continue;
        if (!d->contenders[place].promoted) {
            r->state = r->state == TRIAL_PENDING ? TRIAL_PRUNED : r->state;
            r->waits = false;
        } else if (t->rung == d->rung + 1) {
            r->waits = false;
            continue_shorter(s, i);
        }
    }
    for (int i = 0; i < s->space->contender_count; i++)
        s->search.alive[i] = d->place[i] >= 0 && d->contenders[d->place[i]].promoted;
    s->search.rung++;
}

static void announce(const struct supervisor *s, const struct decision *d)
{
    const int epochs = s->spec->base.recipe.epochs,
              next = search_epochs(&s->spec->search, epochs, d->rung + 1);
    char best[64] = "";
    if (isfinite(d->best))
        snprintf(best, sizeof best, " (best validation top-1 %.2f %%)", 100 * d->best);
    supervisor_notice(s, "rung %d of %d: %d of %d variants go on to %d epochs%s", d->rung, s->search.rungs,
                      d->promoted, d->entered, next, best);
}

/* *decided false: something that is needed is not there yet. */
static enum status decide(struct supervisor *s, struct decision *d, bool *decided, struct err *e)
{
    enum status status = measure_costs(s, e);
    *decided = false;
    if (status == ST_BUSY)
        return ST_OK;
    if (status == ST_OK)
        status = read_scores(s, d, e);
    for (int i = 0; i < d->entered && status == ST_OK; i++)
        if (!isnan(d->contenders[i].score) && isnan(d->contenders[i].cost))
            return ST_OK;
    if (status == ST_OK)
        status = search_decide(&s->spec->search, d->contenders, d->entered, e);
    if (status == ST_OK)
        status = make_orders(s, d, e);
    *decided = status == ST_OK;
    return status;
}

/* Records what was decided, waiting for space on a full disk. */
static bool record(struct supervisor *s, const struct decision *d)
{
    struct err why = ERR_INIT;
    enum status status;
    do {
        status = store_decide(s->store, s->spec->name, d->orders, d->order_count, &why);
    } while (!supervisor_stored(s, status, &why));
    return status == ST_OK;
}

/* Decides the present rung; false: not now. */
static bool decide_rung(struct supervisor *s)
{
    struct decision d;
    struct err why = ERR_INIT;
    bool decided = false;
    enum status status = decision_init(s, &d, &why);
    if (status == ST_OK)
        status = decide(s, &d, &decided, &why);
    if (status == ST_INTERRUPTED)
        supervisor_stop(s, "stopped on request");
    else if (status != ST_OK)
        supervisor_fail(s, status, &why);
    else if (!decided)
        s->search.retry_at = clock_seconds() + RETRY_S;
    decided = status == ST_OK && decided && record(s, &d);
    if (decided) {
        apply(s, &d);
        announce(s, &d);
    }
    decision_release(&d);
    return decided;
}

void supervisor_search(struct supervisor *s)
{
    struct search_state *search = &s->search;
    while (search->rung < search->rungs && s->phase == PHASE_RUNNING && clock_seconds() >= search->retry_at &&
           rung_ended(s) && decide_rung(s)) {
    }
}
