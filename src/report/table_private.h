/* What table.c and table_text.c share. */
#ifndef REPORT_TABLE_PRIVATE_H
#define REPORT_TABLE_PRIVATE_H

#include "report/table.h"
#include "report/utf8.h"

/* Writes the collected rows of a text table. */
enum status table_text_write(struct table *t, struct err *e);

#endif
