/* The points of a block as its axes name them: which values make two trials replicates of one point, which
 * axis runs along a curve, which tells curves apart, and how a point is written in a figure. */
#ifndef REPORT_AXES_H
#define REPORT_AXES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "report/lookup.h"

/* What an axis does in a curve, from axes_analyse. */
enum axis_role {
    AXIS_CONSTANT, /* one value in the whole block */
    AXIS_PRIMARY,  /* runs along the curves: at most one */
    AXIS_TIED,     /* follows from the primary axis (zip), named together with it */
    AXIS_SERIES,   /* tells curves apart */
};

struct axes {
    struct arena arena;
    size_t key_count, key_capacity;
    struct axis_column *columns; /* in order of first appearance */
    size_t point_count, point_capacity;
    int primary; /* column, -1 without one */
    /* private: points by their values; room for marks, one per value of a column; and the last point asked
     * for, as rows of one point come in a row */
    struct lookup by_values;
    size_t *marks;
    const char *last_json;
    size_t last_point;
};

/* One axis: its value at every point, as text; NULL where the point does not set it. */
struct axis_column {
    const char *key;
    const char **values;
    enum axis_role role;
    bool numeric; /* every point has a number */
    /* private: the value of every point as a number, 1, 2, 3, ... in order of first appearance, 0 where it is
     * not set */
    size_t *ids;
    size_t id_count;
    struct lookup by_text; /* a point that has the value */
};

void axes_init(struct axes *a);
void axes_release(struct axes *a); /* also after a failure */

/* The index of the point with these values, added if it is new. `json` is an object of scalars such as
 * {"SR":0.125}, the axes of one trial in a block; anything else is ST_CORRUPT. Order of keys plays no role.
 */
enum status axes_point(struct axes *a, const char *json, size_t *point, struct err *e);

/* Decides roles and `numeric`, once all points are there. The primary axis is `wanted`, or, if that is NULL,
 * one that alone tells all points apart if there is one, else one with the most values; numbers before words,
 * earlier before later. False if there is no axis `wanted`. */
bool axes_analyse(struct axes *a, const char *wanted);

/* Where the points (out: point_count entries) stand on an axis: their numbers, or, if not all are numbers, 1,
 * 2, 3, ... in order of first appearance of their values. True for numbers. */
bool axes_positions(const struct axes *a, int column, double *out);

/* The different values of the primary axis (there must be one) as a list, "0.125, 0.25, 0.5"; as axes_label.
 */
const char *axes_primary_values(struct axes *a);

/* Which axes a text of axes_label names. */
enum axes_part {
    AXES_ALONG, /* primary and tied */
    AXES_SERIES,
    AXES_ALL, /* all that are not constant; a block with a single point: all */
};
/* The point's values, "0.5" or "32, 64"; "-" for a value that is not set; "" if the part has no axes. NULL:
 * no memory. The text lives as long as the axes. */
const char *axes_label(struct axes *a, enum axes_part part, size_t point);
/* The keys of the same axes: "SR" or "base_e, incr_e". */
const char *axes_title(struct axes *a, enum axes_part part);

#endif
