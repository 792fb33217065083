#include "sweep/spec_fields.h"

#include <float.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/cpu.h"
#include "sweep/run.h"

/* Names of the enums, by value. */
static const char *bypass_choice(int i)
{
    return i <= BYPASS_COMPLEX ? bypass_name((enum bypass)i) : NULL;
}

static const char *format_choice(int i)
{
    return i <= DATA_IMAGE_FOLDER ? data_format_name((enum data_format)i) : NULL;
}

static const char *optimizer_choice(int i)
{
    return i <= OPTIMIZER_ADAMW ? optimizer_name((enum optimizer)i) : NULL;
}

static const char *schedule_choice(int i)
{
    return i <= SCHEDULE_TRIANGULAR ? schedule_name((enum schedule)i) : NULL;
}

static const char *init_choice(int i)
{
    return i <= INIT_XAVIER ? init_name((enum init)i) : NULL;
}

static const char *preset_choice(int i)
{
    return design_preset_names()[i];
}

static const char *rounding_choice(int i)
{
    static const char *const names[] = {"ceil", "floor", NULL};
    return names[i];
}

static const char *border_choice(int i)
{
    static const char *const names[] = {"reflect", "zero", NULL};
    return names[i];
}

static const char *plot_choice(int i)
{
    static const char *const names[] = {"curve", "learning", NULL};
    return names[i];
}

/* Where a field lies. */
#define IN_SPEC(member) offsetof(struct spec, member)
#define IN_MACRO(member) offsetof(struct point, design.macro.member)
#define IN_META(member) offsetof(struct point, design.meta.member)
#define IN_RECIPE(member) offsetof(struct point, recipe.member)
#define IN_PLOT(member) offsetof(struct plot_request, member)

static const struct field fields[] = {
    {SECTION_ROOT, "version", FIELD_INT, .min = 1, .max = 1, .required = true,
     .meaning = "version of this format"},
    {SECTION_ROOT, "name", FIELD_NAME, IN_SPEC(name), .required = true,
     .meaning = "name of the sweep; results go to results/NAME.db"},
    {SECTION_ROOT, "data", FIELD_SECTION, .required = true, .meaning = "the data set"},
    {SECTION_ROOT, "base", FIELD_SECTION, .meaning = "the architecture that all blocks start from"},
    {SECTION_ROOT, "train", FIELD_SECTION, .meaning = "the training recipe that all blocks start from"},
    {SECTION_ROOT, "sweep", FIELD_LIST,
     .meaning = "the blocks; without it there is one block, base, with one point"},
    {SECTION_ROOT, "constraints", FIELD_LIST,
     .meaning = "conditions on the cost; trials that violate one are listed as skipped"},
    {SECTION_ROOT, "seeds", FIELD_LIST, .initial = "[1]", .meaning = "each point is trained once per seed"},
    {SECTION_ROOT, "budget", FIELD_SECTION, .meaning = "when to give up"},
    {SECTION_ROOT, "run", FIELD_SECTION, .meaning = "how to use the machine; no influence on results"},
    {SECTION_ROOT, "plots", FIELD_LIST, .meaning = "figures to draw"},

    {SECTION_DATA, "format", FIELD_CHOICE, IN_SPEC(data.format), .choice = format_choice, .required = true,
     .meaning = "how the images are stored"},
    {SECTION_DATA, "path", FIELD_TEXT, IN_SPEC(data.path), .required = true,
     .meaning =
         "folder of the files (idx, cifar10, cifar100) or of train/ and test/ (image-folder); a relative "
         "path counts from the current working directory"},
    {SECTION_DATA, "val", FIELD_INT, IN_SPEC(data.val), .max = INT_MAX, .initial = "0",
     .meaning = "training images set aside for validation, balanced over the classes"},
    {SECTION_DATA, "val_seed", FIELD_SEED, IN_SPEC(data.val_seed), .initial = "1",
     .meaning = "chooses the validation images"},
    {SECTION_DATA, "train_limit", FIELD_INT, IN_SPEC(data.train_limit), .max = INT_MAX, .initial = "0",
     .meaning = "keep this many training images after the split, 0 = all"},
    {SECTION_DATA, "test_limit", FIELD_INT, IN_SPEC(data.test_limit), .max = INT_MAX, .initial = "0",
     .meaning = "keep this many test images, 0 = all"},
    {SECTION_DATA, "resize", FIELD_SIZE, IN_SPEC(data.resize_h), .min = 1, .max = SIDE_MAX,
     .meaning = "image-folder: scale and crop the middle to HxW; without it images stay as stored"},
    {SECTION_DATA, "skip_bad", FIELD_BOOL, IN_SPEC(data.skip_bad), .initial = "false",
     .meaning = "count and leave out unreadable images instead of failing"},

    {SECTION_BASE, "preset", FIELD_PRESET, .choice = preset_choice,
     .meaning = "starting point of all other keys, applied first wherever it stands"},
    {SECTION_BASE, "base_e", FIELD_INT, IN_META(base_e), .min = 1, .max = WIDTH_MAX,
     .meaning = "expand filters of fire2"},
    {SECTION_BASE, "incr_e", FIELD_INT, IN_META(incr_e), .max = WIDTH_MAX,
     .meaning = "expand filters added every freq Fires"},
    {SECTION_BASE, "freq", FIELD_INT, IN_META(freq), .min = 1, .max = INT_MAX,
     .meaning = "Fires between two additions"},
    {SECTION_BASE, "SR", FIELD_REAL, IN_META(sr), .min = 0, .above = true, .max = 1,
     .meaning = "squeeze ratio: squeeze filters over expand filters"},
    {SECTION_BASE, "pct3x3", FIELD_REAL, IN_META(pct3x3), .min = 0, .max = 1,
     .meaning = "share of 3x3 among the expand filters"},
    {SECTION_BASE, "bypass", FIELD_CHOICE, IN_MACRO(bypass), .choice = bypass_choice,
     .meaning = "shortcuts around Fires"},
    {SECTION_BASE, "input", FIELD_SHAPE, IN_MACRO(input), .min = 1, .max = SIDE_MAX,
     .meaning = "channels, rows and columns of the images; must match the data; where the data format or "
                "data.resize fixes the shape, that is the default"},
    {SECTION_BASE, "classes", FIELD_INT, IN_MACRO(classes), .min = 1, .max = CLASSES_MAX,
     .meaning =
         "number of classes; must match the data; where the data format fixes it, that is the default"},
    {SECTION_BASE, "conv1_filters", FIELD_INT, IN_MACRO(conv1_filters), .min = 1, .max = WIDTH_MAX,
     .meaning = "filters of conv1"},
    {SECTION_BASE, "conv1_kernel", FIELD_INT, IN_MACRO(conv1_kernel), .min = 1, .max = KERNEL_MAX,
     .meaning = "kernel rows and columns of conv1"},
    {SECTION_BASE, "conv1_stride", FIELD_INT, IN_MACRO(conv1_stride), .min = 1, .max = KERNEL_MAX,
     .meaning = "stride of conv1"},
    {SECTION_BASE, "conv1_pad", FIELD_INT, IN_MACRO(conv1_pad), .max = KERNEL_MAX - 1,
     .meaning = "zero border of conv1"},
    {SECTION_BASE, "pools", FIELD_POOLS, IN_MACRO(pools),
     .meaning = "layers followed by a 3x3/2 max pool, as a list or a comma text"},
    {SECTION_BASE, "pool_rounding", FIELD_SWITCH, IN_MACRO(pool_floor), .choice = rounding_choice,
     .meaning = "rounding of the pools' output size"},
    {SECTION_BASE, "conv10_relu", FIELD_BOOL, IN_MACRO(conv10_relu), .meaning = "ReLU after conv10"},
    {SECTION_BASE, "conv10_pad", FIELD_INT, IN_MACRO(conv10_pad), .max = 1,
     .meaning = "zero border of conv10"},
    {SECTION_BASE, "fires", FIELD_FIRES, offsetof(struct point, design), .max = WIDTH_MAX,
     .meaning = "explicit list of eight [s1x1, e1x1, e3x3] instead of the metaparameters; as text "
                "s1x1/e1x1/e3x3 joined by commas; `derived` returns to the metaparameters"},

    {SECTION_TRAIN, "epochs", FIELD_INT, IN_RECIPE(epochs), .min = 1, .max = RECIPE_EPOCHS_MAX,
     .meaning = "passes over the training images"},
    {SECTION_TRAIN, "batch", FIELD_INT, IN_RECIPE(batch), .min = 1, .max = RECIPE_BATCH_MAX,
     .meaning = "images a step"},
    {SECTION_TRAIN, "accumulate", FIELD_INT, IN_RECIPE(accumulate), .min = 1, .max = RECIPE_ACCUMULATE_MAX,
     .meaning = "batches whose gradients are averaged before one update"},
    {SECTION_TRAIN, "optimizer", FIELD_CHOICE, IN_RECIPE(optimizer), .choice = optimizer_choice,
     .meaning = "update rule"},
    {SECTION_TRAIN, "momentum", FIELD_REAL, IN_RECIPE(momentum), .max = 1, .below = true,
     .meaning = "momentum of sgd"},
    {SECTION_TRAIN, "nesterov", FIELD_BOOL, IN_RECIPE(nesterov), .meaning = "Nesterov momentum, sgd"},
    {SECTION_TRAIN, "beta1", FIELD_REAL, IN_RECIPE(beta1), .max = 1, .below = true,
     .meaning = "decay of the first moment, adam and adamw"},
    {SECTION_TRAIN, "beta2", FIELD_REAL, IN_RECIPE(beta2), .max = 1, .below = true,
     .meaning = "decay of the second moment, adam and adamw"},
    {SECTION_TRAIN, "epsilon", FIELD_REAL, IN_RECIPE(epsilon), .min = 1e-12, .max = 1,
     .meaning = "added to the denominator, adam and adamw"},
    {SECTION_TRAIN, "lr", FIELD_REAL, IN_RECIPE(lr), .above = true, .max = 1000,
     .meaning = "peak learning rate"},
    {SECTION_TRAIN, "schedule", FIELD_CHOICE, IN_RECIPE(schedule), .choice = schedule_choice,
     .meaning = "course of the learning rate after the warm-up"},
    {SECTION_TRAIN, "warmup", FIELD_REAL, IN_RECIPE(warmup), .max = 1, .below = true,
     .meaning = "share of all steps in which the rate rises from 0; triangular peaks at its end"},
    {SECTION_TRAIN, "weight_decay", FIELD_REAL, IN_RECIPE(weight_decay), .max = 1000,
     .meaning = "L2 penalty (sgd, adam) or decoupled decay (adamw)"},
    {SECTION_TRAIN, "decay_biases", FIELD_BOOL, IN_RECIPE(decay_biases), .meaning = "decay biases too"},
    {SECTION_TRAIN, "clip", FIELD_REAL, IN_RECIPE(clip), .max = 1e9,
     .meaning = "largest global gradient norm, 0 = no clipping"},
    {SECTION_TRAIN, "smoothing", FIELD_REAL, IN_RECIPE(smoothing), .max = 1, .below = true,
     .meaning = "label smoothing"},
    {SECTION_TRAIN, "dropout", FIELD_REAL, IN_RECIPE(dropout), .max = 1, .below = true,
     .meaning = "dropout rate before conv10"},
    {SECTION_TRAIN, "init", FIELD_CHOICE, IN_RECIPE(init), .choice = init_choice,
     .meaning = "initial weights; conv10 is always N(0, 0.01), biases 0"},
    {SECTION_TRAIN, "flip", FIELD_BOOL, IN_RECIPE(flip), .meaning = "mirror half of the training images"},
    {SECTION_TRAIN, "crop_pad", FIELD_INT, IN_RECIPE(crop_pad), .max = RECIPE_CROP_PAD_MAX,
     .meaning =
         "pad by this many pixels, then crop at a random place; less than rows and columns, 0 = no crop"},
    {SECTION_TRAIN, "crop_border", FIELD_SWITCH, IN_RECIPE(crop_zero), .choice = border_choice,
     .meaning = "what the padding holds: mirrored pixels, or the mean colour (zero after normalisation)"},
    {SECTION_TRAIN, "lanes", FIELD_INT, IN_RECIPE(lanes), .min = 1, .max = RECIPE_LANES_MAX,
     .meaning = "gradient accumulators; part of the arithmetic, so another number makes other trials"},

    {SECTION_BUDGET, "wall", FIELD_DURATION, IN_SPEC(budget.wall_s), .max = 1e9, .initial = "0",
     .meaning = "time for the whole sweep, 0 = no limit"},
    {SECTION_BUDGET, "trial_wall", FIELD_DURATION, IN_SPEC(budget.trial_wall_s), .max = 1e9, .initial = "0",
     .meaning = "time for one trial, 0 = no limit"},
    {SECTION_BUDGET, "max_failed", FIELD_INT, IN_SPEC(budget.max_failed), .max = INT_MAX, .initial = "0",
     .meaning = "stop after this many failed trials, 0 = never"},

    {SECTION_RUN, "workers", FIELD_INT_OR_AUTO, IN_SPEC(run.workers), .min = 1, .max = RUN_MAX_WORKERS,
     .initial = "auto", .meaning = "trials trained at a time"},
    {SECTION_RUN, "threads", FIELD_INT_OR_AUTO, IN_SPEC(run.threads), .min = 1, .max = CPU_MAX,
     .initial = "auto", .meaning = "threads of each worker"},
    {SECTION_RUN, "retries", FIELD_INT, IN_SPEC(run.retries), .max = 100, .initial = "2",
     .meaning = "further attempts after a crash"},
    {SECTION_RUN, "checkpoint", FIELD_DURATION, IN_SPEC(run.checkpoint_s), .above = true, .max = 1e9,
     .initial = "60s", .meaning = "longest time between two checkpoints of a trial"},

    {SECTION_BLOCK, "id", FIELD_NAME, .required = true, .meaning = "name of the block, unique in the spec"},
    {SECTION_BLOCK, "set", FIELD_SECTION,
     .meaning = "values of the whole block, over those of base and train"},
    {SECTION_BLOCK, "grid", FIELD_SECTION,
     .meaning = "axes, each a list or a range; every combination is a point, the last axis changes fastest"},
    {SECTION_BLOCK, "zip", FIELD_SECTION, .meaning = "axes of equal length, taken side by side"},
    {SECTION_BLOCK, "list", FIELD_LIST, .meaning = "explicit points, each a mapping of keys to values"},

    {SECTION_RANGE, "from", FIELD_REAL, .min = -DBL_MAX, .max = DBL_MAX, .required = true,
     .meaning = "first value"},
    {SECTION_RANGE, "to", FIELD_REAL, .min = -DBL_MAX, .max = DBL_MAX, .required = true,
     .meaning = "limit; reached if a whole number of steps leads there"},
    {SECTION_RANGE, "step", FIELD_REAL, .min = -DBL_MAX, .max = DBL_MAX, .required = true,
     .meaning = "distance of two values, towards `to`"},

    {SECTION_PLOT, "kind", FIELD_WORD, IN_PLOT(kind), .choice = plot_choice, .required = true,
     .meaning = "kind of figure"},
    {SECTION_PLOT, "block", FIELD_NAME, IN_PLOT(block), .meaning = "block to draw; without it all blocks"},
    {SECTION_PLOT, "x", FIELD_NAME, IN_PLOT(x), .meaning = "column on the horizontal axis"},
    {SECTION_PLOT, "y", FIELD_NAME, IN_PLOT(y), .meaning = "column on the vertical axis"},
};

_Static_assert(sizeof fields / sizeof *fields <= FIELDS_MAX, "FIELDS_MAX must hold the table");

size_t field_count(void)
{
    return sizeof fields / sizeof *fields;
}

const struct field *field_at(size_t index)
{
    return &fields[index];
}

size_t field_index(const struct field *f)
{
    return (size_t)(f - fields);
}

bool field_in(const struct field *f, enum section section)
{
    return f->section == section ||
           (section == SECTION_AXIS && (f->section == SECTION_BASE || f->section == SECTION_TRAIN));
}

const struct field *field_find(enum section section, const char *key)
{
    for (size_t i = 0; i < field_count(); i++) {
        if (field_in(&fields[i], section) && strcmp(fields[i].key, key) == 0)
            return &fields[i];
    }
    return NULL;
}

bool field_is_metaparameter(const struct field *f)
{
    return f->section == SECTION_BASE && f->offset >= IN_META(base_e) && f->offset <= IN_META(pct3x3);
}
