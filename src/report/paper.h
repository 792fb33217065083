/* Our measurements beside the paper's: from the finished trials of databases to the curves of Figure 3 and
 * the rows of Table 3, and from them a verdict for each claim. The paper's numbers: report/paper_facts.h. */
#ifndef REPORT_PAPER_H
#define REPORT_PAPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "report/compare.h"
#include "report/paper_facts.h"
#include "sweep/store.h"

/* What a series runs along; the first two are enum paper_curve. */
enum paper_axis { PAPER_AXIS_SR = PAPER_SR, PAPER_AXIS_PCT3X3 = PAPER_PCT3X3, PAPER_AXIS_BYPASS, PAPER_AXES };
const char *paper_axis_name(enum paper_axis a); /* "SR", "pct3x3", "bypass" */

/* Test top-1 of one variant, a share, per seed. */
struct paper_measure {
    double value;    /* SR or pct3x3 as requested, or an enum bypass */
    int64_t variant; /* row id */
    bool again;      /* a smaller value has rounded to the same layers: these are its results */
    int64_t model_bytes;
    size_t n;
    int64_t *seeds; /* ascending */
    double *top1;
    struct summary summary;
    size_t lost; /* seeds that diverged or failed */
};

/* Trials that are alike in data, recipe and everything of the network but the axis. */
struct paper_series {
    enum paper_axis axis;
    int epochs, batch;
    int base_e, incr_e, freq;
    double sr, pct3x3; /* where they are not the axis */
    double lr;
    const char *sweep; /* name of one that holds it */
    const char *data;  /* last part of its path */
    const char *shape; /* "3x32x32, 10 classes" */
    size_t count;
    struct paper_measure *measures; /* by value, ascending */
};

struct paper {
    struct arena arena;
    size_t count, capacity;
    struct paper_series *series;
};

void paper_init(struct paper *p);
void paper_release(struct paper *p); /* also after a failure */

/* Two points are no curve: from them nothing follows on where it bends. A bypass is compared with none. */
enum { PAPER_CURVE_POINTS = 3, PAPER_BYPASS_POINTS = 2 };

/* Adds the series of a database that have that many points with results. Only trials that a spec still names
 * count. Call it for each database; equal series of several are not joined. */
enum status paper_load(struct paper *p, struct store *s, struct err *e);

/* Whether so many of its points have results. */
bool paper_is_enough(const struct paper_series *s);

/* "cifar10, base_e 64", with what else tells it from the other series of its axis: ", 5 epochs", ", lr 0.02",
 * ", sweep NAME". Arena memory; NULL: none left. */
const char *paper_series_label(const struct paper *p, const struct paper_series *s, struct arena *a);

/* The measure at a value, or NULL. */
const struct paper_measure *paper_at(const struct paper_series *s, double value);

/* What a claim says of the accuracy from one point of a series to another. */
enum paper_expectation {
    PAPER_RISES,        /* it gains */
    PAPER_RISES_WELL,   /* it gains markedly: by more than PAPER_MARGIN */
    PAPER_GAINS_NOTHING /* at most PAPER_MARGIN */
};

/* Half a point: what is called marked, and what is called nothing. Three seeds tell about as much. */
#define PAPER_MARGIN 0.005

struct paper_claim {
    enum paper_axis axis;
    enum paper_expectation expected;
    const char *text;
    /* Values. Of SR and pct3x3 one is the outer end of the claim's range, the first of a marked rise and the
     * second of no gain; the other is where the paper has the bend. For an end that was not measured the
     * nearest point beyond it stands in, for a bend the nearest point of the range. */
    double from, to;
};
/* All claims; ends with a NULL text. */
const struct paper_claim *paper_claims(void);

/* A difference of test top-1 between two points of a series, to - from. Seeds are blocks: differences are
 * taken seed by seed, and their spread is pooled over all points of the series (the residual of the additive
 * model of points and seeds, with (points - 1) (seeds - 1) degrees of freedom), which tells more than three
 * seeds of two points alone. */
struct summary paper_difference(const struct paper_series *s, const struct paper_measure *from,
                                const struct paper_measure *to);

struct paper_finding {
    enum verdict verdict;
    double from, to; /* values that were compared; NaN: the claim is not judged, as the series has none */
    struct summary difference;
    char why[64]; /* why it is not judged, or has no interval; "" if it has one */
};

/* Judges a claim by a series of its axis, with the verdicts of report/compare.h: a rise exceeds 0, or the
 * margin if it is to be marked, and that nothing is gained means at most the margin. It is not judged without
 * a point for each bound, and of SR and pct3x3 with fewer than three points. */
struct paper_finding paper_judge(const struct paper_claim *c, const struct paper_series *s);

/* Figures of the points gained over the smallest value of SR and of pct3x3, the paper's curve and every
 * series of that axis in one: <dir>/paper-squeeze-ratio.svg and paper-pct3x3.svg with their data as .csv. An
 * axis without a series is left out. `image`, `templates`: as gnuplot_init. paths[*count]: what was written,
 * which lives as long as the paper; also filled when it fails. */
enum { PAPER_PATHS = 2 * PAPER_CURVES };
enum status paper_draw(struct paper *p, const char *dir, const char *image, const char *templates,
                       const char *paths[PAPER_PATHS], int *count, struct err *e);

#endif
