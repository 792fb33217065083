/* The commands; commands.c lists them. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/args.h"

extern const struct command command_derive;
extern const struct command command_plan;
extern const struct command command_run;
extern const struct command command_status;
extern const struct command command_query;
extern const struct command command_plot;
extern const struct command command_report;
extern const struct command command_eval;
extern const struct command command_bench;
extern const struct command command_paper;
extern const struct command command_verify;
extern const struct command command_measure;
extern const struct command command_extend;
extern const struct command command_export;
extern const struct command command_gc;
extern const struct command command_init;
extern const struct command command_validate;
extern const struct command command_completion;

/* All of them, in the order of `firesweep --help`; NULL ends the list. */
const struct command *const *commands_all(void);
const struct command *command_find(const char *name); /* NULL if there is none */

#endif
