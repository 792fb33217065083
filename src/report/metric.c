#include "report/metric.h"

#include <string.h>

#include "base/strbuf.h"

/* Of the variant, as measured. */
#define DEPLOYMENT(column) "(SELECT d." column " FROM deployment d WHERE d.variant_id = v.id)"

static const struct metric trial_metrics[] = {
    {"model_mib", "v.model_bytes / 1048576.0", "model_mib", "model size (MiB)", false, true, true, true},
    {"params", "v.params / 1e6", "params_millions", "parameters (millions)", false, true, true, true},
    {"macs", "v.macs / 1e6", "macs_millions", "multiply-accumulates per image (millions)", false, true, true,
     true},
    {"activation_mib", "v.activation_bytes / 1048576.0", "activation_mib", "activations of one image (MiB)",
     false, true, true, true},
    {"latency_ms", DEPLOYMENT("latency_ms"), "latency_ms", "latency of one image, one thread (ms)", false,
     true, true, true},
    {"latency_p95_ms", DEPLOYMENT("latency_p95_ms"), "latency_p95_ms",
     "latency of one image, 95th percentile (ms)", false, true, true, true},
    {"infer_img_s", DEPLOYMENT("infer_img_s"), "infer_img_s", "inference, one thread (images/s)", false,
     false, true, false},
    {"infer_mib", DEPLOYMENT("infer_bytes / 1048576.0"), "infer_mib", "memory of inference (MiB)", false,
     true, true, true},
    {"train_s", "t.train_s", "train_s", "training time (s)", false, true, false, true},
    {"test_top1", "t.test_top1 * 100", "test_top1_pct", "test top-1 accuracy (%)", true, false, false, false},
    {"test_top5", "t.test_top5 * 100", "test_top5_pct", "test top-5 accuracy (%)", true, false, false, false},
    {"test_loss", "t.test_loss", "test_loss", "test loss", false, true, false, false},
    {"val_top1", "t.val_top1 * 100", "val_top1_pct", "validation top-1 accuracy (%)", true, false, false,
     false},
    {"val_top5", "t.val_top5 * 100", "val_top5_pct", "validation top-5 accuracy (%)", true, false, false,
     false},
    {"val_loss", "t.val_loss", "val_loss", "validation loss", false, true, false, false},
    {NULL, NULL, NULL, NULL, false, false, false, false},
};

static const struct metric epoch_metrics[] = {
    {"val_top1", "p.val_top1 * 100", "val_top1_pct", "validation top-1 accuracy (%)", true, false, false,
     false},
    {"val_top5", "p.val_top5 * 100", "val_top5_pct", "validation top-5 accuracy (%)", true, false, false,
     false},
    {"val_loss", "p.val_loss", "val_loss", "validation loss", false, true, false, false},
    {"train_top1", "p.train_top1 * 100", "train_top1_pct", "training top-1 accuracy, as trained (%)", true,
     false, false, false},
    {"train_loss", "p.train_loss", "train_loss", "training loss", false, true, false, false},
    {"lr", "p.lr", "lr", "learning rate", false, false, false, false},
    {NULL, NULL, NULL, NULL, false, false, false, false},
};

static const struct metric *metrics_of(enum metric_source source)
{
    return source == METRIC_TRIAL ? trial_metrics : epoch_metrics;
}

const struct metric *metric_find(enum metric_source source, const char *name)
{
    for (const struct metric *m = metrics_of(source); m->name; m++)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

const char *metric_name(enum metric_source source, size_t i)
{
    return metrics_of(source)[i].name;
}

enum status metric_find_cost(const char *what, const char *name, const struct metric **out, struct err *e)
{
    struct strbuf known = STRBUF_INIT;
    for (const struct metric *m = trial_metrics; m->name; m++) {
        if (m->cost && strcmp(m->name, name) == 0) {
            strbuf_release(&known);
            *out = m;
            return ST_OK;
        }
        if (m->cost)
            strbuf_printf(&known, "%s%s", known.len > 0 ? ", " : "", m->name);
    }
    const enum status st =
        known.failed ? err_set(e, ST_NOMEM, "out of memory")
                     : err_set(e, ST_USAGE, "%s: \"%.60s\" is no cost, allowed: %s", what, name, known.text);
    strbuf_release(&known);
    return st;
}

enum status metric_unknown(enum metric_source source, const char *what, const char *name, const char *others,
                           struct err *e)
{
    struct strbuf known = STRBUF_INIT;
    for (const struct metric *m = metrics_of(source); m->name; m++)
        strbuf_printf(&known, "%s%s", known.len > 0 ? ", " : "", m->name);
    if (others && *others)
        strbuf_printf(&known, ", and the axes %s", others);
    enum status status = known.failed ? err_set(e, ST_NOMEM, "cannot draw a figure: out of memory")
                                      : err_set(e, ST_USAGE, "%s: unknown column \"%s\"; known are %s", what,
                                                name, known.text);
    strbuf_release(&known);
    return status;
}
