#include "cli/commands.h"

#include <string.h>

const struct command *const *commands_all(void)
{
    static const struct command *const commands[] = {
        /* One a line, so that additions stay apart. */
        /* clang-format off */
        &command_derive,
        &command_init,
        &command_validate,
        &command_plan,
        &command_run,
        &command_status,
        &command_query,
        &command_plot,
        &command_report,
        &command_extend,
        &command_verify,
        &command_measure,
        &command_eval,
        &command_export,
        &command_gc,
        &command_bench,
        &command_paper,
        &command_completion,
        NULL,
        /* clang-format on */
    };
    return commands;
}

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands_all(); *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}
