#include "metamodel/metaparams.h"

#include "base/num.h"

struct metaparams metaparams_default(void)
{
    return (struct metaparams){.base_e = 128, .incr_e = 128, .freq = 2, .sr = 0.125, .pct3x3 = 0.5};
}

/* Rounds factor * ratio, half up. A ratio such as 0.35 has no exact binary form, so the product of
 * an intended half (0.35 * 10) can fall below it by up to 2^-52 of its value: representation and
 * multiplication each round once. Lifting by 2^-50 puts it back; a product that is meant to lie below a half
 * is further away than that for any ratio of up to ten decimals. */
static int round_half_up(int factor, double ratio)
{
    double product = factor * ratio;
    product += product * 0x1p-50;
    return (int)(product + 0.5); /* not negative, so the conversion is the floor */
}

static enum status check_int(const char *key, int value, int low, int high, struct err *e)
{
    if (value >= low && value <= high)
        return ST_OK;
    return err_set(e, ST_USAGE, "%s: %d is out of range, allowed are whole numbers from %d to %d", key, value,
                   low, high);
}

static enum status check_ratio(const char *key, double value, bool zero_allowed, struct err *e)
{
    if (value <= 1.0 && (value > 0.0 || (zero_allowed && value >= 0.0))) /* NaN compares false */
        return ST_OK;
    char text[32];
    return err_set(e, ST_USAGE, "%s: %s is out of range, allowed is 0 %s %s <= 1", key,
                   num_format_double(value, text), zero_allowed ? "<=" : "<", key);
}

static enum status metaparams_check(const struct metaparams *m, struct err *e)
{
    enum status st = check_int("base_e", m->base_e, 1, WIDTH_MAX, e);
    if (st == ST_OK)
        st = check_int("incr_e", m->incr_e, 0, WIDTH_MAX, e);
    if (st == ST_OK && m->freq < 1)
        st = err_set(e, ST_USAGE, "freq: %d is out of range, allowed are whole numbers from 1", m->freq);
    if (st == ST_OK)
        st = check_ratio("SR", m->sr, false, e);
    if (st == ST_OK)
        st = check_ratio("pct3x3", m->pct3x3, true, e);
    int widest = m->base_e; /* of fire9; the values are bounded here, so the sum cannot overflow */
    if (st == ST_OK)
        widest += m->incr_e * ((FIRE_COUNT - 1) / m->freq);
    if (st == ST_OK && widest > WIDTH_MAX) {
        st = err_set(
            e, ST_USAGE,
            "base_e %d, incr_e %d, freq %d: fire%d would have %d expand filters, allowed are at most %d",
            m->base_e, m->incr_e, m->freq, FIRE_COUNT + 1, widest, WIDTH_MAX);
    }
    return st;
}

enum status metaparams_derive(const struct metaparams *m, struct derived *out, struct err *e)
{
    enum status st = metaparams_check(m, e);
    if (st != ST_OK)
        return st;
    for (int i = 0; i < FIRE_COUNT; i++) {
        struct fire *fire = &out->fires[i];
        int expand = m->base_e + m->incr_e * (i / m->freq);
        int squeeze = round_half_up(expand, m->sr);
        fire->e3x3 = round_half_up(expand, m->pct3x3);
        fire->e1x1 = expand - fire->e3x3;
        fire->s1x1 = squeeze < 1 ? 1 : squeeze;
        out->clamped[i] = squeeze < 1;
    }
    fires_realised(out->fires, &out->realised_sr, &out->realised_pct3x3);
    return ST_OK;
}

void fires_realised(const struct fire fires[FIRE_COUNT], double *sr, double *pct3x3)
{
    double squeeze = 0, expand3x3 = 0, expand = 0;
    for (int i = 0; i < FIRE_COUNT; i++) {
        squeeze += fires[i].s1x1;
        expand3x3 += fires[i].e3x3;
        expand += (double)fires[i].e1x1 + fires[i].e3x3;
    }
    *sr = squeeze / expand;
    *pct3x3 = expand3x3 / expand;
}
