/* Optimizers: one loop over the flat parameter block. */
#ifndef ENGINE_OPTIMIZER_H
#define ENGINE_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/recipe.h"

/* State floats per parameter: 1 for sgd (momentum buffer), 2 for adam and adamw (first and second moment). */
int optimizer_slots(const struct recipe *r);

/* Updates n parameters in place. g: gradient, mean over the batch, times `g_scale` (clipping);
 * state: slot k of parameter i at state[k][i]; t: 1-based update number; decay: this range's weight decay.
 * PyTorch's definitions: sgd v = mu v + g, w -= lr (g + mu v with Nesterov, v without); adam with bias
 * correction (Kingma & Ba, 2015); adamw decouples the decay (Loshchilov & Hutter, 2019).
 * Elementwise, so splitting the range over threads changes nothing. */
void optimizer_update(const struct recipe *r, double lr, int64_t t, double decay, float g_scale, size_t n,
                      float *restrict w, const float *restrict g, float *const state[2]);

#endif
