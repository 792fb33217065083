/* What an option or argument takes, for completion and documentation: found from the option tables, and from
 * one table for what they do not say. */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include "cli/args.h"

enum value_kind {
    VALUE_NONE, /* numbers, SQL: nothing can be proposed */
    VALUE_FILE,
    VALUE_FOLDER,
    VALUE_DB,         /* file *.db */
    VALUE_SPEC,       /* *.yaml */
    VALUE_CHECKPOINT, /* *.safetensors */
    VALUE_QUERY,      /* name of a named query */
    VALUE_BLOCK,      /* of the database on the command line, as is the next */
    VALUE_TRIAL,
    VALUE_COLUMN, /* of the named query on the command line, several with commas */
    VALUE_AXIS,   /* of a block of the database, or one of `words` */
    VALUE_WORDS,  /* one of `words` */
};

enum { VALUE_WORDS_TEXT = 256 };

struct value {
    enum value_kind kind;
    char words[VALUE_WORDS_TEXT]; /* VALUE_WORDS, VALUE_AXIS: separated by spaces */
};

/* Of an option; VALUE_NONE also for a flag. */
struct value value_of_option(const struct poptOption *option);
/* Of argument `i` (from 0): a set of kinds, bit 1 << kind, since some take one of two. 0 behind the last. */
unsigned value_of_argument(const struct command *c, int i, struct value *words);

#endif
