/* Designs by name and as text: presets, bypass, pool places; and their Fires. */
#include <stdio.h>
#include <string.h>

#include "metamodel/arch.h"

enum { POOL_FIRST = 1, POOL_LAST = 9 }; /* bits of macro.pools */

static const char *const preset_names[] = {"squeezenet-1.0", "squeezenet-1.1", "small32", NULL};

const char *const *design_preset_names(void)
{
    return preset_names;
}

static unsigned pools_after(int first, int second)
{
    return (unsigned)POOL_AFTER_CONV1 | 1u << first | 1u << second;
}

static struct macro macro_squeezenet_1_0(void)
{
    return (struct macro){.input = {3, 227, 227},
                          .classes = 1000,
                          .conv1_filters = 96,
                          .conv1_kernel = 7,
                          .conv1_stride = 2,
                          .pools = pools_after(4, 8)};
}

static struct macro macro_squeezenet_1_1(void)
{
    return (struct macro){.input = {3, 227, 227},
                          .classes = 1000,
                          .conv1_filters = 64,
                          .conv1_kernel = 3,
                          .conv1_stride = 2,
                          .pools = pools_after(3, 5)};
}

static struct macro macro_small32(void)
{
    return (struct macro){.input = {3, 32, 32},
                          .classes = 10,
                          .conv1_filters = 96,
                          .conv1_kernel = 3,
                          .conv1_stride = 1,
                          .conv1_pad = 1,
                          .pools = pools_after(4, 8)};
}

enum status design_preset(const char *name, struct design *out, struct err *e)
{
    struct macro macro;
    if (strcmp(name, preset_names[0]) == 0) {
        macro = macro_squeezenet_1_0();
    } else if (strcmp(name, preset_names[1]) == 0) {
        macro = macro_squeezenet_1_1();
    } else if (strcmp(name, preset_names[2]) == 0) {
        macro = macro_small32();
    } else {
        return err_set(e, ST_USAGE, "preset: \"%.64s\" is unknown, allowed are %s, %s, %s", name,
                       preset_names[0], preset_names[1], preset_names[2]);
    }
    *out = (struct design){.macro = macro, .meta = metaparams_default()};
    return ST_OK;
}

static const char *const bypass_names[] = {
    [BYPASS_NONE] = "none", [BYPASS_SIMPLE] = "simple", [BYPASS_COMPLEX] = "complex"};
enum { BYPASS_KINDS = sizeof bypass_names / sizeof bypass_names[0] };

const char *bypass_name(enum bypass b)
{
    return (unsigned)b < BYPASS_KINDS ? bypass_names[b] : "unknown";
}

bool bypass_parse(const char *text, enum bypass *out)
{
    for (unsigned i = 0; i < BYPASS_KINDS; i++) {
        if (strcmp(text, bypass_names[i]) == 0) {
            *out = (enum bypass)i;
            return true;
        }
    }
    return false;
}

static void pool_place_name(int bit, char out[8])
{
    snprintf(out, 8, bit == POOL_FIRST ? "conv%d" : "fire%d", bit);
}

/* The bit of a place's name, 0 if there is none. */
static unsigned pool_place(const char *name, size_t n)
{
    for (int bit = POOL_FIRST; bit <= POOL_LAST; bit++) {
        char place[8];
        pool_place_name(bit, place);
        if (strlen(place) == n && memcmp(place, name, n) == 0)
            return 1u << bit;
    }
    return 0;
}

bool pools_parse(const char *text, unsigned *out)
{
    if (strcmp(text, "none") == 0) {
        *out = 0;
        return true;
    }
    unsigned pools = 0;
    const char *at = text;
    for (;;) {
        at += strspn(at, " ");
        size_t n = strcspn(at, " ,");
        unsigned place = pool_place(at, n);
        if (place == 0 || (pools & place) != 0)
            return false;
        pools |= place;
        at += n;
        at += strspn(at, " ");
        if (*at == '\0') {
            *out = pools;
            return true;
        }
        if (*at != ',')
            return false;
        at++;
    }
}

char *pools_format(unsigned pools, char out[64])
{
    size_t n = 0;
    for (int bit = POOL_FIRST; bit <= POOL_LAST; bit++) {
        if ((pools & 1u << bit) != 0) {
            char place[8];
            pool_place_name(bit, place);
            n += (size_t)snprintf(out + n, 64 - n, "%s%s", n > 0 ? "," : "", place);
        }
    }
    if (n == 0)
        snprintf(out, 64, "none");
    return out;
}

static enum status check_filters(int fire, const char *key, int value, int low, struct err *e)
{
    if (value >= low && value <= WIDTH_MAX)
        return ST_OK;
    return err_set(e, ST_USAGE, "fire%d.%s: %d is out of range, allowed are whole numbers from %d to %d",
                   fire + 2, key, value, low, WIDTH_MAX);
}

static enum status check_fire(int index, const struct fire *fire, struct err *e)
{
    enum status st = check_filters(index, "s1x1", fire->s1x1, 1, e);
    if (st == ST_OK)
        st = check_filters(index, "e1x1", fire->e1x1, 0, e);
    if (st == ST_OK)
        st = check_filters(index, "e3x3", fire->e3x3, 0, e);
    if (st == ST_OK)
        st = check_filters(index, "e1x1 + e3x3", fire->e1x1 + fire->e3x3, 1, e);
    return st;
}

enum status design_derive(const struct design *d, struct derived *out, struct err *e)
{
    if (!d->explicit_fires)
        return metaparams_derive(&d->meta, out, e);
    for (int i = 0; i < FIRE_COUNT; i++) {
        enum status st = check_fire(i, &d->fires[i], e);
        if (st != ST_OK)
            return st;
    }
    *out = (struct derived){.realised_sr = 0};
    memcpy(out->fires, d->fires, sizeof out->fires);
    fires_realised(out->fires, &out->realised_sr, &out->realised_pct3x3);
    return ST_OK;
}
