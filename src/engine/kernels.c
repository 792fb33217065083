/* One source, compiled once per instruction set with KERNELS_TABLE naming the exported table. */
#include "engine/kernels.h"

#include "engine/kernels_vector.h"

#include "engine/kernels_conv.h"
#include "engine/kernels_dropout.h"
#include "engine/kernels_pool.h"
#include "engine/kernels_row.h"
#include "engine/kernels_weight_gradient.h"
#include "engine/kernels_winograd.h"

/* Independent FMA chains, as many as a convolution tile has accumulators: the practical peak. */
static double fma_peak(long rounds)
{
    enum { CHAINS = TILE_PIXELS * TILE_VECTORS, UNROLL = 8 };
    vec acc[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        acc[i] = vec_all((float)i * 1e-3f);
    vec a = vec_all(0.999f), b = vec_all(1e-3f);
    for (long r = 0; r < rounds; r++) {
        /* Opaque to the optimiser, so that the loop is neither folded nor hoisted. */
        __asm__ volatile("" : "+m"(a), "+m"(b));
        vec x = a, y = b;
        KERNEL_UNROLL
        for (int u = 0; u < UNROLL; u++) {
            KERNEL_UNROLL
            for (int i = 0; i < CHAINS; i++)
                acc[i] = acc[i] * x + y;
        }
    }
    vec sum = {0};
    for (int i = 0; i < CHAINS; i++)
        sum += acc[i];
    /* The result must be used, or the chains are dead code. */
    __asm__ volatile("" : : "m"(sum));
    return (double)rounds * CHAINS * UNROLL * VL * 2;
}

extern const struct kernels KERNELS_TABLE;
const struct kernels KERNELS_TABLE = {
    .name = KERNELS_NAME,
    .vector_floats = VL,
    .conv = conv,
    .weight_gradient = weight_gradient,
    .bias_gradient = bias_gradient,
    .maxpool_forward = maxpool_forward,
    .maxpool_backward = maxpool_backward,
    .row = row,
    .dropout_keep = dropout_keep,
    .winograd_input = winograd_input,
    .winograd_output_gradient = winograd_output_gradient,
    .winograd_output = winograd_output,
    .winograd_weights = winograd_weights,
    .winograd_weight_gradient = winograd_weight_gradient,
    .fma_peak = fma_peak,
};
