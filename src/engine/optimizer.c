/* Plain loops over flat arrays: no branch inside, no dependence between elements, so that the compiler
 * turns them into vector code, and every element gets the same result wherever a range is cut. */
#include "engine/optimizer.h"

#include <math.h>

int optimizer_slots(const struct recipe *r)
{
    return r->optimizer == OPTIMIZER_SGD ? 1 : 2;
}

static void sgd(float lr, float momentum, float decay, float g_scale, size_t n, float *restrict w,
                const float *restrict g, float *restrict velocity)
{
    for (size_t i = 0; i < n; i++) {
        velocity[i] = momentum * velocity[i] + (g_scale * g[i] + decay * w[i]);
        w[i] -= lr * velocity[i];
    }
}

static void sgd_nesterov(float lr, float momentum, float decay, float g_scale, size_t n, float *restrict w,
                         const float *restrict g, float *restrict velocity)
{
    for (size_t i = 0; i < n; i++) {
        float gradient = g_scale * g[i] + decay * w[i];
        velocity[i] = momentum * velocity[i] + gradient;
        w[i] -= lr * (gradient + momentum * velocity[i]);
    }
}

/* Adam's numbers of one update, bias corrections folded in. */
struct adam {
    float beta1, beta2, rest1, rest2; /* rest = 1 - beta */
    float rate;                       /* lr / (1 - beta1^t) */
    float root;                       /* 1 / sqrt(1 - beta2^t) */
    float epsilon;
    float coupled; /* decay added to the gradient */
    float keep;    /* 1 - lr * decoupled decay */
};

static struct adam adam_prepare(const struct recipe *r, double lr, int64_t t, double decay)
{
    bool decoupled = r->optimizer == OPTIMIZER_ADAMW;
    return (struct adam){
        .beta1 = (float)r->beta1,
        .beta2 = (float)r->beta2,
        .rest1 = (float)(1.0 - r->beta1),
        .rest2 = (float)(1.0 - r->beta2),
        .rate = (float)(lr / (1.0 - pow(r->beta1, (double)t))),
        .root = (float)(1.0 / sqrt(1.0 - pow(r->beta2, (double)t))),
        .epsilon = (float)r->epsilon,
        .coupled = decoupled ? 0.0f : (float)decay,
        .keep = decoupled ? (float)(1.0 - lr * decay) : 1.0f,
    };
}

static void adam_update(struct adam a, float g_scale, size_t n, float *restrict w, const float *restrict g,
                        float *restrict first, float *restrict second)
{
    for (size_t i = 0; i < n; i++) {
        float gradient = g_scale * g[i] + a.coupled * w[i];
        first[i] = a.beta1 * first[i] + a.rest1 * gradient;
        second[i] = a.beta2 * second[i] + a.rest2 * gradient * gradient;
        w[i] = a.keep * w[i] - a.rate * first[i] / (sqrtf(second[i]) * a.root + a.epsilon);
    }
}

void optimizer_update(const struct recipe *r, double lr, int64_t t, double decay, float g_scale, size_t n,
                      float *restrict w, const float *restrict g, float *const state[2])
{
    if (r->optimizer != OPTIMIZER_SGD)
        adam_update(adam_prepare(r, lr, t, decay), g_scale, n, w, g, state[0], state[1]);
    else if (r->nesterov)
        sgd_nesterov((float)lr, (float)r->momentum, (float)decay, g_scale, n, w, g, state[0]);
    else
        sgd((float)lr, (float)r->momentum, (float)decay, g_scale, n, w, g, state[0]);
}
