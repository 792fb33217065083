/* Elementwise operations on rows. Private to kernels.c. */
#ifndef ENGINE_KERNELS_ROW_H
#define ENGINE_KERNELS_ROW_H

#include "engine/kernels.h"
#include "engine/kernels_vector.h"

static void row(const struct row_job *job)
{
    const vec scale = vec_all(job->scale);
    for (size_t k = 0; k < job->n; k += VL) {
        vec v = vec_load(job->from + k);
        if (job->keep) {
            const ivec kept = vec_load_bytes(job->keep + k) != vec_all_int(0);
            v = (vec)((ivec)(v * scale) & kept);
        }
        if (job->add)
            v = vec_load(job->add + k) + v;
        if (job->mask)
            v = vec_mask_positive(v, vec_load(job->mask + k));
        vec_store_first(job->to + k, v, (int)(job->n - k < VL ? job->n - k : VL));
    }
}

#endif
