#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "engine/loss.h"
#include "engine/pass.h"
#include "engine/trainer_internal.h"

static struct pass eval_pass(const struct trainer *t, int thread)
{
    return (struct pass){.network = &t->eval_net,
                         .plan = &t->eval_plan,
                         .kernels = t->kernels,
                         .params = t->params,
                         .derived = t->derived,
                         .block = t->blocks[thread]};
}

/* False when a sample does not load. */
static bool evaluate_tile(const struct trainer *t, const struct pass *p, const struct samples *s,
                          size_t first, int images, struct loss *results, float *logits)
{
    const size_t classes = (size_t)t->arch.classes;
    int labels[TILE_IMAGES_MAX];
    for (int i = 0; i < images; i++) {
        size_t pitch;
        float *image = pass_image(p, i, &pitch);
        labels[i] = s->load(s->context, first + (size_t)i, t->seed, 0, image, pitch);
        if (labels[i] < 0)
            return false;
    }
    pass_forward(p, images, NULL);
    for (int i = 0; i < images; i++) {
        const size_t sample = first + (size_t)i;
        results[sample] = loss_softmax(pass_logits(p, i), t->arch.classes, labels[i], 0, NULL);
        if (logits)
            memcpy(logits + sample * classes, pass_logits(p, i), classes * sizeof(float));
    }
    return true;
}

enum status trainer_evaluate(struct trainer *t, const struct samples *s, struct eval_metrics *out,
                             float *logits, struct err *e)
{
    const size_t tile = (size_t)t->eval_plan.images, tiles = (s->count + tile - 1) / tile;
    struct loss *results = mem_alloc(s->count ? s->count : 1, sizeof *results);
    if (!results)
        return err_set(e, ST_NOMEM, "out of memory evaluating %zu images", s->count);
    bool failed = false;
#pragma omp parallel num_threads(t->threads) reduction(|| : failed)
    {
        kernels_flush_denormals();
        const struct pass p = eval_pass(t, omp_get_thread_num());
#pragma omp for schedule(dynamic, 1)
        for (size_t i = 0; i < tiles; i++) {
            const size_t first = i * tile, left = s->count - first;
            if (!failed)
                failed = !evaluate_tile(t, &p, s, first, (int)(left < tile ? left : tile), results, logits);
        }
    }
    if (failed) {
        mem_free(results);
        return err_set(e, ST_FAILED, "an image to evaluate does not load");
    }
    /* In the order of the samples, so that the sum does not depend on the threads. */
    double loss = 0;
    size_t top1 = 0, top5 = 0;
    for (size_t i = 0; i < s->count; i++) {
        loss += results[i].value;
        top1 += results[i].rank == 0;
        top5 += results[i].rank < 5;
    }
    mem_free(results);
    const double n = s->count ? (double)s->count : 1;
    *out = (struct eval_metrics){
        .count = s->count, .loss = loss / n, .top1 = (double)top1 / n, .top5 = (double)top5 / n};
    return ST_OK;
}
