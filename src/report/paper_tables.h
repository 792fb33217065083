/* The measured series of a struct paper, their curves beside the paper's, and its claims with verdicts, as
 * tables. The context of all functions is a const struct paper. */
#ifndef REPORT_PAPER_TABLES_H
#define REPORT_PAPER_TABLES_H

#include <stdio.h>

#include "report/paper.h"
#include "report/table.h"

/* A row for each series. */
const struct table_column *paper_series_columns(int *count);
enum status paper_series_rows(const void *context, struct table *t, struct err *e);

/* A row for each point of each series; percent, and percentage points gained over the first. */
const struct table_column *paper_curve_columns(int *count);
enum status paper_curve_rows(const void *context, struct table *t, struct err *e);
/* What the numbers are, a line; nothing without a series. */
void paper_curve_note(const void *context, FILE *out);

/* A row for each claim and each series of its axis. */
const struct table_column *paper_claim_columns(int *count);
enum status paper_claim_rows(const void *context, struct table *t, struct err *e);
void paper_claim_note(const void *context, FILE *out);

#endif
