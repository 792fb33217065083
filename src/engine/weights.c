#include "engine/weights.h"

#include <stdio.h>
#include <string.h>

#include "engine/checkpoint_arch.h"

static const struct st_tensor *find(const struct safetensors *f, const char *layer, const char *part)
{
    char name[SAFETENSORS_NAME];
    snprintf(name, sizeof name, "%s.%s", layer, part);
    return safetensors_find(f, name);
}

static bool has_shape(const struct st_tensor *t, int dims, const int64_t *shape)
{
    return t && t->dims == dims && memcmp(t->shape, shape, (size_t)dims * sizeof *shape) == 0;
}

static enum status find_tensors(struct weights *w, const char *path, struct err *e)
{
    for (int i = 0; i < w->arch.layer_count; i++) {
        const struct layer *l = &w->arch.layers[i];
        if (l->kind != LAYER_CONV)
            continue;
        const int64_t shape[] = {l->cout, l->cin, l->kernel, l->kernel};
        w->weight[i] = find(w->file, l->name, "weight");
        w->bias[i] = find(w->file, l->name, "bias");
        if (!has_shape(w->weight[i], 4, shape) || !has_shape(w->bias[i], 1, shape))
            return err_set(e, ST_CORRUPT, "%s: tensor %s.weight or %s.bias is missing or has another shape",
                           path, l->name, l->name);
    }
    return ST_OK;
}

enum status weights_open(const char *path, struct weights *out, struct err *e)
{
    *out = (struct weights){.description = ""};
    enum status st = checkpoint_open(path, &out->file, &out->arch, e);
    if (st != ST_OK)
        return st;
    const char *description = safetensors_meta(out->file, "description");
    if (description)
        out->description = description;
    return find_tensors(out, path, e);
}

void weights_release(struct weights *w)
{
    safetensors_free(w->file);
    *w = (struct weights){.description = ""};
}

enum status weights_write(const struct weights *w, const char *path, struct err *e)
{
    static const char *const kept[] = {"arch_hash", "recipe_hash", "seed", "epoch", "description"};
    enum { KEPT = sizeof kept / sizeof *kept };
    struct st_meta meta[1 + KEPT + ARCH_TEXT_KEYS] = {{"format", WEIGHTS_FORMAT}};
    struct st_tensor tensors[2 * ARCH_MAX_LAYERS];
    int meta_count = 1, count = 0;
    for (int i = 0; i < KEPT + ARCH_TEXT_KEYS; i++) {
        const char *key = i < KEPT ? kept[i] : arch_text_key(i - KEPT);
        const char *value = safetensors_meta(w->file, key);
        if (value)
            meta[meta_count++] = (struct st_meta){key, value};
    }
    for (int i = 0; i < w->arch.layer_count; i++) {
        if (!w->weight[i])
            continue;
        tensors[count++] = *w->weight[i];
        tensors[count++] = *w->bias[i];
    }
    return safetensors_write(path, tensors, count, meta, meta_count, e);
}
