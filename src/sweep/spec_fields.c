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

static const char *memory_choice(int i)
{
    return i <= DATA_STREAM ? data_memory_name((enum data_memory)i) : NULL;
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

const char *sampler_name(enum sampler s)
{
    static const char *const names[] = {"random", "lhs", "sobol"};
    return names[s];
}

static const char *sampler_choice(int i)
{
    return i <= SAMPLER_SOBOL ? sampler_name((enum sampler)i) : NULL;
}

const char *keep_name(enum keep k)
{
    static const char *const names[] = {"last", "best", "all", "none"};
    return names[k];
}

static const char *keep_choice(int i)
{
    return i <= KEEP_NONE ? keep_name((enum keep)i) : NULL;
}

const char *search_mode_name(enum search_mode m)
{
    static const char *const names[] = {"accuracy", "pareto"};
    return names[m];
}

static const char *mode_choice(int i)
{
    return i <= SEARCH_PARETO ? search_mode_name((enum search_mode)i) : NULL;
}

const char *search_cost_name(enum search_cost c)
{
    static const char *const names[] = {"model_bytes", "params", "macs", "activation_bytes", "latency_ms"};
    return names[c];
}

static const char *cost_choice(int i)
{
    return i <= SEARCH_LATENCY_MS ? search_cost_name((enum search_cost)i) : NULL;
}

static const char *method_choice(int i)
{
    return i == SEARCH_HALVING ? "successive_halving" : NULL;
}

static const char *plot_choice(int i)
{
    static const char *const names[] = {"curve",   "learning", "scatter",  "pareto",    "edf", "heatmap",
                                        "effects", "parallel", "timeline", "predicted", NULL};
    return names[i];
}

/* Where a field lies. */
#define IN_SPEC(member) offsetof(struct spec, member)
#define IN_MACRO(member) offsetof(struct point, design.macro.member)
#define IN_META(member) offsetof(struct point, design.meta.member)
#define IN_RECIPE(member) offsetof(struct point, recipe.member)
#define IN_RANDOM(member) offsetof(struct random_block, member)
#define IN_PLOT(member) offsetof(struct plot_request, member)

enum { OF_SGD = 1 << OPTIMIZER_SGD, OF_ADAM = 1 << OPTIMIZER_ADAM | 1 << OPTIMIZER_ADAMW };

static const struct field fields[] = {
    {SECTION_ROOT, FIELD_INT, "version", .min = 1, .max = 1, .required = true,
     .meaning = "version of this format"},
    {SECTION_ROOT, FIELD_NAME, "name", IN_SPEC(name), .required = true,
     .meaning = "name of the sweep; results go to results/NAME.db"},
    {SECTION_ROOT, FIELD_SECTION, "data", .required = true, .meaning = "the data set"},
    {SECTION_ROOT, FIELD_SECTION, "base", .meaning = "the architecture that all blocks start from"},
    {SECTION_ROOT, FIELD_SECTION, "train", .meaning = "the training recipe that all blocks start from"},
    {SECTION_ROOT, FIELD_LIST, "sweep",
     .meaning = "the blocks; without it there is one block, base, with one point"},
    {SECTION_ROOT, FIELD_LIST, "constraints",
     .meaning = "conditions that every trial must fulfil; others are listed as skipped"},
    {SECTION_ROOT, FIELD_LIST, "exclude", .meaning = "conditions under which a trial is skipped"},
    {SECTION_ROOT, FIELD_LIST, "seeds", .initial = "[1]", .meaning = "each point is trained once per seed"},
    {SECTION_ROOT, FIELD_SECTION, "search",
     .meaning = "train all variants for few epochs and only the best of them in full"},
    {SECTION_ROOT, FIELD_SECTION, "budget", .meaning = "when to give up"},
    {SECTION_ROOT, FIELD_SECTION, "run", .meaning = "how to use the machine; no influence on results"},
    {SECTION_ROOT, FIELD_LIST, "on_finish",
     .meaning = "program and arguments to run, without a shell, when a run has ended; FIRESWEEP_DB, "
                "FIRESWEEP_OUTCOME (done, interrupted, failed) and other variables tell it how"},
    {SECTION_ROOT, FIELD_LIST, "plots", .meaning = "figures to draw"},

    {SECTION_DATA, FIELD_CHOICE, "format", IN_SPEC(data.format), .choice = format_choice, .required = true,
     .meaning = "how the images are stored"},
    {SECTION_DATA, FIELD_TEXT, "path", IN_SPEC(data.path), .required = true,
     .meaning =
         "folder of the files (idx, cifar10, cifar100) or of train/ and test/ (image-folder); a relative "
         "path counts from the current working directory"},
    {SECTION_DATA, FIELD_INT, "val", IN_SPEC(data.val), .max = INT_MAX, .initial = "0",
     .meaning = "training images set aside for validation, balanced over the classes"},
    {SECTION_DATA, FIELD_SEED, "val_seed", IN_SPEC(data.val_seed), .initial = "1",
     .meaning = "chooses the validation images"},
    {SECTION_DATA, FIELD_INT, "train_limit", IN_SPEC(data.train_limit), .max = INT_MAX, .initial = "0",
     .meaning = "keep this many training images after the split, 0 = all"},
    {SECTION_DATA, FIELD_INT, "test_limit", IN_SPEC(data.test_limit), .max = INT_MAX, .initial = "0",
     .meaning = "keep this many test images, 0 = all"},
    {SECTION_DATA, FIELD_SIZE, "resize", IN_SPEC(data.resize_h), .min = 1, .max = SIDE_MAX,
     .meaning = "image-folder: scale and crop the middle to HxW; without it images stay as stored"},
    {SECTION_DATA, FIELD_BOOL, "skip_bad", IN_SPEC(data.skip_bad), .initial = "false",
     .meaning = "count and leave out unreadable images instead of failing"},
    {SECTION_DATA, FIELD_CHOICE, "memory", IN_SPEC(data.memory), .choice = memory_choice, .initial = "auto",
     .meaning =
         "image-folder: `load` keeps decoded images in memory, `stream` decodes files whenever they are "
         "needed, auto streams what would take more than half of the memory; no influence on results"},
    {SECTION_DATA, FIELD_INT, "train_images", IN_SPEC(data.train_images), .max = INT_MAX, .initial = "0",
     .meaning =
         "training images that the set is known to have: `plan` counts with them while there are no files"},
    {SECTION_DATA, FIELD_INT, "test_images", IN_SPEC(data.test_images), .max = INT_MAX, .initial = "0",
     .meaning = "test images, likewise"},

    {SECTION_BASE, FIELD_PRESET, "preset", .choice = preset_choice,
     .meaning = "starting point of all other keys, applied first wherever it stands"},
    {SECTION_BASE, FIELD_INT, "base_e", IN_META(base_e), .min = 1, .max = WIDTH_MAX,
     .meaning = "expand filters of fire2"},
    {SECTION_BASE, FIELD_INT, "incr_e", IN_META(incr_e), .max = WIDTH_MAX,
     .meaning = "expand filters added every freq Fires"},
    {SECTION_BASE, FIELD_INT, "freq", IN_META(freq), .min = 1, .max = INT_MAX,
     .meaning = "Fires between two additions"},
    {SECTION_BASE, FIELD_REAL, "SR", IN_META(sr), .min = 0, .above = true, .max = 1,
     .meaning = "squeeze ratio: squeeze filters over expand filters"},
    {SECTION_BASE, FIELD_REAL, "pct3x3", IN_META(pct3x3), .min = 0, .max = 1,
     .meaning = "share of 3x3 among the expand filters"},
    {SECTION_BASE, FIELD_CHOICE, "bypass", IN_MACRO(bypass), .choice = bypass_choice,
     .meaning = "shortcuts around Fires"},
    {SECTION_BASE, FIELD_SHAPE, "input", IN_MACRO(input), .min = 1, .max = SIDE_MAX,
     .meaning = "channels, rows and columns of the images; must match the data; where the data format or "
                "data.resize fixes the shape, that is the default"},
    {SECTION_BASE, FIELD_INT, "classes", IN_MACRO(classes), .min = 1, .max = CLASSES_MAX,
     .meaning =
         "number of classes; must match the data; where the data format fixes it, that is the default"},
    {SECTION_BASE, FIELD_INT, "conv1_filters", IN_MACRO(conv1_filters), .min = 1, .max = WIDTH_MAX,
     .meaning = "filters of conv1"},
    {SECTION_BASE, FIELD_INT, "conv1_kernel", IN_MACRO(conv1_kernel), .min = 1, .max = KERNEL_MAX,
     .meaning = "kernel rows and columns of conv1"},
    {SECTION_BASE, FIELD_INT, "conv1_stride", IN_MACRO(conv1_stride), .min = 1, .max = KERNEL_MAX,
     .meaning = "stride of conv1"},
    {SECTION_BASE, FIELD_INT, "conv1_pad", IN_MACRO(conv1_pad), .max = KERNEL_MAX - 1,
     .meaning = "zero border of conv1"},
    {SECTION_BASE, FIELD_POOLS, "pools", IN_MACRO(pools),
     .meaning = "layers followed by a 3x3/2 max pool, as a list or a comma text"},
    {SECTION_BASE, FIELD_SWITCH, "pool_rounding", IN_MACRO(pool_floor), .choice = rounding_choice,
     .meaning = "rounding of the pools' output size"},
    {SECTION_BASE, FIELD_BOOL, "conv10_relu", IN_MACRO(conv10_relu), .meaning = "ReLU after conv10"},
    {SECTION_BASE, FIELD_INT, "conv10_pad", IN_MACRO(conv10_pad), .max = 1,
     .meaning = "zero border of conv10"},
    {SECTION_BASE, FIELD_FIRES, "fires", .max = WIDTH_MAX,
     .meaning = "explicit list of eight [s1x1, e1x1, e3x3] instead of the metaparameters; as text "
                "s1x1/e1x1/e3x3 joined by commas; `derived` returns to the metaparameters"},

    {SECTION_TRAIN, FIELD_INT, "epochs", IN_RECIPE(epochs), .min = 1, .max = RECIPE_EPOCHS_MAX,
     .meaning = "passes over the training images"},
    {SECTION_TRAIN, FIELD_INT, "batch", IN_RECIPE(batch), .min = 1, .max = RECIPE_BATCH_MAX,
     .meaning = "images a step"},
    {SECTION_TRAIN, FIELD_INT, "accumulate", IN_RECIPE(accumulate), .min = 1, .max = RECIPE_ACCUMULATE_MAX,
     .meaning = "batches whose gradients are averaged before one update"},
    {SECTION_TRAIN, FIELD_CHOICE, "optimizer", IN_RECIPE(optimizer), .choice = optimizer_choice,
     .meaning = "update rule"},
    {SECTION_TRAIN, FIELD_REAL, "momentum", IN_RECIPE(momentum), .optimizers = OF_SGD, .max = 1,
     .below = true, .meaning = "momentum of sgd"},
    {SECTION_TRAIN, FIELD_BOOL, "nesterov", IN_RECIPE(nesterov), .optimizers = OF_SGD,
     .meaning = "Nesterov momentum, sgd"},
    {SECTION_TRAIN, FIELD_REAL, "beta1", IN_RECIPE(beta1), .optimizers = OF_ADAM, .max = 1, .below = true,
     .meaning = "decay of the first moment, adam and adamw"},
    {SECTION_TRAIN, FIELD_REAL, "beta2", IN_RECIPE(beta2), .optimizers = OF_ADAM, .max = 1, .below = true,
     .meaning = "decay of the second moment, adam and adamw"},
    {SECTION_TRAIN, FIELD_REAL, "epsilon", IN_RECIPE(epsilon), .optimizers = OF_ADAM, .min = 1e-12, .max = 1,
     .meaning = "added to the denominator, adam and adamw"},
    {SECTION_TRAIN, FIELD_REAL, "lr", IN_RECIPE(lr), .above = true, .max = 1000,
     .meaning = "peak learning rate"},
    {SECTION_TRAIN, FIELD_CHOICE, "schedule", IN_RECIPE(schedule), .choice = schedule_choice,
     .meaning = "course of the learning rate after the warm-up"},
    {SECTION_TRAIN, FIELD_REAL, "warmup", IN_RECIPE(warmup), .max = 1, .below = true,
     .meaning = "share of all steps in which the rate rises from 0; triangular peaks at its end"},
    {SECTION_TRAIN, FIELD_REAL, "weight_decay", IN_RECIPE(weight_decay), .max = 1000,
     .meaning = "L2 penalty (sgd, adam) or decoupled decay (adamw)"},
    {SECTION_TRAIN, FIELD_BOOL, "decay_biases", IN_RECIPE(decay_biases), .meaning = "decay biases too"},
    {SECTION_TRAIN, FIELD_REAL, "clip", IN_RECIPE(clip), .max = 1e9,
     .meaning = "largest global gradient norm, 0 = no clipping"},
    {SECTION_TRAIN, FIELD_REAL, "smoothing", IN_RECIPE(smoothing), .max = 1, .below = true,
     .meaning = "label smoothing"},
    {SECTION_TRAIN, FIELD_REAL, "dropout", IN_RECIPE(dropout), .max = 1, .below = true,
     .meaning = "dropout rate before conv10"},
    {SECTION_TRAIN, FIELD_CHOICE, "init", IN_RECIPE(init), .choice = init_choice,
     .meaning = "initial weights; conv10 is always N(0, 0.01), biases 0"},
    {SECTION_TRAIN, FIELD_BOOL, "flip", IN_RECIPE(flip), .meaning = "mirror half of the training images"},
    {SECTION_TRAIN, FIELD_INT, "crop_pad", IN_RECIPE(crop_pad), .max = RECIPE_CROP_PAD_MAX,
     .meaning =
         "pad by this many pixels, then crop at a random place; less than rows and columns, 0 = no crop"},
    {SECTION_TRAIN, FIELD_SWITCH, "crop_border", IN_RECIPE(crop_zero), .choice = border_choice,
     .meaning = "what the padding holds: mirrored pixels, or the mean colour (zero after normalisation)"},
    {SECTION_TRAIN, FIELD_INT, "lanes", IN_RECIPE(lanes), .min = 1, .max = RECIPE_LANES_MAX,
     .meaning = "gradient accumulators; part of the arithmetic, so another number makes other trials"},
    {SECTION_TRAIN, FIELD_BOOL, "winograd", IN_RECIPE(winograd),
     .meaning = "run 3x3 layers by Winograd's algorithm where it is faster; part of the arithmetic likewise"},

    {SECTION_SEARCH, FIELD_CHOICE, "method", IN_SPEC(search.method), .choice = method_choice,
     .initial = "successive_halving",
     .meaning = "rungs of ever longer trainings, each with its whole schedule; the best go on to the next"},
    {SECTION_SEARCH, FIELD_INT, "eta", IN_SPEC(search.eta), .min = 2, .max = 100, .initial = "3",
     .meaning = "one of so many variants goes on, and is trained for so many times the epochs"},
    {SECTION_SEARCH, FIELD_INT, "min_epochs", IN_SPEC(search.min_epochs), .min = 1, .max = RECIPE_EPOCHS_MAX,
     .initial = "1",
     .meaning = "least epochs of the first rung; rungs have train.epochs, 1/eta of it, 1/eta of that and so "
                "on"},
    {SECTION_SEARCH, FIELD_CHOICE, "mode", IN_SPEC(search.mode), .choice = mode_choice, .initial = "accuracy",
     .meaning = "`accuracy`: the most accurate on validation go on; `pareto`: a variant is dropped only for "
                "others of equal or smaller cost"},
    {SECTION_SEARCH, FIELD_CHOICE, "cost", IN_SPEC(search.cost), .choice = cost_choice,
     .initial = "model_bytes",
     .meaning = "what pareto mode compares beside accuracy; latency_ms is measured "
                "on this machine before a rung is decided"},

    {SECTION_BUDGET, FIELD_DURATION, "wall", IN_SPEC(budget.wall_s), .max = 1e9, .initial = "0",
     .meaning = "time for one run of the sweep, 0 = no limit; the next run has as much again"},
    {SECTION_BUDGET, FIELD_DURATION, "trial_wall", IN_SPEC(budget.trial_wall_s), .max = 1e9, .initial = "0",
     .meaning = "time for one trial, 0 = no limit"},
    {SECTION_BUDGET, FIELD_INT, "max_failed", IN_SPEC(budget.max_failed), .max = INT_MAX, .initial = "0",
     .meaning = "stop after this many failed trials, 0 = never"},

    {SECTION_RUN, FIELD_INT_OR_AUTO, "workers", IN_SPEC(run.workers), .min = 1, .max = RUN_MAX_WORKERS,
     .initial = "auto", .meaning = "trials trained at a time"},
    {SECTION_RUN, FIELD_INT_OR_AUTO, "threads", IN_SPEC(run.threads), .min = 1, .max = CPU_MAX,
     .initial = "auto", .meaning = "threads of each worker"},
    {SECTION_RUN, FIELD_INT, "retries", IN_SPEC(run.retries), .max = 100, .initial = "2",
     .meaning = "further attempts after a crash, or, after a pause, an error that may pass"},
    {SECTION_RUN, FIELD_DURATION, "checkpoint", IN_SPEC(run.checkpoint_s), .above = true, .max = 1e9,
     .initial = "60s", .meaning = "longest time between two checkpoints of a trial"},
    {SECTION_RUN, FIELD_CHOICE, "keep", IN_SPEC(run.keep), .choice = keep_choice, .initial = "last",
     .meaning =
         "checkpoints that stay when a trial is done: `last` the final weights, which the results are of; "
         "`best` also those of the epoch with the best validation top-1, `all` those of every epoch; `none` "
         "only the results"},
    {SECTION_RUN, FIELD_BOOL, "measure", IN_SPEC(run.measure), .initial = "true",
     .meaning =
         "measure each finished variant's inference latency, rate and memory at the end of a run, about "
         "half a second each"},

    {SECTION_BLOCK, FIELD_NAME, "id", .required = true, .meaning = "name of the block, unique in the spec"},
    {SECTION_BLOCK, FIELD_SECTION, "set",
     .meaning = "values of the whole block, over those of base and train"},
    {SECTION_BLOCK, FIELD_SECTION, "grid",
     .meaning = "axes, each a list or a range; every combination is a point, the last axis changes fastest"},
    {SECTION_BLOCK, FIELD_SECTION, "zip", .meaning = "axes of equal length, taken side by side"},
    {SECTION_BLOCK, FIELD_LIST, "list", .meaning = "explicit points, each a mapping of keys to values"},

    {SECTION_BLOCK, FIELD_SECTION, "random",
     .meaning = "draw points at random, in place of grid, zip and list"},
    {SECTION_BLOCK, FIELD_SECTION, "params", .meaning = "what a random block draws, by key"},
    {SECTION_BLOCK, FIELD_LIST, "exclude",
     .meaning = "conditions under which a point is no trial of this block"},

    {SECTION_RANDOM, FIELD_INT, "n", IN_RANDOM(n), .min = 1, .max = SPEC_MAX_TRIALS, .required = true,
     .meaning = "number of points"},
    {SECTION_RANDOM, FIELD_SEED, "seed", IN_RANDOM(seed), .initial = "1", .meaning = "chooses the points"},
    {SECTION_RANDOM, FIELD_CHOICE, "sampler", IN_RANDOM(sampler), .choice = sampler_choice,
     .initial = "random", .meaning = "independent points, a Latin hypercube, or a Sobol sequence"},

    {SECTION_PARAM, FIELD_LIST, "choice", .meaning = "one of these values, all equally likely"},
    {SECTION_PARAM, FIELD_LIST, "int",
     .meaning = "a whole number from the first to the second, both included"},
    {SECTION_PARAM, FIELD_LIST, "uniform", .meaning = "a number from the first to the second"},
    {SECTION_PARAM, FIELD_LIST, "loguniform",
     .meaning = "likewise, with equal chances for equal ratios; whole where the key takes whole numbers"},
    {SECTION_PARAM, FIELD_REAL, "step", .min = 0, .above = true, .max = DBL_MAX,
     .meaning = "with int and uniform: only the first number and so many steps from it"},
    {SECTION_PARAM, FIELD_TEXT, "when",
     .meaning = "a condition on other keys, at least one of them drawn too; where it does not hold the value "
                "of `set` or `base` stays"},

    {SECTION_RANGE, FIELD_REAL, "from", .min = -DBL_MAX, .max = DBL_MAX, .required = true,
     .meaning = "first value"},
    {SECTION_RANGE, FIELD_REAL, "to", .min = -DBL_MAX, .max = DBL_MAX, .required = true,
     .meaning = "limit; reached if a whole number of steps leads there"},
    {SECTION_RANGE, FIELD_REAL, "step", .min = -DBL_MAX, .max = DBL_MAX, .required = true,
     .meaning = "distance of two values, towards `to`"},

    {SECTION_PLOT, FIELD_WORD, "kind", IN_PLOT(kind), .choice = plot_choice, .required = true,
     .meaning = "kind of figure"},
    {SECTION_PLOT, FIELD_NAME, "block", IN_PLOT(block), .meaning = "block to draw; without it all blocks"},
    {SECTION_PLOT, FIELD_NAME, "x", IN_PLOT(x),
     .meaning = "column, or axis of the block, on the horizontal axis"},
    {SECTION_PLOT, FIELD_NAME, "y", IN_PLOT(y),
     .meaning = "column on the vertical axis; of a heatmap, its axis upwards"},
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
    for (size_t i = 0; i < field_count(); i++)
        if (field_in(&fields[i], section) && strcmp(fields[i].key, key) == 0)
            return &fields[i];
    return NULL;
}

bool field_is_metaparameter(const struct field *f)
{
    size_t meta = offsetof(struct point, design.meta);
    return f->section == SECTION_BASE && f->offset >= meta && f->offset < meta + sizeof(struct metaparams);
}

bool field_applies(const struct field *f, const struct recipe *recipe)
{
    return f->optimizers == 0 || (f->optimizers >> recipe->optimizer & 1) != 0;
}
