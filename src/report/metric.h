/* What figures can show of a trial or an epoch: one table per place it comes from. */
#ifndef REPORT_METRIC_H
#define REPORT_METRIC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct metric {
    const char *name;   /* as requests name it */
    const char *sql;    /* expression in the figure's unit over trial t and variant v, or over epoch p */
    const char *column; /* heading in data files, with the unit */
    const char *title;  /* of a drawn axis, with the unit */
    bool percent;
    bool lower_is_better;
    bool of_variant; /* the same for all seeds: one observation, not one per seed */
    bool cost;       /* what a network or its training takes: a Pareto front can be over it */
};

enum metric_source { METRIC_TRIAL, METRIC_EPOCH };

/* NULL if there is none of this name. */
const struct metric *metric_find(enum metric_source source, const char *name);

/* NULL behind the last. */
const char *metric_name(enum metric_source source, size_t i);

/* A column of trials that is a cost. ST_USAGE for another one: "`what`: ...", and what is allowed. */
enum status metric_find_cost(const char *what, const char *name, const struct metric **out, struct err *e);

/* ST_USAGE "`what`: unknown column "name", known are ..., or one of `others`" (NULL: no others). */
enum status metric_unknown(enum metric_source source, const char *what, const char *name, const char *others,
                           struct err *e);

#endif
