/* After the last trial: what the finished variants cost where they are used. */
#include <math.h>
#include <signal.h>

#include "sweep/measure.h"
#include "sweep/supervisor.h"

struct measuring {
    struct supervisor *s;
    double fastest_ms, slowest_ms, least_share;
};

/* A request to stop, or the end of the sweep's time. */
static bool asked_to_stop(void *context)
{
    const struct measuring *m = context;
    struct supervisor *s = m->s;
    bool stop = s->spec->budget.wall_s > 0 && clock_seconds() - s->started_at >= s->spec->budget.wall_s;
    for (int n; (n = signal_source_next(&s->signals)) != 0;)
        stop = stop || n != SIGCHLD;
    return stop;
}

static enum status take_measurement(void *context, const struct measurement *one, struct err *e)
{
    struct measuring *m = context;
    (void)e;
    m->fastest_ms = fmin(m->fastest_ms, one->speed.latency_ms);
    m->slowest_ms = fmax(m->slowest_ms, one->speed.latency_ms);
    m->least_share = fmin(m->least_share, one->speed.cpu_share);
    return ST_OK;
}

/* Says how quiet the machine was: what was disturbed can be measured again. */
static void announce(const struct supervisor *s, const struct measuring *m, int count, double seconds)
{
    supervisor_notice(
        s,
        "measured inference of %d variant%s, one image at a time on one thread: %.3g to %.3g ms "
        "(took %.1f s)",
        count, count == 1 ? "" : "s", m->fastest_ms, m->slowest_ms, seconds);
    if (m->least_share < MEASURE_QUIET_SHARE) {
        supervisor_notice(s,
                          "others used the machine meanwhile (a measurement had a core for %.0f %% of its "
                          "time): firesweep measure does it again",
                          100 * m->least_share);
    }
}

enum status supervisor_measure(struct supervisor *s, struct err *e)
{
    struct measuring m = {s, INFINITY, 0, 1};
    const struct measure_config config = {
        .sweep = s->spec->name,
        .measured = MEASURED_NONE,
        .seconds = MEASURE_VARIANT_S,
        .context = &m,
        .stop = asked_to_stop,
        .done = take_measurement,
    };
    int count = 0;
    const double start = clock_seconds();
    const enum status status = measure_variants(s->store, &config, &count, e);
    if (count > 0)
        announce(s, &m, count, clock_seconds() - start);
    return status;
}

void supervisor_measure_rest(struct supervisor *s)
{
    struct err why = ERR_INIT;
    if (!s->spec->run.measure || s->phase != PHASE_RUNNING || s->fatal != ST_OK)
        return;
    const enum status status = supervisor_measure(s, &why);
    if (status == ST_INTERRUPTED)
        supervisor_notice(s, "%s; the next run, or firesweep measure, measures the rest", why.text);
    else if (status != ST_OK && status != ST_BUSY) /* busy: another run does it */
        supervisor_notice(s, "variants could not be measured: %s", why.text);
}
