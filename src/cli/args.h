/* Command lines: one popt table per command gives parsing and help. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <popt.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { ARGS_HELP_WIDTH = 80 }; /* of help texts, as popt's */
enum { ARGS_OPTIONS = 32, ARGS_POSITIONAL = 16, ARGS_HELP = ARGS_OPTIONS };

/* Ids (`val` of a row) that several commands share; each command numbers its own from OPTION_OWN. */
enum { OPTION_FORMAT = 1, OPTION_ONLY, OPTION_THREADS, OPTION_OWN };

struct args {
    char name[64]; /* "firesweep CMD", and the command's table with --help: popt keeps pointers to both */
    struct poptOption table[ARGS_OPTIONS + 1];
    poptContext popt;
    bool help;                 /* --help was given, and has been answered */
    char *value[ARGS_OPTIONS]; /* by id; NULL = not given, "" = given, for options without a value */
    int positional_count;
    const char *positional[ARGS_POSITIONAL]; /* NULL where there is none */
};

struct command {
    const char *name;
    const char *summary;     /* one line of `firesweep --help` */
    const char *positionals; /* for the usage line, for example "SPEC"; NULL = none */
    int positional_min, positional_max;
    const char *description; /* of `firesweep NAME --help`: a paragraph */
    const char *examples;    /* lines */
    const struct poptOption
        *options; /* strings and flags with arg NULL and an id below ARGS_OPTIONS as val */
    enum status (*run)(const struct args *args, struct err *e);
};

/* Parses argv (argv[0] is the command's name) and answers --help. Mistakes are ST_USAGE, one line that names
 * the command. Call args_release in any case. */
enum status args_parse(struct args *a, const struct command *command, int argc, const char **argv,
                       struct err *e);
void args_release(struct args *a);

/* The value of an option as a whole number in low..high; *out is untouched when the option is not given.
 * `option` is its name for messages ("--threads"). */
enum status args_int(const struct args *a, int id, const char *option, int low, int high, int *out,
                     struct err *e);

#endif
