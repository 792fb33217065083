/* What a sweep, a variant, its Fires and a recipe look like as rows. */
#include "sweep/store_internal.h"

void sweep_row(const struct spec *spec, const struct dataset *data, const char *fingerprint, struct row *row)
{
    row_text(row, "name", spec->name);
    row_text(row, "spec_path", spec->path);
    row_text(row, "spec_text", spec->text);
    row_text(row, "data_format", data_format_name(spec->data.format));
    row_text(row, "data_path", spec->data.path);
    row_text(row, "data_fingerprint", fingerprint);
    row_int(row, "image_c", data->image.c);
    row_int(row, "image_h", data->image.h);
    row_int(row, "image_w", data->image.w);
    row_int(row, "classes", data->classes);
    row_int(row, "train_images", (int64_t)data->sets[SPLIT_TRAIN].count);
    row_int(row, "val_images", (int64_t)data->sets[SPLIT_VAL].count);
    row_int(row, "test_images", (int64_t)data->sets[SPLIT_TEST].count);
    row_int(row, "skipped_images", (int64_t)data->skipped);
    row_text(row, "tool_version", FIRESWEEP_VERSION);
    row_now(row, "created_utc");
    row_now(row, "updated_utc");
}

/* An explicit list of Fires was not asked for by metaparameters, so it has none. */
static void metaparam_values(const struct design *design, struct row *row)
{
    const struct metaparams *meta = &design->meta;
    if (design->explicit_fires) {
        row_null(row, "base_e");
        row_null(row, "incr_e");
        row_null(row, "freq");
        row_null(row, "sr");
        row_null(row, "pct3x3");
        return;
    }
    row_int(row, "base_e", meta->base_e);
    row_int(row, "incr_e", meta->incr_e);
    row_int(row, "freq", meta->freq);
    row_real(row, "sr", meta->sr);
    row_real(row, "pct3x3", meta->pct3x3);
}

static void cost_values(const struct cost *cost, struct row *row)
{
    row_int(row, "params", cost->params);
    row_int(row, "model_bytes", cost->model_bytes);
    row_int(row, "model_bytes_8bit", cost->model_bytes_8bit);
    row_int(row, "model_bytes_6bit", cost->model_bytes_6bit);
    row_int(row, "macs", cost->macs);
    row_int(row, "activation_bytes", cost->activation_bytes);
    row_int(row, "train_activation_bytes", cost->train_activation_bytes);
}

void variant_row(const struct trial *trial, const char *pools, struct row *row)
{
    const struct macro *macro = &trial->point.design.macro;
    row_text(row, "arch_hash", trial->arch_hash);
    row_int(row, "input_c", macro->input.c);
    row_int(row, "input_h", macro->input.h);
    row_int(row, "input_w", macro->input.w);
    row_int(row, "classes", macro->classes);
    row_int(row, "conv1_filters", macro->conv1_filters);
    row_int(row, "conv1_kernel", macro->conv1_kernel);
    row_int(row, "conv1_stride", macro->conv1_stride);
    row_int(row, "conv1_pad", macro->conv1_pad);
    row_text(row, "pools", pools);
    row_int(row, "pool_floor", macro->pool_floor);
    row_text(row, "bypass", bypass_name(macro->bypass));
    row_int(row, "conv10_relu", macro->conv10_relu);
    row_int(row, "conv10_pad", macro->conv10_pad);
    metaparam_values(&trial->point.design, row);
    row_real(row, "realised_sr", trial->derived.realised_sr);
    row_real(row, "realised_pct3x3", trial->derived.realised_pct3x3);
    cost_values(&trial->cost, row);
}

void point_row(const struct membership *member, int64_t block, struct row *row)
{
    const struct macro *macro = &member->design->macro;
    row_int(row, "block_id", block);
    row_text(row, "axes", member->axes);
    metaparam_values(member->design, row);
    row_text(row, "bypass", bypass_name(macro->bypass));
    row_int(row, "pool_floor", macro->pool_floor);
}

void fire_row(const struct trial *trial, const struct arch *arch, int fire, int64_t variant, struct row *row)
{
    row_int(row, "variant_id", variant);
    row_int(row, "fire", fire + 2);
    row_int(row, "s1x1", arch->fires[fire].s1x1);
    row_int(row, "e1x1", arch->fires[fire].e1x1);
    row_int(row, "e3x3", arch->fires[fire].e3x3);
    row_int(row, "s1x1_clamped", trial->derived.clamped[fire]);
    row_int(row, "params", fire_params(arch, fire));
}

void recipe_row(const struct trial *trial, struct row *row)
{
    const struct recipe *recipe = &trial->point.recipe;
    row_text(row, "recipe_hash", trial->recipe_hash);
    row_int(row, "epochs", recipe->epochs);
    row_int(row, "batch", recipe->batch);
    row_int(row, "accumulate", recipe->accumulate);
    row_text(row, "optimizer", optimizer_name(recipe->optimizer));
    row_real(row, "momentum", recipe->momentum);
    row_int(row, "nesterov", recipe->nesterov);
    row_real(row, "beta1", recipe->beta1);
    row_real(row, "beta2", recipe->beta2);
    row_real(row, "epsilon", recipe->epsilon);
    row_real(row, "lr", recipe->lr);
    row_text(row, "schedule", schedule_name(recipe->schedule));
    row_real(row, "warmup", recipe->warmup);
    row_real(row, "weight_decay", recipe->weight_decay);
    row_int(row, "decay_biases", recipe->decay_biases);
    row_real(row, "clip", recipe->clip);
    row_real(row, "smoothing", recipe->smoothing);
    row_real(row, "dropout", recipe->dropout);
    row_text(row, "init", init_name(recipe->init));
    row_int(row, "flip", recipe->flip);
    row_int(row, "crop_pad", recipe->crop_pad);
    row_int(row, "crop_zero", recipe->crop_zero);
    row_int(row, "lanes", recipe->lanes);
    row_int(row, "winograd", recipe->winograd);
    row_text(row, "numerics", engine_numerics());
}
