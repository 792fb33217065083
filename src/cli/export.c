/* firesweep export: a trained network for other programs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/database.h"
#include "cli/description.h"
#include "cli/output.h"
#include "engine/onnx.h"
#include "engine/weights.h"
#include "metamodel/cost.h"
#include "sweep/paths.h"
#include "sweep/store_trials.h"

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
    char *checkpoint;     /* owned */
    int64_t trial;        /* 0: a checkpoint was given */
    char arch_hash[HASH_TEXT];
    struct weights weights;
    bool normalised_inside; /* ONNX: the graph normalises */
    int64_t params, bytes;
};

/* What to export */

static enum status read_trial_id(struct export *x, const char *text, struct err *e)
{
    char *end;
    x->trial = strtoll(text, &end, 10);
    if (*end || end == text || x->trial < 1)
        return err_set(e, ST_USAGE, "TRIAL \"%.40s\" is no id of a trial, allowed: a whole number from 1",
                       text);
    return ST_OK;
}

/* The checkpoint where the database has it now, which may have moved with it, or where it was recorded. */
static enum status find_checkpoint(struct export *x, const char *db, const struct stored_trial *t,
                                   struct err *e)
{
    char *stem = paths_stem(db);
    char *beside =
        stem ? paths_checkpoint(stem, t->arch_hash, t->recipe_hash, t->data_fingerprint, t->seed) : NULL;
    enum status st = ST_OK;
    if (!beside)
        st = err_set(e, ST_NOMEM, "out of memory");
    else if (file_exists(beside) || !t->checkpoint || !file_exists(t->checkpoint))
        x->checkpoint = beside;
    else
        x->checkpoint = mem_strdup(t->checkpoint);
    if (beside != x->checkpoint)
        mem_free(beside);
    mem_free(stem);
    if (st == ST_OK && !x->checkpoint)
        st = err_set(e, ST_NOMEM, "out of memory");
    if (st == ST_OK && !file_exists(x->checkpoint))
        st = err_set(e, ST_FAILED, "trial %" PRId64 ": its checkpoint is gone: %s does not exist", x->trial,
                     x->checkpoint);
    return st;
}

static enum status find_trial(struct export *x, const char *db, struct err *e)
{
    struct store *store = NULL;
    struct stored_trial t = {.id = 0};
    enum status st = database_open(db, &store, e);
    if (st != ST_OK)
        return st;
    st = stored_trial_read(store, x->trial, &t, e);
    if (st == ST_OK && t.state != TRIAL_DONE)
        st = err_set(e, ST_USAGE, "trial %" PRId64 " is %s: only the weights of done trials are exported",
                     x->trial, trial_state_name(t.state));
    if (st == ST_OK)
        st = find_checkpoint(x, db, &t, e);
    if (st == ST_OK)
        snprintf(x->arch_hash, sizeof x->arch_hash, "%s", t.arch_hash);
    stored_trial_release(&t);
    store_close(store);
    return st;
}

/* "trial-3.onnx", or the checkpoint's name with another ending. */
static enum status set_target(struct export *x, const char *given, struct err *e)
{
    enum { TARGET = 4096 };
    const char *ending = x->onnx ? "onnx" : "safetensors";
    x->target = given;
    if (given)
        return *given ? ST_OK : err_set(e, ST_USAGE, "-o: the file's name is empty");
    char text[TARGET];
    const char *path = x->checkpoint ? x->checkpoint : "";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    if (x->trial > 0)
        snprintf(text, sizeof text, "trial-%" PRId64 ".%s", x->trial, ending);
    else
        snprintf(text, sizeof text, "%.*s.%s", dot ? (int)(dot - name) : (int)strlen(name), name, ending);
    x->target = x->default_target = mem_strdup(text);
    return x->target ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
}

static enum status check_target(const struct export *x, struct err *e)
{
    struct stat from, to;
    if (x->checkpoint && stat(x->checkpoint, &from) == 0 && stat(x->target, &to) == 0 &&
        from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        return err_set(e, ST_USAGE, "%s is the checkpoint itself, say -o FILE", x->target);
    return ST_OK;
}

static enum status read_arguments(struct export *x, const struct args *a, struct err *e)
{
    const char *const *given = a->positional;
    if (!a->value[OPTION_ONNX] == !a->value[OPTION_SAFETENSORS])
        return err_set(e, ST_USAGE, "say one of --onnx and --safetensors");
    x->onnx = a->value[OPTION_ONNX];
    enum status st = ST_OK;
    if (given[1]) {
        st = read_trial_id(x, given[1], e);
        if (st == ST_OK)
            st = find_trial(x, given[0], e);
    } else {
        const size_t n = strlen(given[0]);
        if (n > 3 && strcmp(given[0] + n - 3, ".db") == 0)
            return err_set(e, ST_USAGE, "%s is a database: TRIAL is missing, `firesweep query %s` lists them",
                           given[0], given[0]);
        x->checkpoint = mem_strdup(given[0]);
        if (!x->checkpoint)
            st = err_set(e, ST_NOMEM, "out of memory");
    }
    if (st == ST_OK)
        st = set_target(x, a->value[OPTION_OUTPUT], e);
    return st == ST_OK ? check_target(x, e) : st;
}

static enum status open_weights(struct export *x, struct err *e)
{
    char hash[HASH_TEXT];
    struct cost cost;
    enum status st = weights_open(x->checkpoint, &x->weights, e);
    if (st != ST_OK)
        return st;
    arch_hash(&x->weights.arch, hash);
    if (x->trial > 0 && strcmp(hash, x->arch_hash) != 0)
        return err_set(e, ST_CORRUPT, "%s holds another architecture than trial %" PRId64, x->checkpoint,
                       x->trial);
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
    mem_free(x.checkpoint);
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
