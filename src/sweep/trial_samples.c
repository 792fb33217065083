#include "sweep/trial_samples.h"

enum { EVALUATION_AHEAD = 256 }; /* images; evaluation goes through them in order */

static void announce_samples(const void *context, const uint32_t *samples, size_t count)
{
    const struct sample_source *s = context;
    dataset_ahead(s->data, s->split, samples, count);
}

static int load_sample(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out,
                       size_t pitch)
{
    const struct sample_source *s = context;
    if (s->data->stream && s->split != SPLIT_TRAIN)
        dataset_ahead(s->data, s->split, &(uint32_t){(uint32_t)index + EVALUATION_AHEAD}, 1);
    return dataset_sample(s->data, s->split, index, s->augmented ? &s->augmentation : NULL, seed, epoch, out,
                          pitch);
}

struct samples trial_samples(struct sample_source *source, const struct dataset *data,
                             const struct recipe *recipe, enum split split)
{
    *source = (struct sample_source){
        .data = data,
        .split = split,
        .augmented = split == SPLIT_TRAIN && (recipe->flip || recipe->crop_pad > 0),
        .augmentation = {recipe->flip, recipe->crop_pad, recipe->crop_zero ? CROP_ZERO : CROP_REFLECT},
    };
    return (struct samples){.context = source,
                            .count = data->sets[split].count,
                            .load = load_sample,
                            .ahead = data->stream ? announce_samples : NULL};
}
