/* firesweep export: a trained network for other programs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/description.h"
#include "cli/output.h"
#include "cli/trained.h"
#include "engine/onnx.h"
#include "engine/weights.h"
#include "metamodel/cost.h"

enum { OPTION_ONNX = OPTION_OWN, OPTION_SAFETENSORS, OPTION_OUTPUT };

static const struct poptOption options[] = {
    {"onnx", '\0', POPT_ARG_NONE, NULL, OPTION_ONNX, "Write an ONNX model (opset 13)", NULL},
    {"safetensors", '\0', POPT_ARG_NONE, NULL, OPTION_SAFETENSORS,
     "Write the weights alone, without the optimizer's state", NULL},
    {"output", 'o', POPT_ARG_STRING, NULL, OPTION_OUTPUT,
     "File to write (default: trial-N, or the checkpoint's name, with .onnx or .safetensors, in the current "
     "folder)",
     "FILE"},
    OUTPUT_FORMAT_OPTION,
    POPT_TABLEEND};

enum { MEAN_MAX = CHANNELS_MAX };

struct export
{
    bool onnx;
    const char *target;   /* file to write */
    char *default_target; /* owned */
    struct trained from;
    struct weights weights;
    bool normalised_inside; /* ONNX: the graph normalises */
    int64_t params, bytes;
};

/* What to export */

/* "trial-3.onnx", or the checkpoint's name with another ending. */
static enum status set_target(struct export *x, const char *given, struct err *e)
{
    enum { TARGET = 4096 };
    const char *ending = x->onnx ? "onnx" : "safetensors";
    x->target = given;
    if (given)
        return *given ? ST_OK : err_set(e, ST_USAGE, "-o: the file's name is empty");
    char text[TARGET];
    const char *path = x->from.checkpoint;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    if (x->from.trial > 0)
        snprintf(text, sizeof text, "trial-%" PRId64 ".%s", x->from.trial, ending);
    else
        snprintf(text, sizeof text, "%.*s.%s", dot ? (int)(dot - name) : (int)strlen(name), name, ending);
    x->target = x->default_target = mem_strdup(text);
    return x->target ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
}

static enum status check_target(const struct export *x, struct err *e)
{
    struct stat from, to;
    if (stat(x->from.checkpoint, &from) == 0 && stat(x->target, &to) == 0 && from.st_dev == to.st_dev &&
        from.st_ino == to.st_ino)
        return err_set(e, ST_USAGE, "%s is the checkpoint itself, say -o FILE", x->target);
    return ST_OK;
}

static enum status read_arguments(struct export *x, const struct args *a, struct err *e)
{
    if (!a->value[OPTION_ONNX] == !a->value[OPTION_SAFETENSORS])
        return err_set(e, ST_USAGE, "say one of --onnx and --safetensors");
    x->onnx = a->value[OPTION_ONNX];
    enum status st = trained_find(a->positional, &x->from, e);
    if (st == ST_OK)
        st = set_target(x, a->value[OPTION_OUTPUT], e);
    return st == ST_OK ? check_target(x, e) : st;
}

static enum status open_weights(struct export *x, struct err *e)
{
    char hash[HASH_TEXT];
    struct cost cost;
    enum status st = weights_open(x->from.checkpoint, &x->weights, e);
    if (st != ST_OK)
        return st;
    arch_hash(&x->weights.arch, hash);
    if (x->from.trial > 0 && strcmp(hash, x->from.arch_hash) != 0)
        return err_set(e, ST_CORRUPT, "%s holds another architecture than trial %" PRId64, x->from.checkpoint,
                       x->from.trial);
    arch_cost(&x->weights.arch, &cost);
    x->params = cost.params;
    return ST_OK;
}

/* Writing */

static enum status write_file(const char *path, const struct strbuf *bytes, struct err *e)
{
    struct atomic_file file;
    enum status st = atomic_open(&file, path, e);
    if (st != ST_OK)
        return st;
    fwrite(bytes->text, 1, bytes->len, file.f);
    return atomic_commit(&file, e); /* sees a failed write */
}

static enum status write_onnx(struct export *x, struct err *e)
{
    float mean[MEAN_MAX], stddev[MEAN_MAX];
    struct json_object *description = json_tokener_parse(x->weights.description), *names = NULL;
    char hash[HASH_TEXT];
    struct st_meta meta[3];
    int meta_count = 0;
    arch_hash(&x->weights.arch, hash);
    meta[meta_count++] = (struct st_meta){"arch_hash", hash};
    if (*x->weights.description)
        meta[meta_count++] = (struct st_meta){"description", x->weights.description};
    if (json_object_object_get_ex(description, "class_names", &names))
        meta[meta_count++] = (struct st_meta){"class_names", json_object_to_json_string(names)};
    x->normalised_inside = description_normalisation(description, x->weights.arch.input.c, mean, stddev);
    const struct onnx_options o = {
        .mean = x->normalised_inside ? mean : NULL,
        .stddev = x->normalised_inside ? stddev : NULL,
        .producer_version = FIRESWEEP_VERSION,
        .note = x->normalised_inside ? "input: images, channels first, pixels from 0 to 1 (bytes / 255)"
                                     : "input: images, channels first, normalised as in training",
        .meta = meta,
        .meta_count = meta_count,
    };
    struct strbuf bytes = STRBUF_INIT;
    enum status st = onnx_encode(&x->weights, &o, &bytes, e);
    if (st == ST_OK)
        st = write_file(x->target, &bytes, e);
    strbuf_release(&bytes);
    json_object_put(description);
    return st;
}

static enum status write_target(struct export *x, struct err *e)
{
    struct stat written;
    enum status st = x->onnx ? write_onnx(x, e) : weights_write(&x->weights, x->target, e);
    if (st == ST_OK && stat(x->target, &written) == 0)
        x->bytes = written.st_size;
    return st;
}

/* Output */

static const struct table_column columns[] = {
    {.name = "file"},  {.name = "format"}, {.name = "bytes"},   {.name = "params"},
    {.name = "input"}, {.name = "pixels"}, {.name = "classes"},
};

static enum status rows(const void *context, struct table *t, struct err *e)
{
    const struct export *x = context;
    const struct arch *a = &x->weights.arch;
    char input[64];
    snprintf(input, sizeof input, "%dx%dx%d", a->input.c, a->input.h, a->input.w);
    const struct cell cells[] = {
        cell_text(x->target), cell_text(x->onnx ? "onnx" : "safetensors"),
        cell_int(x->bytes),   cell_int(x->params),
        cell_text(input),     cell_text(x->normalised_inside ? "0 to 1" : "normalised"),
        cell_int(a->classes),
    };
    return table_row(t, cells, e);
}

static enum status export_run(const struct args *a, struct err *e)
{
    static const struct section section = {
        .name = "export", SECTION_COLUMNS(columns), .record = true, .rows = rows};
    struct output o;
    struct export x = {.weights.description = ""};
    enum status st = output_init(&o, a, e);
    if (st == ST_OK)
        st = read_arguments(&x, a, e);
    if (st == ST_OK)
        st = open_weights(&x, e);
    if (st == ST_OK)
        st = write_target(&x, e);
    if (st == ST_OK)
        st = output_single(&o, &section, &x, e);
    weights_release(&x.weights);
    mem_free(x.default_target);
    trained_release(&x.from);
    return st == ST_OK ? ST_OK : err_prefix(e, "export");
}

const struct command command_export = {
    .name = "export",
    .summary = "Write a trained network as ONNX model or safetensors file",
    .positionals = "DB TRIAL | CHECKPOINT",
    .positional_min = 1,
    .positional_max = 2,
    .description =
        "Writes the trained weights of a done trial (TRIAL is its id), or of any checkpoint file, for other "
        "programs. The ONNX model takes float32 images [batch, channels, rows, columns] with pixels from 0 "
        "to 1, normalises them as in training, and gives logits [batch, classes]; dropout is left out. "
        "The safetensors file holds the weights [out, in, rows, columns] and biases under their layers' "
        "names, the architecture and the normalisation in its metadata; `firesweep eval` reads it too. An "
        "existing file is replaced.",
    .examples = "  firesweep export results/quickstart.db 3 --onnx -o model.onnx\n"
                "  firesweep export results/quickstart.db 3 --safetensors --format json\n"
                "  firesweep export model.best.safetensors --onnx\n",
    .options = options,
    .run = export_run,
};
