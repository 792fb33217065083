#include "cli/values.h"

#include <stdio.h>
#include <string.h>

#include "metamodel/arch.h"
#include "report/metric.h"
#include "report/plot.h"

/* Options whose tables leave the choice to the text. */
static const struct {
    const char *option;
    enum value_kind kind;
    const char *words;
} known[] = {
    {"bypass", VALUE_WORDS, "none simple complex"},
    {"pool-rounding", VALUE_WORDS, "ceil floor"},
    {"image", VALUE_WORDS, "svg png pdf"},
    {"split", VALUE_WORDS, "test val train"},
    {"data-format", VALUE_WORDS, "idx cifar10 cifar100 image-folder"},
    {"db", VALUE_DB, NULL},
    {"block", VALUE_BLOCK, NULL},
    {"where", VALUE_COLUMN, NULL},
    {"columns", VALUE_COLUMN, NULL},
    {"sort", VALUE_COLUMN, NULL},
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

/* What --x and --y take: a quantity, or only a cost; of a figure also an axis. */
static struct value quantities(const struct poptOption *option)
{
    const bool costs = strcmp(option->argDescrip, "COST") == 0,
               axis = strstr(option->descrip, "heatmap") != NULL;
    struct value v = {.kind = axis ? VALUE_AXIS : VALUE_WORDS};
    const char *name;
    for (size_t i = 0; (name = metric_name(METRIC_TRIAL, i)); i++)
        if (!costs || metric_find(METRIC_TRIAL, name)->cost)
            add_word(&v, name, strlen(name));
    return v;
}

/* The parts that --only can print, from its help text: "Print one part: fires, layers or totals (csv:
 * layers)". */
static struct value parts(const char *help)
{
    struct value v = {.kind = VALUE_WORDS};
    const char *word = strstr(help, ": ");
    for (word = word ? word + 2 : ""; *word && *word != '(';) {
        const size_t n = strcspn(word, ", (");
        if (n > 0 && !(n == 2 && strncmp(word, "or", n) == 0))
            add_word(&v, word, n);
        word += n;
        word += strspn(word, ", ");
    }
    return v;
}

struct value value_of_option(const struct poptOption *option)
{
    const char *shown = option->argDescrip;
    if (!shown)
        return (struct value){.kind = VALUE_NONE};
    if (strcmp(option->longName, "preset") == 0)
        return presets();
    if (strcmp(option->longName, "only") == 0)
        return parts(option->descrip);
    if (strcmp(option->longName, "x") == 0 || strcmp(option->longName, "y") == 0)
        return quantities(option);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].option, option->longName) != 0)
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
