#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "cli/output.h"

enum { NAME_TEXT = 64 };

static void print_help(const struct args *a, const struct command *command)
{
    poptPrintHelp(a->popt, stdout, 0);
    putchar('\n');
    output_words(stdout, command->description, 0, 0, ARGS_HELP_WIDTH);
    printf("\n\nExamples:\n%s", command->examples);
}

static enum status popt_error(const struct args *a, int code, const char *command, struct err *e)
{
    const char *option = poptBadOption(a->popt, POPT_BADOPTION_NOALIAS);
    if (!option)
        option = "option";
    int length = (int)strcspn(option, "="); /* the name only */
    if (code == POPT_ERROR_MALLOC)
        return err_set(e, ST_NOMEM, "%s: out of memory", command);
    const char *reason = code == POPT_ERROR_BADOPT        ? "unknown option"
                         : code == POPT_ERROR_NOARG       ? "a value is missing"
                         : code == POPT_ERROR_UNWANTEDARG ? "takes no value"
                                                          : poptStrerror(code);
    return err_set(e, ST_USAGE, "%s: %.*s: %s, see firesweep %s --help", command,
                   length < NAME_TEXT ? length : NAME_TEXT, option, reason, command);
}

/* Takes the options in turn; the last of several wins, and *twice has the bits of those with several values.
 * Returns popt's code: -1 at the end, or an error. */
static int take_options(struct args *a, unsigned *twice)
{
    int id;
    while ((id = poptGetNextOpt(a->popt)) > 0) {
        if (id == ARGS_HELP) {
            a->help = true;
            continue;
        }
        char *value = poptGetOptArg(a->popt);
        if (!value)
            value = strdup("");
        if (!value)
            return POPT_ERROR_MALLOC;
        if (a->value[id] && strcmp(a->value[id], value) != 0)
            *twice |= 1U << id;
        free(a->value[id]);
        a->value[id] = value;
    }
    return id;
}

static enum status take_positionals(struct args *a, const struct command *command, struct err *e)
{
    const char **rest = poptGetArgs(a->popt);
    for (; rest && *rest; rest++) {
        if (a->positional_count == command->positional_max)
            return err_set(e, ST_USAGE, "%s: unexpected argument \"%.*s\", see firesweep %s --help",
                           command->name, NAME_TEXT, *rest, command->name);
        a->positional[a->positional_count++] = *rest;
    }
    if (a->positional_count < command->positional_min)
        return err_set(e, ST_USAGE, "%s: missing argument, expected %s, see firesweep %s --help",
                       command->name, command->positionals, command->name);
    return ST_OK;
}

static void build_table(struct args *a, const struct command *command)
{
    static const struct poptOption help = {"help",           'h', POPT_ARG_NONE, NULL, ARGS_HELP,
                                           "Show this help", NULL};
    int n = 0;
    while (n < ARGS_OPTIONS - 1 && command->options[n].longName) {
        a->table[n] = command->options[n];
        n++;
    }
    a->table[n] = help; /* the rest stays zero, which ends the table */
}

enum status args_parse(struct args *a, const struct command *command, int argc, const char **argv,
                       struct err *e)
{
    *a = (struct args){0};
    snprintf(a->name, sizeof a->name, "firesweep %s", command->name);
    build_table(a, command);
    argv[0] = a->name;
    a->popt = poptGetContext(NULL, argc, argv, a->table, POPT_CONTEXT_NO_EXEC);
    if (!a->popt)
        return err_set(e, ST_NOMEM, "%s: out of memory", command->name);
    char usage[NAME_TEXT];
    snprintf(usage, sizeof usage, "[OPTION...]%s%s", command->positionals ? " " : "",
             command->positionals ? command->positionals : "");
    poptSetOtherOptionHelp(a->popt, usage);
    unsigned twice = 0;
    int code = take_options(a, &twice);
    if (a->help) {
        print_help(a, command);
        return ST_OK;
    }
    if (code < -1)
        return popt_error(a, code, command->name, e);
    /* Whoever gives two conditions wants both. */
    for (int i = 0; twice && a->table[i].longName; i++)
        if (strcmp(a->table[i].longName, "where") == 0 && twice >> a->table[i].val & 1)
            return err_set(e, ST_USAGE,
                           "%s: --where is given twice, allowed: once, with `and` between conditions",
                           command->name);
    return take_positionals(a, command, e);
}

void args_release(struct args *a)
{
    for (int i = 0; i < ARGS_OPTIONS; i++)
        free(a->value[i]);
    if (a->popt)
        poptFreeContext(a->popt);
    *a = (struct args){0};
}

enum status args_int(const struct args *a, int id, const char *option, int low, int high, int *out,
                     struct err *e)
{
    int64_t value;
    if (!a->value[id])
        return ST_OK;
    if (!num_parse_int(a->value[id], &value) || value < low || value > high)
        return err_set(e, ST_USAGE, "%s: \"%.*s\" is not allowed, allowed are whole numbers from %d to %d",
                       option, NAME_TEXT, a->value[id], low, high);
    *out = (int)value;
    return ST_OK;
}
