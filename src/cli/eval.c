/* firesweep eval: a checkpoint's accuracy on a data set, and its predictions. */
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "cli/commands.h"
#include "cli/description.h"
#include "cli/output.h"
#include "cli/trained.h"
#include "data/dataset.h"
#include "engine/trainer.h"
#include "sweep/spec.h"

enum {
    OPTION_DATA = OPTION_OWN,
    OPTION_DATA_FORMAT,
    OPTION_SPLIT,
    OPTION_VAL,
    OPTION_VAL_SEED,
    OPTION_TEST_LIMIT,
    OPTION_PREDICTIONS,
    OPTION_LOGITS,
};

static const struct poptOption options[] = {
    {"data", '\0', POPT_ARG_STRING, NULL, OPTION_DATA,
     "Folder of the data set (default for a trial: its sweep's)", "PATH"},
    {"data-format", '\0', POPT_ARG_STRING, NULL, OPTION_DATA_FORMAT,
     "idx, cifar10, cifar100 or image-folder (default: by the files in the folder)", "F"},
    {"split", '\0', POPT_ARG_STRING, NULL, OPTION_SPLIT, "test (default), val or train", "S"},
    {"val", '\0', POPT_ARG_STRING, NULL, OPTION_VAL,
     "Training images set aside for validation, data.val in the spec (default for a trial: its sweep's)",
     "N"},
    {"val-seed", '\0', POPT_ARG_STRING, NULL, OPTION_VAL_SEED, "data.val_seed in the spec (default 1)", "N"},
    {"test-limit", '\0', POPT_ARG_STRING, NULL, OPTION_TEST_LIMIT,
     "data.test_limit in the spec (default 0: all images)", "N"},
    {"predictions", '\0', POPT_ARG_STRING, NULL, OPTION_PREDICTIONS,
     "Write one line of CSV per image, index being its number among the training or test images of the data, "
     "from 0; - is standard output, in place of the metrics",
     "FILE"},
    {"logits", '\0', POPT_ARG_NONE, NULL, OPTION_LOGITS,
     "With --predictions: a column of the network's outputs, separated by spaces", NULL},
    {"threads", '\0', POPT_ARG_STRING, NULL, OPTION_THREADS, "Threads (default: all cores)", "N"},
    OUTPUT_FORMAT_OPTION,
    POPT_TABLEEND};

struct evaluation {
    struct trained from;
    struct spec spec;        /* of the trial's sweep, if one is named */
    const char *predictions; /* NULL = none */
    bool with_logits;        /* among the predictions */
    enum split split;
    int threads;
    struct data_source source;
    struct arch arch;
    struct json_object *description; /* NULL = the checkpoint has none */
    struct dataset data;
    float *logits; /* images x classes, only for predictions */
    struct eval_metrics metrics;
};

/* Arguments */

static enum status guess_format(const char *path, enum data_format *out, struct err *e)
{
    static const struct {
        const char *file;
        enum data_format format;
    } marks[] = {
        {"train-images-idx3-ubyte", DATA_IDX}, {"train-images-idx3-ubyte.gz", DATA_IDX},
        {"data_batch_1.bin", DATA_CIFAR10},    {"train.bin", DATA_CIFAR100},
        {"train", DATA_IMAGE_FOLDER},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char *file = mem_printf("%s/%s", path, marks[i].file);
        if (!file)
            return err_set(e, ST_NOMEM, "out of memory");
        bool found = file_exists(file);
        mem_free(file);
        if (found) {
            *out = marks[i].format;
            return ST_OK;
        }
    }
    if (!file_exists(path))
        return err_set(e, ST_USAGE, "--data: %s does not exist", path);
    return err_set(e, ST_USAGE, "--data: %s holds no data set that is known by its files, say --data-format",
                   path);
}

static enum status read_format(const struct args *a, struct data_source *source, struct err *e)
{
    const char *format = a->value[OPTION_DATA_FORMAT];
    if (!format && !a->value[OPTION_DATA])
        return ST_OK; /* the spec's */
    if (!format)
        return guess_format(source->path, &source->format, e);
    if (!data_format_parse(format, &source->format))
        return err_set(
            e, ST_USAGE,
            "--data-format: \"%.40s\" is unknown, allowed are idx, cifar10, cifar100, image-folder", format);
    return ST_OK;
}

static enum status read_split(const struct args *a, enum split *out, struct err *e)
{
    const char *text = a->value[OPTION_SPLIT];
    *out = SPLIT_TEST;
    if (!text)
        return ST_OK;
    for (int i = 0; i < SPLIT_COUNT; i++) {
        if (strcmp(text, split_name((enum split)i)) == 0) {
            *out = (enum split)i;
            return ST_OK;
        }
    }
    return err_set(e, ST_USAGE, "--split: \"%.40s\" is unknown, allowed are train, val, test", text);
}

/* What the sweep of the trial says of its data. */
static enum status take_spec(struct evaluation *v, struct err *e)
{
    const struct trained *t = &v->from;
    if (!t->spec_text)
        return ST_OK;
    const enum status st = spec_parse(t->spec_text, strlen(t->spec_text), t->spec_path, &v->spec, e);
    if (st == ST_OK)
        v->source = v->spec.data;
    return st == ST_OK ? ST_OK : err_prefix(e, "the spec of the trial's sweep");
}

/* Options say otherwise what a spec may have said. */
static enum status read_source(struct evaluation *v, const struct args *a, struct err *e)
{
    enum { MOST_IMAGES = 100000000, MOST_SEED = 2147483647 };
    int val_seed = -1;
    v->source.val_seed = 1;
    enum status st = trained_find(a->positional, &v->from, e);
    if (st == ST_OK)
        st = take_spec(v, e);
    if (st == ST_OK)
        st = args_int(a, OPTION_VAL, "--val", 0, MOST_IMAGES, &v->source.val, e);
    if (st == ST_OK)
        st = args_int(a, OPTION_VAL_SEED, "--val-seed", 0, MOST_SEED, &val_seed, e);
    if (st == ST_OK)
        st = args_int(a, OPTION_TEST_LIMIT, "--test-limit", 0, MOST_IMAGES, &v->source.test_limit, e);
    if (st == ST_OK && val_seed >= 0)
        v->source.val_seed = (uint64_t)val_seed;
    if (st != ST_OK)
        return st;
    if (a->value[OPTION_DATA])
        v->source.path = a->value[OPTION_DATA];
    return v->source.path ? ST_OK : err_set(e, ST_USAGE, "--data is missing, see firesweep eval --help");
}

static enum status read_arguments(struct evaluation *v, const struct args *a, struct err *e)
{
    v->predictions = a->value[OPTION_PREDICTIONS];
    v->with_logits = a->value[OPTION_LOGITS];
    if (v->with_logits && !v->predictions)
        return err_set(e, ST_USAGE, "--logits goes with --predictions");
    enum status st = read_split(a, &v->split, e);
    if (st == ST_OK)
        st = read_source(v, a, e);
    if (st == ST_OK)
        st = args_int(a, OPTION_THREADS, "--threads", 1, CPU_MAX, &v->threads, e);
    if (st == ST_OK && v->split == SPLIT_VAL && v->source.val == 0)
        st = err_set(e, ST_USAGE, "--split val needs --val N: the number of images the sweep set aside");
    if (v->threads == 0) {
        struct cpu_info cpu;
        cpu_detect(&cpu);
        v->threads = cpu.physical_cores > 0 ? cpu.physical_cores : 1;
    }
    return st;
}

/* Checkpoint and data */

static enum status read_checkpoint(struct evaluation *v, struct err *e)
{
    char *text = NULL;
    enum status st = checkpoint_describe(v->from.checkpoint, &v->arch, &text, e);
    if (st == ST_OK && *text)
        v->description = json_tokener_parse(text);
    mem_free(text);
    return st;
}

/* The network saw its training images normalised with their statistics, not with those of this data. */
static void normalise_as_trained(struct evaluation *v)
{
    struct dataset *d = &v->data;
    float mean[4], stddev[4];
    if (!description_normalisation(v->description, d->image.c, mean, stddev))
        return;
    for (int c = 0; c < d->image.c; c++) {
        d->mean[c] = mean[c];
        d->stddev[c] = stddev[c];
        for (int value = 0; value < 256;
             value++) /* the arithmetic of struct dataset: bit-identical to training's */
            d->normalised[c][value] = (float)((value / 255.0 - (double)mean[c]) / (double)stddev[c]);
    }
}

static enum status check_class_names(const struct evaluation *v, struct err *e)
{
    struct json_object *names;
    if (!json_object_object_get_ex(v->description, "class_names", &names) ||
        !json_object_is_type(names, json_type_array) ||
        json_object_array_length(names) != (size_t)v->data.classes)
        return ST_OK;
    for (int i = 0; i < v->data.classes; i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(names, (size_t)i));
        if (name && strcmp(name, v->data.class_names[i]) != 0)
            return err_set(e, ST_USAGE, "class %d is \"%.60s\" in the data and \"%.60s\" in the checkpoint",
                           i, v->data.class_names[i], name);
    }
    return ST_OK;
}

static enum status load_data(struct evaluation *v, struct err *e)
{
    if (v->source.format == DATA_IMAGE_FOLDER) {
        v->source.resize_h = v->arch.input.h;
        v->source.resize_w = v->arch.input.w;
    }
    enum status st = dataset_load(&v->source, &v->data, e);
    if (st != ST_OK)
        return st;
    const struct shape *data = &v->data.image, *net = &v->arch.input;
    if (data->c != net->c || data->h != net->h || data->w != net->w)
        return err_set(e, ST_USAGE,
                       "%s: the images are %dx%dx%d, the network takes %dx%dx%d (channels, rows, columns)",
                       v->source.path, data->c, data->h, data->w, net->c, net->h, net->w);
    if (v->data.classes != v->arch.classes)
        return err_set(e, ST_USAGE, "%s: the data has %d classes, the network %d", v->source.path,
                       v->data.classes, v->arch.classes);
    if (v->data.sets[v->split].count == 0)
        return err_set(e, ST_USAGE, "%s: there are no %s images", v->source.path, split_name(v->split));
    normalise_as_trained(v);
    return check_class_names(v, e);
}

static int load_sample(const void *context, size_t index, uint64_t seed, unsigned epoch, float *out,
                       size_t pitch)
{
    enum { AHEAD = 256 }; /* images */
    const struct evaluation *v = context;
    dataset_ahead(&v->data, v->split, &(uint32_t){(uint32_t)index + AHEAD}, 1);
    return dataset_sample(&v->data, v->split, index, NULL, seed, epoch, out, pitch);
}

static enum status evaluate(struct evaluation *v, struct err *e)
{
    struct trainer *trainer = NULL;
    const struct samples samples = {.context = v, .count = v->data.sets[v->split].count, .load = load_sample};
    if (v->predictions) {
        v->logits = mem_alloc(samples.count, (size_t)v->arch.classes * sizeof *v->logits);
        if (!v->logits)
            return err_set(e, ST_NOMEM, "out of memory for the predictions of %zu images", samples.count);
    }
    enum status st = trainer_open(v->from.checkpoint, v->threads, &trainer, e);
    if (st == ST_OK)
        st = trainer_evaluate(trainer, &samples, &v->metrics, v->logits, e);
    trainer_free(trainer);
    enum status lost = dataset_failure(&v->data, e);
    return lost != ST_OK ? lost : st;
}

/* Output */

static const struct table_column prediction_columns[] = {
    {.name = "index"},     {.name = "file"},           {.name = "label"},       {.name = "label_name"},
    {.name = "predicted"}, {.name = "predicted_name"}, {.name = "probability"}, {.name = "logits"},
};
enum { PREDICTION_COLUMNS = sizeof prediction_columns / sizeof *prediction_columns };

static int largest(const float *logits, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

/* Softmax at the largest logit. */
static double probability_of_largest(const float *logits, int n, float top)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp((double)logits[i] - (double)top);
    return 1 / sum;
}

static void format_logits(const float *logits, int n, struct strbuf *out)
{
    strbuf_clear(out);
    for (int i = 0; i < n; i++)
        strbuf_printf(out, "%s%.9g", i ? " " : "", (double)logits[i]);
}

static enum status write_prediction_rows(const struct evaluation *v, FILE *out, struct err *e)
{
    const struct image_set *set = &v->data.sets[v->split];
    int classes = v->arch.classes;
    struct table t;
    struct strbuf text = STRBUF_INIT;
    enum status st =
        table_init(&t, out, TABLE_CSV, prediction_columns, PREDICTION_COLUMNS - !v->with_logits, e);
    for (size_t i = 0; i < set->count && st == ST_OK; i++) {
        const float *logits = v->logits + i * (size_t)classes;
        int predicted = largest(logits, classes), label = set->labels[i];
        if (v->with_logits)
            format_logits(logits, classes, &text);
        const struct cell cells[] = {
            cell_int((int64_t)image_place(set, i)),
            cell_text(set->names ? set->names[i] : NULL),
            cell_int(label),
            cell_text(v->data.class_names[label]),
            cell_int(predicted),
            cell_text(v->data.class_names[predicted]),
            cell_real(probability_of_largest(logits, classes, logits[predicted])),
            cell_text(text.text),
        };
        st = table_row(&t, cells, e);
    }
    if (text.failed)
        st = err_set(e, ST_NOMEM, "out of memory");
    if (st == ST_OK)
        st = table_finish(&t, e);
    table_release(&t);
    strbuf_release(&text);
    return st;
}

static enum status write_predictions(const struct evaluation *v, struct err *e)
{
    if (strcmp(v->predictions, "-") == 0)
        return write_prediction_rows(v, stdout, e);
    struct atomic_file file;
    enum status st = atomic_open(&file, v->predictions, e);
    if (st != ST_OK)
        return st;
    st = write_prediction_rows(v, file.f, e);
    if (st == ST_OK)
        return atomic_commit(&file, e);
    atomic_abort(&file);
    return st;
}

static const struct table_column metric_columns[] = {
    {.name = "checkpoint"},
    {.name = "data"},
    {.name = "split"},
    {.name = "n", .title = "images"},
    {.name = "loss", .decimals = 4},
    {.name = "top1", .flags = TABLE_NOT_TEXT},
    {.name = "top5", .flags = TABLE_NOT_TEXT},
    {.name = "top-1 %", .decimals = 2, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "top-5 %", .decimals = 2, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
};

static enum status metric_rows(const void *context, struct table *t, struct err *e)
{
    const struct evaluation *v = context;
    const struct eval_metrics *m = &v->metrics;
    const struct cell cells[] = {
        cell_text(v->from.checkpoint),
        cell_text(v->source.path),
        cell_text(split_name(v->split)),
        cell_int((int64_t)m->count),
        cell_real(m->loss),
        cell_real(m->top1),
        cell_real(m->top5),
        cell_real(100 * m->top1),
        cell_real(100 * m->top5),
    };
    return table_row(t, cells, e);
}

static enum status write_results(const struct evaluation *v, const struct output *o, struct err *e)
{
    static const struct section metrics = {
        .name = "metrics", SECTION_COLUMNS(metric_columns), .record = true, .rows = metric_rows};
    enum status st = v->predictions ? write_predictions(v, e) : ST_OK;
    if (st == ST_OK && !(v->predictions && strcmp(v->predictions, "-") == 0))
        st = output_single(o, &metrics, v, e);
    return st;
}

static enum status eval_run(const struct args *a, struct err *e)
{
    struct evaluation v = {0};
    struct output o;
    enum status st = output_init(&o, a, e);
    if (st == ST_OK)
        st = read_arguments(&v, a, e);
    if (st == ST_OK)
        st = read_checkpoint(&v, e);
    if (st == ST_OK)
        st = read_format(a, &v.source, e);
    if (st == ST_OK)
        st = load_data(&v, e);
    if (st == ST_OK)
        st = evaluate(&v, e);
    if (st == ST_OK)
        st = write_results(&v, &o, e);
    mem_free(v.logits);
    dataset_release(&v.data);
    json_object_put(v.description);
    spec_release(&v.spec);
    trained_release(&v.from);
    return st == ST_OK ? ST_OK : err_prefix(e, "eval");
}

const struct command command_eval = {
    .name = "eval",
    .summary = "Accuracy and predictions of a trained network on a data set",
    .positionals = "DB TRIAL | CHECKPOINT",
    .positional_min = 1,
    .positional_max = 2,
    .description =
        "Evaluates a done trial (TRIAL is its id), or the network of any checkpoint file, on one split "
        "of a data set: images, mean cross-entropy loss, top-1 and top-5 accuracy. A trial's data "
        "are those of its sweep, unless options say otherwise. Images are normalised as the "
        "network was trained.",
    .examples = "  firesweep eval results/quickstart.db 3\n"
                "  firesweep eval results/quickstart.db 3 --split val --predictions val.csv\n"
                "  firesweep eval model.safetensors --data /usr/share/datasets/fashion-mnist\n"
                "  firesweep eval model.safetensors --data photos --predictions out.csv\n",
    .options = options,
    .run = eval_run,
};
