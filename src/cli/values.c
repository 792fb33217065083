#include "cli/values.h"

#include <stdio.h>
#include <string.h>

#include "metamodel/arch.h"
#include "report/plot.h"

/* Options whose tables leave the choice to the text. A NULL command is any. */
static const struct {
    const char *command, *option;
    enum value_kind kind;
    const char *words;
} known[] = {
    {"derive", "only", VALUE_WORDS, "requested fires layers totals"},
    {"plan", "only", VALUE_WORDS, "trials blocks totals changes outside"},
    {"gc", "only", VALUE_WORDS, "files kinds totals"},
    {"status", "only", VALUE_WORDS, "states sweeps running failures"},
    {"paper", "only", VALUE_WORDS, "layers sizes compression bypass series curves claims"},
    {NULL, "bypass", VALUE_WORDS, "none simple complex"},
    {NULL, "pool-rounding", VALUE_WORDS, "ceil floor"},
    {NULL, "image", VALUE_WORDS, "svg png pdf"},
    {NULL, "split", VALUE_WORDS, "test val train"},
    {NULL, "data-format", VALUE_WORDS, "idx cifar10 cifar100 image-folder"},
    {NULL, "db", VALUE_DB, NULL},
    {NULL, "block", VALUE_BLOCK, NULL},
};

static void add_word(struct value *v, const char *word, size_t n)
{
    const size_t length = strlen(v->words);
    if (length + n + 2 <= sizeof v->words)
        snprintf(v->words + length, sizeof v->words - length, "%s%.*s", length ? " " : "", (int)n, word);
}

static struct value presets(void)
{
    struct value v = {.kind = VALUE_WORDS};
    for (const char *const *name = design_preset_names(); *name; name++)
        add_word(&v, *name, strlen(*name));
    return v;
}

/* "table|csv|json" */
static struct value alternatives(const char *text)
{
    struct value v = {.kind = VALUE_WORDS};
    for (size_t n; *text; text += n + (text[n] == '|')) {
        n = strcspn(text, "|");
        add_word(&v, text, n);
    }
    return v;
}

struct value value_of_option(const struct command *c, const struct poptOption *option)
{
    const char *shown = option->argDescrip;
    if (!shown)
        return (struct value){.kind = VALUE_NONE};
    if (strcmp(option->longName, "preset") == 0)
        return presets();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].option, option->longName) != 0 ||
            (known[i].command && strcmp(known[i].command, c->name) != 0))
            continue;
        struct value v = {.kind = known[i].kind};
        snprintf(v.words, sizeof v.words, "%s", known[i].words ? known[i].words : "");
        return v;
    }
    if (strchr(shown, '|'))
        return alternatives(shown);
    return (struct value){.kind = strcmp(shown, "FILE") == 0                                ? VALUE_FILE
                                  : strcmp(shown, "DIR") == 0 || strcmp(shown, "PATH") == 0 ? VALUE_FOLDER
                                                                                            : VALUE_NONE};
}

static unsigned kind_of_name(const char *name, size_t n, struct value *words)
{
    static const struct {
        const char *name;
        enum value_kind kind;
    } names[] = {{"DB", VALUE_DB},       {"SPEC", VALUE_SPEC},   {"CHECKPOINT", VALUE_CHECKPOINT},
                 {"NAME", VALUE_QUERY},  {"TRIAL", VALUE_TRIAL}, {"KIND", VALUE_WORDS},
                 {"SHELL", VALUE_WORDS}, {"FILE", VALUE_FILE}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) != n || strncmp(name, names[i].name, n) != 0)
            continue;
        words->kind = names[i].kind;
        if (strcmp(names[i].name, "SHELL") == 0)
            add_word(words, "bash zsh", 8);
        for (size_t k = 0; strcmp(names[i].name, "KIND") == 0 && plot_kind_name(k); k++)
            add_word(words, plot_kind_name(k), strlen(plot_kind_name(k)));
        return 1u << names[i].kind;
    }
    return 0;
}

/* Reads usage texts such as "DB [NAME]", "DB|SPEC", "DB TRIAL | CHECKPOINT", "[DB...]". */
unsigned value_of_argument(const struct command *c, int i, struct value *words)
{
    unsigned kinds = 0, last = 0;
    int at = 0;
    *words = (struct value){.kind = VALUE_NONE};
    for (const char *p = c->positionals ? c->positionals : ""; *p;) {
        const size_t n = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (n == 0) {
            at = *p == '|' ? 0 : at;
            p++;
            continue;
        }
        struct value v = {.kind = VALUE_NONE};
        last = kind_of_name(p, n, &v);
        p += n;
        const bool repeated = strncmp(p, "...", 3) == 0;
        if (at == i || (repeated && i > at)) {
            kinds |= last;
            if (v.kind == VALUE_WORDS)
                *words = v;
        }
        at++;
    }
    return kinds;
}
