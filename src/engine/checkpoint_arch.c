#include "engine/checkpoint_arch.h"

#include <stdio.h>
#include <string.h>

enum { KEY_INPUT, KEY_CLASSES, KEY_CONV1, KEY_FIRES, KEY_POOLS, KEY_BYPASS, KEY_CONV10 };

const char *arch_text_key(int i)
{
    static const char *const keys[ARCH_TEXT_KEYS] = {
        [KEY_INPUT] = "arch.input",                                   /* CxHxW */
        [KEY_CLASSES] = "arch.classes", [KEY_CONV1] = "arch.conv1",   /* filters kernel stride pad */
        [KEY_FIRES] = "arch.fires",                                   /* s1x1,e1x1,e3x3; ... */
        [KEY_POOLS] = "arch.pools",                                   /* places, then ceil or floor */
        [KEY_BYPASS] = "arch.bypass",   [KEY_CONV10] = "arch.conv10", /* pad, then relu or linear */
    };
    return keys[i];
}

static const struct layer *find_layer(const struct arch *a, const char *name)
{
    for (int i = 0; i < a->layer_count; i++)
        if (strcmp(a->layers[i].name, name) == 0)
            return &a->layers[i];
    return NULL;
}

/* The design that arch_build made this arch from, but for its metaparameters. */
static struct design recover_design(const struct arch *a)
{
    struct design d = {.explicit_fires = true};
    const struct layer *conv1 = find_layer(a, "conv1"), *conv10 = find_layer(a, "conv10");
    memcpy(d.fires, a->fires, sizeof d.fires);
    d.macro = (struct macro){.input = a->input,
                             .classes = a->classes,
                             .conv1_filters = conv1->cout,
                             .conv1_kernel = conv1->kernel,
                             .conv1_stride = conv1->stride,
                             .conv1_pad = conv1->pad,
                             .conv10_relu = conv10->relu,
                             .conv10_pad = conv10->pad};
    for (int place = 1; place <= FIRE_COUNT + 1; place++) {
        char name[24];
        snprintf(name, sizeof name, "pool%d", place);
        const struct layer *pool = find_layer(a, name);
        if (pool) {
            d.macro.pools |= 1u << place;
            d.macro.pool_floor = pool->pool_floor;
        }
    }
    for (int fire = 2; fire <= FIRE_COUNT + 1; fire++) {
        char name[24];
        snprintf(name, sizeof name, "fire%d.add", fire);
        if (find_layer(a, name) && d.macro.bypass == BYPASS_NONE)
            d.macro.bypass = BYPASS_SIMPLE;
        snprintf(name, sizeof name, "fire%d.bypass1x1", fire);
        if (find_layer(a, name))
            d.macro.bypass = BYPASS_COMPLEX;
    }
    return d;
}

static void format_fires(const struct fire *fires, char *out)
{
    int n = 0;
    for (int i = 0; i < FIRE_COUNT; i++)
        n += snprintf(out + n, (size_t)(ARCH_TEXT_MAX - n), "%s%d,%d,%d", i ? ";" : "", fires[i].s1x1,
                      fires[i].e1x1, fires[i].e3x3);
}

void arch_text_format(const struct arch *a, struct arch_text *out)
{
    const struct design d = recover_design(a);
    const struct macro *m = &d.macro;
    char pools[64];
    snprintf(out->value[KEY_INPUT], ARCH_TEXT_MAX, "%dx%dx%d", m->input.c, m->input.h, m->input.w);
    snprintf(out->value[KEY_CLASSES], ARCH_TEXT_MAX, "%d", m->classes);
    snprintf(out->value[KEY_CONV1], ARCH_TEXT_MAX, "%d %d %d %d", m->conv1_filters, m->conv1_kernel,
             m->conv1_stride, m->conv1_pad);
    format_fires(d.fires, out->value[KEY_FIRES]);
    snprintf(out->value[KEY_POOLS], ARCH_TEXT_MAX, "%s %s", pools_format(m->pools, pools),
             m->pool_floor ? "floor" : "ceil");
    snprintf(out->value[KEY_BYPASS], ARCH_TEXT_MAX, "%s", bypass_name(m->bypass));
    snprintf(out->value[KEY_CONV10], ARCH_TEXT_MAX, "%d %s", m->conv10_pad,
             m->conv10_relu ? "relu" : "linear");
}

static bool parse_fires(const char *text, struct fire *fires)
{
    for (int i = 0; i < FIRE_COUNT; i++) {
        int used = 0;
        if (sscanf(text, i ? ";%d,%d,%d%n" : "%d,%d,%d%n", &fires[i].s1x1, &fires[i].e1x1, &fires[i].e3x3,
                   &used) != 3)
            return false;
        text += used;
    }
    return *text == '\0';
}

static bool parse_key(const char *text, int key, struct design *d)
{
    struct macro *m = &d->macro;
    char word[64], rest[16];
    switch (key) {
    case KEY_INPUT:
        return sscanf(text, "%dx%dx%d", &m->input.c, &m->input.h, &m->input.w) == 3;
    case KEY_CLASSES:
        return sscanf(text, "%d", &m->classes) == 1;
    case KEY_CONV1:
        return sscanf(text, "%d %d %d %d", &m->conv1_filters, &m->conv1_kernel, &m->conv1_stride,
                      &m->conv1_pad) == 4;
    case KEY_FIRES:
        return parse_fires(text, d->fires);
    case KEY_POOLS:
        if (sscanf(text, "%63s %15s", word, rest) != 2 || !pools_parse(word, &m->pools))
            return false;
        m->pool_floor = strcmp(rest, "floor") == 0;
        return m->pool_floor || strcmp(rest, "ceil") == 0;
    case KEY_BYPASS:
        return bypass_parse(text, &m->bypass);
    default:
        if (sscanf(text, "%d %15s", &m->conv10_pad, rest) != 2)
            return false;
        m->conv10_relu = strcmp(rest, "relu") == 0;
        return m->conv10_relu || strcmp(rest, "linear") == 0;
    }
}

enum status arch_text_parse(const struct arch_text *t, struct arch *out, struct err *e)
{
    struct design d = {.explicit_fires = true};
    for (int i = 0; i < ARCH_TEXT_KEYS; i++)
        if (!parse_key(t->value[i], i, &d))
            return err_set(e, ST_USAGE, "%s: \"%.60s\" cannot be read", arch_text_key(i), t->value[i]);
    return arch_build(&d, out, e);
}
