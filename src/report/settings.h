/* What tells results apart: every key of a spec's `base` and `train`, as columns of queries. Keys that few
 * people vary are minor: tables show them only where they differ. */
#ifndef REPORT_SETTINGS_H
#define REPORT_SETTINGS_H

#include <stdbool.h>

/* Laid out by hand: clang-format takes macros between strings for calls and indents what follows out of
 * sight. */
/* clang-format off */

/* SQL columns from the table variant; `v`: its alias. `fires`, as a spec writes it, only where there are no
 * metaparameters. Names without a table's, such as `input`, are the spec's keys. */
#define SETTINGS_OF_VARIANT(v) \
    SETTINGS_OF_POINT(v) ", " SETTINGS_OF_VARIANT_BUT_POINT(v, v)
/* Of a trial as it was asked for; `a`: the alias of the view asked. */
#define SETTINGS_OF_TRIAL(a, v) SETTINGS_OF_POINT(a) ", " SETTINGS_OF_VARIANT_BUT_POINT(v, a)
/* `p`: what has the metaparameters. */
#define SETTINGS_OF_VARIANT_BUT_POINT(v, p) \
    v ".pools, " SETTINGS_FIRES(v, p) " AS fires, " \
    v ".conv1_filters, " v ".conv1_kernel, " v ".conv1_stride, " v ".conv1_pad, " \
    v ".conv10_relu, " v ".conv10_pad, " \
    v ".input_c || 'x' || " v ".input_h || 'x' || " v ".input_w AS input, " v ".classes"
#define SETTINGS_FIRES(v, p) \
    "iif(" p ".base_e IS NULL, (SELECT group_concat(s1x1 || '/' || e1x1 || '/' || e3x3, ',')" \
    " FROM (SELECT * FROM fire WHERE variant_id = " v ".id ORDER BY fire)), NULL)"
/* The names that a row goes by, for conditions (store_filter's `others`; `r`: the row): every point that has the
 * trial, or a variant, and its block. */
#define NAMES_OF_TRIAL NAMES_WHERE("t.id = r.trial")
#define NAMES_OF_VARIANT NAMES_WHERE("t.variant_id = r.variant")
#define NAMES_OF_VARIANT_IN_SWEEP NAMES_WHERE("t.variant_id = r.variant AND s.name = r.sweep")
#define NAMES_OF_RESULT NAMES_WHERE("t.id = r.first_trial AND s.name = r.sweep")
#define NAMES_WHERE(condition) \
    "SELECT " SETTINGS_OF_POINT("p") ", s.name AS sweep, b.name AS block" \
    " FROM trial t JOIN block_trial m ON m.trial_id = t.id AND m.in_spec" JOIN_POINT("m", "p") \
    " JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id WHERE " condition
#define JOIN_POINT(m, p) \
    " JOIN point " p " ON " p ".block_id = " m ".block_id AND " p ".axes = " m ".axes"
/* The settings in which points with equal layers can differ. */
#define SETTINGS_OF_POINT(p) \
    p ".base_e, " p ".incr_e, " p ".freq, " p ".sr, " p ".pct3x3, " p ".bypass," \
    " iif(" p ".pool_floor, 'floor', 'ceil') AS pool_rounding"
/* The same for people, "SR 0.75; SR 0.76": what the points of `condition` (over the trial `at`) ask for other
 * than the variant `v`. NULL: nothing. */
#define ALSO(v, condition) \
    "(SELECT group_concat(name, '; ') FROM (SELECT DISTINCT substr(" \
    "iif(ap.base_e IS NULL, iif(" v ".base_e IS NULL, '', ', fires'), " \
    ALSO_NUMBER(v, "base_e", "base_e") " || " ALSO_NUMBER(v, "incr_e", "incr_e") " || " \
    ALSO_NUMBER(v, "freq", "freq") " || " ALSO_NUMBER(v, "sr", "SR") " || " \
    ALSO_NUMBER(v, "pct3x3", "pct3x3") ")" \
    " || iif(ap.bypass <> " v ".bypass, ', bypass ' || ap.bypass, '')" \
    " || iif(ap.pool_floor <> " v ".pool_floor," \
    "  ', pool_rounding ' || iif(ap.pool_floor, 'floor', 'ceil'), ''), 3) AS name" \
    " FROM trial at JOIN block_trial am ON am.trial_id = at.id AND am.in_spec" JOIN_POINT("am", "ap") \
    " WHERE " condition ") WHERE name <> '') AS also"
#define ALSO_NUMBER(v, column, key) \
    "iif(ap." column " IS NOT " v "." column ", printf(', " key " %.15g', ap." column "), '')"
/* What a variant costs beside params and macs, as conditions of specs name it, for filters; min_channels as
 * conditions_min_channels has it: no bypass convolution has fewer filters than its Fire's expand layers. */
#define COSTS_OF_VARIANT(v) \
    v ".model_bytes, " v ".model_bytes_8bit, " v ".model_bytes_6bit, " \
    v ".activation_bytes, " v ".train_activation_bytes, " MIN_CHANNELS(v) " AS min_channels, " \
    v ".realised_sr, " v ".realised_pct3x3"
#define MIN_CHANNELS(v) \
    "min(" v ".conv1_filters," \
    " (SELECT min(min(s1x1, iif(e1x1 > 0, e1x1, s1x1), iif(e3x3 > 0, e3x3, s1x1)))" \
    " FROM fire WHERE variant_id = " v ".id))"
/* From the table recipe; epochs have another name than those a trial has done. What a recipe's optimizer does
 * not read is NULL, as it is no part of the recipe's identity (recipe_hash). */
#define SETTINGS_OF_RECIPE(r) \
    r ".epochs AS epochs_planned, " r ".batch, " r ".optimizer, " SGD_READS(r, "momentum") ", " r ".lr, " \
    r ".schedule, " r ".warmup, " r ".weight_decay, " r ".dropout, " r ".smoothing, " r ".accumulate, " \
    SGD_READS(r, "nesterov") ", " ADAM_READS(r, "beta1") ", " ADAM_READS(r, "beta2") ", " \
    ADAM_READS(r, "epsilon") ", " r ".decay_biases, " r ".clip, " r ".init, " r ".flip, " r ".crop_pad," \
    " iif(" r ".crop_zero, 'zero', 'reflect') AS crop_border, " \
    r ".lanes, " r ".winograd, " r ".numerics"
#define SGD_READS(r, column) "iif(" r ".optimizer = 'sgd', " r "." column ", NULL) AS " column
#define ADAM_READS(r, column) "iif(" r ".optimizer <> 'sgd', " r "." column ", NULL) AS " column
#define SETTINGS_OF_OPTIMIZERS "momentum,nesterov,beta1,beta2,epsilon" /* the names of these */

/* clang-format on */

/* Their names, with commas: those of note, and the minor ones. */
#define SETTINGS_VARIANT_MAIN "base_e,incr_e,freq,sr,pct3x3,bypass,pools"
#define SETTINGS_VARIANT_MINOR                                                                            \
    "fires,pool_rounding,conv1_filters,conv1_kernel,conv1_stride,conv1_pad,conv10_relu,conv10_pad,input," \
    "classes"
#define SETTINGS_RECIPE_MAIN "epochs_planned," SETTINGS_RECIPE_OF_NOTE
#define SETTINGS_RECIPE_OF_NOTE "batch,optimizer,momentum,lr,schedule,warmup,weight_decay,dropout,smoothing"
#define SETTINGS_RECIPE_MINOR                                                                         \
    "accumulate,nesterov,beta1,beta2,epsilon,decay_biases,clip,init,flip,crop_pad,crop_border,lanes," \
    "winograd,"                                                                                       \
    "numerics"
#define SETTINGS_VARIANT_SHOWN SETTINGS_VARIANT_MAIN "," SETTINGS_VARIANT_MINOR
#define SETTINGS_RECIPE_BUT_EPOCHS SETTINGS_RECIPE_OF_NOTE "," SETTINGS_RECIPE_MINOR
#define SETTINGS_RECIPE_SHOWN SETTINGS_RECIPE_MAIN "," SETTINGS_RECIPE_MINOR

/* Is `name` one of a list with commas? */
bool settings_hold(const char *list, const char *name);

#endif
