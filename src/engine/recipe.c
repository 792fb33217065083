#include "engine/recipe.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/num.h"

struct recipe recipe_default(void)
{
    return (struct recipe){
        .epochs = 10,
        .batch = 128,
        .accumulate = 1,
        .optimizer = OPTIMIZER_SGD,
        .momentum = 0.9,
        .nesterov = true,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8,
        .lr = 0.04,
        .schedule = SCHEDULE_TRIANGULAR,
        .warmup = 0.15,
        .weight_decay = 5e-4,
        .decay_biases = false,
        .clip = 2,
        .smoothing = 0.1,
        .dropout = 0,
        .init = INIT_HE,
        .flip = true,
        .crop_pad = 4,
        .crop_zero = false,
        .lanes = 8,
        .winograd = true,
    };
}

/* One table of names per enumeration: a value's index is its number. */
struct names {
    int count;
    const char *const *text;
};

static const char *const optimizer_texts[] = {
    [OPTIMIZER_SGD] = "sgd", [OPTIMIZER_ADAM] = "adam", [OPTIMIZER_ADAMW] = "adamw"};
static const char *const schedule_texts[] = {[SCHEDULE_LINEAR] = "linear",
                                             [SCHEDULE_CONSTANT] = "constant",
                                             [SCHEDULE_COSINE] = "cosine",
                                             [SCHEDULE_TRIANGULAR] = "triangular"};
static const char *const init_texts[] = {[INIT_HE] = "he", [INIT_XAVIER] = "xavier"};

static const struct names optimizer_names = {sizeof optimizer_texts / sizeof optimizer_texts[0],
                                             optimizer_texts};
static const struct names schedule_names = {sizeof schedule_texts / sizeof schedule_texts[0], schedule_texts};
static const struct names init_names = {sizeof init_texts / sizeof init_texts[0], init_texts};

static const char *name_of(const struct names *names, int value)
{
    return value >= 0 && value < names->count ? names->text[value] : "unknown";
}

static int name_find(const struct names *names, const char *text)
{
    for (int i = 0; i < names->count; i++)
        if (strcmp(text, names->text[i]) == 0)
            return i;
    return -1;
}

const char *optimizer_name(enum optimizer o)
{
    return name_of(&optimizer_names, (int)o);
}

bool optimizer_parse(const char *text, enum optimizer *out)
{
    int found = name_find(&optimizer_names, text);
    if (found >= 0)
        *out = (enum optimizer)found;
    return found >= 0;
}

const char *schedule_name(enum schedule s)
{
    return name_of(&schedule_names, (int)s);
}

bool schedule_parse(const char *text, enum schedule *out)
{
    int found = name_find(&schedule_names, text);
    if (found >= 0)
        *out = (enum schedule)found;
    return found >= 0;
}

const char *init_name(enum init i)
{
    return name_of(&init_names, (int)i);
}

bool init_parse(const char *text, enum init *out)
{
    int found = name_find(&init_names, text);
    if (found >= 0)
        *out = (enum init)found;
    return found >= 0;
}

static enum status check_counts(const struct recipe *r, struct err *e)
{
    const struct {
        const char *key;
        int value, low, high;
    } ranges[] = {
        {"epochs", r->epochs, 1, RECIPE_EPOCHS_MAX},
        {"batch", r->batch, 1, RECIPE_BATCH_MAX},
        {"accumulate", r->accumulate, 1, RECIPE_ACCUMULATE_MAX},
        {"crop_pad", r->crop_pad, 0, RECIPE_CROP_PAD_MAX},
        {"lanes", r->lanes, 1, RECIPE_LANES_MAX},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        if (ranges[i].value < ranges[i].low || ranges[i].value > ranges[i].high) {
            return err_set(e, ST_USAGE, "%s: %d is out of range, allowed are whole numbers from %d to %d",
                           ranges[i].key, ranges[i].value, ranges[i].low, ranges[i].high);
        }
    }
    return ST_OK;
}

static enum status check_reals(const struct recipe *r, struct err *e)
{
    const struct {
        const char *key;
        double value, low, high;
        bool without_low, without_high; /* the bound itself is not allowed */
    } ranges[] = {
        {"momentum", r->momentum, 0, 1, false, true},
        {"beta1", r->beta1, 0, 1, false, true},
        {"beta2", r->beta2, 0, 1, false, true},
        {"epsilon", r->epsilon, 1e-12, 1, false, false},
        {"lr", r->lr, 0, 1000, true, false},
        {"warmup", r->warmup, 0, 1, false, true},
        {"weight_decay", r->weight_decay, 0, 1000, false, false},
        {"clip", r->clip, 0, 1e9, false, false},
        {"smoothing", r->smoothing, 0, 1, false, true},
        {"dropout", r->dropout, 0, 1, false, true},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        double value = ranges[i].value, low = ranges[i].low, high = ranges[i].high;
        bool above = ranges[i].without_low ? value > low : value >= low; /* NaN compares false */
        bool below = ranges[i].without_high ? value < high : value <= high;
        if (!above || !below) {
            char text[32];
            return err_set(e, ST_USAGE, "%s: %s is out of range, allowed is %g %s %s %s %g", ranges[i].key,
                           num_format_double(value, text), low,
                           ranges[i].without_low ? "<" : "<=", ranges[i].key,
                           ranges[i].without_high ? "<" : "<=", high);
        }
    }
    return ST_OK;
}

static enum status check_kind(const char *key, int value, const struct names *names, struct err *e)
{
    if (value >= 0 && value < names->count)
        return ST_OK;
    return err_set(e, ST_USAGE, "%s: %d is unknown, allowed are %d (%s) to %d (%s)", key, value, 0,
                   names->text[0], names->count - 1, names->text[names->count - 1]);
}

static enum status check_kinds(const struct recipe *r, struct err *e)
{
    enum status st = check_kind("optimizer", (int)r->optimizer, &optimizer_names, e);
    if (st == ST_OK)
        st = check_kind("schedule", (int)r->schedule, &schedule_names, e);
    if (st == ST_OK)
        st = check_kind("init", (int)r->init, &init_names, e);
    return st;
}

enum status recipe_check(const struct recipe *r, struct err *e)
{
    enum status st = check_counts(r, e);
    if (st == ST_OK)
        st = check_reals(r, e);
    if (st == ST_OK)
        st = check_kinds(r, e);
    return st;
}

/* The recipe without what has no influence on a result. */
static struct recipe recipe_effective(const struct recipe *r)
{
    struct recipe effective = *r;
    if (r->optimizer == OPTIMIZER_SGD) {
        effective.beta1 = effective.beta2 = effective.epsilon = 0;
        effective.nesterov = r->nesterov && r->momentum > 0;
    } else {
        effective.momentum = 0;
        effective.nesterov = false;
    }
    effective.decay_biases = r->decay_biases && r->weight_decay > 0;
    effective.crop_zero = r->crop_zero && r->crop_pad > 0;
    return effective;
}

/* Numbers in a fixed order and a fixed byte order. */
struct canonical {
    size_t n;
    unsigned char bytes[8 * 32];
};

static void put(struct canonical *c, uint64_t value)
{
    for (int shift = 0; shift < 64; shift += 8)
        c->bytes[c->n++] = (unsigned char)(value >> shift & 0xff);
}

static void put_int(struct canonical *c, int value)
{
    put(c, (uint64_t)(int64_t)value);
}

static void put_double(struct canonical *c, double value)
{
    double plain = value + 0.0; /* -0 becomes 0 */
    uint64_t bits;
    memcpy(&bits, &plain, sizeof bits);
    put(c, bits);
}

void recipe_hash(const struct recipe *r, const char *numerics, char out[HASH_TEXT])
{
    struct recipe s = recipe_effective(r);
    struct canonical c;
    c.n = 0;
    put_int(&c, 1); /* version of this list */
    put(&c, hash_bytes(numerics, strlen(numerics)));
    put_int(&c, s.epochs);
    put_int(&c, s.batch);
    put_int(&c, s.accumulate);
    put_int(&c, (int)s.optimizer);
    put_double(&c, s.momentum);
    put_int(&c, s.nesterov);
    put_double(&c, s.beta1);
    put_double(&c, s.beta2);
    put_double(&c, s.epsilon);
    put_double(&c, s.lr);
    put_int(&c, (int)s.schedule);
    put_double(&c, s.warmup);
    put_double(&c, s.weight_decay);
    put_int(&c, s.decay_biases);
    put_double(&c, s.clip);
    put_double(&c, s.smoothing);
    put_double(&c, s.dropout);
    put_int(&c, (int)s.init);
    put_int(&c, s.flip);
    put_int(&c, s.crop_pad);
    put_int(&c, s.crop_zero);
    put_int(&c, s.lanes);
    put_int(&c, s.winograd);
    hash_text(hash_bytes(c.bytes, c.n), out);
}

const char *recipe_extension_obstacle(const struct recipe *r)
{
    switch (r->schedule) {
    case SCHEDULE_CONSTANT:
        return r->warmup > 0 ? "the warm-up is a share of all updates, so a longer training warms up longer"
                             : NULL;
    case SCHEDULE_LINEAR:
        return "schedule linear falls to zero at the last update, so every rate depends on the end";
    case SCHEDULE_COSINE:
        return "schedule cosine falls to zero at the last update, so every rate depends on the end";
    case SCHEDULE_TRIANGULAR:
        return "schedule triangular peaks at a share of all updates and falls to zero at the last one";
    }
    return "an unknown schedule";
}

/* Share of the steps after the warm-up that is still to come, at most 1. */
static double remaining_share(double step, double steps, double rise)
{
    return step < rise ? 1.0 : (steps - step) / (steps - rise);
}

double recipe_lr(const struct recipe *r, int64_t step, int64_t steps)
{
    double s = (double)step, all = (double)steps;
    double rise = r->warmup * all;
    double factor = s + 1 < rise ? (s + 1) / rise : 1.0;
    switch (r->schedule) {
    case SCHEDULE_LINEAR:
        return r->lr * factor * (1.0 - s / all);
    case SCHEDULE_CONSTANT:
        return r->lr * factor;
    case SCHEDULE_COSINE:
        return r->lr * factor * 0.5 * (1.0 + cos(M_PI * (1.0 - remaining_share(s, all, rise))));
    case SCHEDULE_TRIANGULAR:
        return r->lr * factor * remaining_share(s, all, rise);
    }
    return r->lr;
}
