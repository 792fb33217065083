/* Checkpoints: the trainer's state as a safetensors file. Metadata is text, floats in it have 17 digits. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "engine/checkpoint_arch.h"
#include "engine/optimizer.h"
#include "engine/safetensors.h"
#include "engine/trainer_internal.h"
#include "metamodel/cost.h"

enum { FORMAT_VERSION = 1, META_MAX = 24, TEXT_MAX = 256 };

/* One kind of per-parameter array and what its tensors' names start with. */
struct parameter_set {
    const char *prefix;
    float *block;
};

static int parameter_sets(const struct trainer *t, struct parameter_set out[1 + STATE_SLOTS])
{
    const bool sgd = t->recipe.optimizer == OPTIMIZER_SGD;
    int n = 0;
    out[n++] = (struct parameter_set){"", t->params};
    if (t->state[0])
        out[n++] = (struct parameter_set){sgd ? "optimizer.momentum." : "optimizer.exp_avg.", t->state[0]};
    if (t->state[1])
        out[n++] = (struct parameter_set){"optimizer.exp_avg_sq.", t->state[1]};
    return n;
}

/* Describes the two tensors of a branch: weight [cout, cin, k, k] and bias [cout]. */
static void describe(const struct trainer *t, const struct branch *b, const char *prefix,
                     struct st_tensor *weight, struct st_tensor *bias)
{
    const char *layer = t->arch.layers[b->layer].name;
    *weight = (struct st_tensor){.dims = 4, .shape = {b->cout, b->cin, b->kernel, b->kernel}};
    *bias = (struct st_tensor){.dims = 1, .shape = {b->cout}};
    snprintf(weight->name, sizeof weight->name, "%s%s.weight", prefix, layer);
    snprintf(bias->name, sizeof bias->name, "%s%s.bias", prefix, layer);
}

struct tensor_list {
    int count;
    struct st_tensor *items;
    float *floats; /* one block behind all weight tensors */
};

static void list_release(struct tensor_list *l)
{
    mem_free(l->items);
    mem_free(l->floats);
}

/* Adds one branch's tensors of one set; returns the floats used. */
static size_t list_add(struct tensor_list *l, const struct trainer *t, const struct branch *b,
                       const struct parameter_set *set, float *space)
{
    struct st_tensor *weight = &l->items[l->count++], *bias = &l->items[l->count++];
    describe(t, b, set->prefix, weight, bias);
    weight->data = space;
    bias->data = set->block + b->biases;
    network_unpack(b, set->block + b->weights, space);
    return (size_t)b->cout * (size_t)b->k_count;
}

static enum status list_build(struct tensor_list *l, const struct trainer *t, struct err *e)
{
    struct parameter_set sets[1 + STATE_SLOTS];
    const int set_count = parameter_sets(t, sets);
    *l = (struct tensor_list){0};
    l->items = mem_calloc((size_t)set_count * 2 * ARCH_MAX_LAYERS, sizeof *l->items);
    l->floats = mem_alloc((size_t)set_count * t->train_net.param_floats, sizeof *l->floats);
    if (!l->items || !l->floats) {
        list_release(l);
        return err_set(e, ST_NOMEM, "out of memory");
    }
    float *space = l->floats;
    for (int s = 0; s < set_count; s++)
        for (int i = 0; i < t->train_net.op_count; i++)
            for (int b = 0; b < t->train_net.ops[i].branch_count; b++)
                space += list_add(l, t, &t->train_net.ops[i].branch[b], &sets[s], space);
    return ST_OK;
}

/* History as text: one epoch a line. */
static void history_format(const struct trainer *t, struct strbuf *out)
{
    for (int i = 0; i < t->at.epoch; i++) {
        const struct epoch_metrics *m = &t->history[i];
        strbuf_printf(out, "%d %.17g %.17g %.17g %zu %.17g %.17g %.17g %.17g %.17g\n", m->epoch, m->lr,
                      m->train_loss, m->train_top1, m->val.count, m->val.loss, m->val.top1, m->val.top5,
                      m->train_s, m->eval_s);
    }
}

static bool history_parse(const char *text, int epochs, struct epoch_metrics *out)
{
    for (int i = 0; i < epochs; i++) {
        struct epoch_metrics *m = &out[i];
        int used = 0;
        if (sscanf(text, "%d %lf %lf %lf %zu %lf %lf %lf %lf %lf%n", &m->epoch, &m->lr, &m->train_loss,
                   &m->train_top1, &m->val.count, &m->val.loss, &m->val.top1, &m->val.top5, &m->train_s,
                   &m->eval_s, &used) != 10 ||
            m->epoch != i + 1 || text[used] != '\n')
            return false;
        text += used + 1;
    }
    return *text == '\0';
}

/* Identity of architecture and recipe (here with so many epochs) that a checkpoint belongs to. */
static void identity(const struct trainer *t, int epochs, char arch[HASH_TEXT], char recipe[HASH_TEXT])
{
    struct recipe r = t->recipe;
    r.epochs = epochs;
    arch_hash(&t->arch, arch);
    recipe_hash(&r, engine_numerics(), recipe);
}

struct meta_list {
    int count;
    struct st_meta items[META_MAX];
    char text[META_MAX][TEXT_MAX];
};

static void __attribute__((format(printf, 3, 4)))
meta_add(struct meta_list *m, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(m->text[m->count], TEXT_MAX, format, args);
    va_end(args);
    m->items[m->count] = (struct st_meta){key, m->text[m->count]};
    m->count++;
}

static void meta_add_position(struct meta_list *m, const struct position *at)
{
    meta_add(m, "epoch", "%d", at->epoch);
    meta_add(m, "step", "%" PRId64, at->step);
    meta_add(m, "sums", "%.17g %" PRId64 " %" PRId64 " %.17g", at->loss_sum, at->correct, at->seen,
             at->train_s);
}

enum status trainer_save(const struct trainer *t, const char *path, const char *description, struct err *e)
{
    char arch[HASH_TEXT], recipe[HASH_TEXT];
    struct meta_list m = {0};
    struct arch_text arch_text;
    identity(t, t->recipe.epochs, arch, recipe);
    meta_add(&m, "format", "firesweep checkpoint %d", FORMAT_VERSION);
    meta_add(&m, "arch_hash", "%s", arch);
    meta_add(&m, "recipe_hash", "%s", recipe);
    meta_add(&m, "seed", "%" PRIu64, t->seed);
    meta_add_position(&m, &t->at);
    arch_text_format(&t->arch, &arch_text);
    for (int i = 0; i < ARCH_TEXT_KEYS; i++)
        m.items[m.count++] = (struct st_meta){arch_text_key(i), arch_text.value[i]};
    struct strbuf history = STRBUF_INIT;
    history_format(t, &history);
    m.items[m.count++] = (struct st_meta){"history", history.text};
    if (description)
        m.items[m.count++] = (struct st_meta){"description", description};

    struct tensor_list list = {0};
    enum status s = history.failed ? err_set(e, ST_NOMEM, "out of memory") : list_build(&list, t, e);
    if (s == ST_OK) {
        s = safetensors_write(path, list.items, list.count, m.items, m.count, e);
        list_release(&list);
    }
    strbuf_release(&history);
    return s;
}

static const char *meta(const struct safetensors *f, const char *key)
{
    const char *value = safetensors_meta(f, key);
    return value ? value : "";
}

static enum status check_format(const struct safetensors *f, const char *path, struct err *e)
{
    int version = 0;
    if (strcmp(meta(f, "format"), WEIGHTS_FORMAT) == 0)
        return err_set(e, ST_USAGE, "%s: holds weights alone, training cannot continue from it", path);
    if (sscanf(meta(f, "format"), "firesweep checkpoint %d", &version) != 1)
        return err_set(e, ST_CORRUPT, "%s: not a firesweep checkpoint", path);
    if (version != FORMAT_VERSION)
        return err_set(e, ST_CORRUPT, "%s: checkpoint format %d, this version reads %d", path, version,
                       FORMAT_VERSION);
    return ST_OK;
}

static enum status check_identity(const struct trainer *t, int epochs, const struct safetensors *f,
                                  const char *path, struct err *e)
{
    char arch[HASH_TEXT], recipe[HASH_TEXT], seed[32];
    identity(t, epochs, arch, recipe);
    snprintf(seed, sizeof seed, "%" PRIu64, t->seed);
    const char *const keys[] = {"arch_hash", "recipe_hash", "seed"}, *const mine[] = {arch, recipe, seed};
    for (int i = 0; i < 3; i++)
        if (strcmp(meta(f, keys[i]), mine[i]) != 0)
            return err_set(e, ST_USAGE, "%s: is of another trial: %s is %.40s, wanted %s", path, keys[i],
                           meta(f, keys[i]), mine[i]);
    return ST_OK;
}

static bool parse_position(const struct safetensors *f, const struct trainer *t, struct position *at)
{
    *at = (struct position){0};
    if (sscanf(meta(f, "epoch"), "%d", &at->epoch) != 1 ||
        sscanf(meta(f, "step"), "%" SCNd64, &at->step) != 1 ||
        sscanf(meta(f, "sums"), "%lf %" SCNd64 " %" SCNd64 " %lf", &at->loss_sum, &at->correct, &at->seen,
               &at->train_s) != 4)
        return false;
    return at->epoch >= 0 && at->epoch <= t->recipe.epochs && at->step >= 0 &&
           at->step <= trainer_steps_per_epoch(t);
}

static bool same_shape(const struct st_tensor *a, const struct st_tensor *b)
{
    return a && a->dims == b->dims && memcmp(a->shape, b->shape, sizeof a->shape) == 0;
}

/* Copies a set's tensors into its block; with `check_only` says whether they are all there. */
static enum status load_set(const struct trainer *t, const struct safetensors *f,
                            const struct parameter_set *set, bool check_only, const char *path, struct err *e)
{
    for (int i = 0; i < t->train_net.op_count; i++)
        for (int k = 0; k < t->train_net.ops[i].branch_count; k++) {
            const struct branch *b = &t->train_net.ops[i].branch[k];
            struct st_tensor weight, bias;
            describe(t, b, set->prefix, &weight, &bias);
            const struct st_tensor *w = safetensors_find(f, weight.name), *v = safetensors_find(f, bias.name);
            if (!same_shape(w, &weight) || !same_shape(v, &bias))
                return err_set(e, ST_CORRUPT, "%s: tensor %s or %s is missing or has another shape", path,
                               weight.name, bias.name);
            if (check_only)
                continue;
            network_pack(b, w->data, set->block + b->weights);
            memcpy(set->block + b->biases, v->data, (size_t)b->cout * sizeof(float));
        }
    return ST_OK;
}

/* Checks everything before it changes anything. */
static enum status load_state(struct trainer *t, const struct safetensors *f, const char *path, struct err *e)
{
    struct parameter_set sets[1 + STATE_SLOTS];
    const int set_count = parameter_sets(t, sets);
    struct position at;
    if (!parse_position(f, t, &at))
        return err_set(e, ST_CORRUPT, "%s: the training position is unreadable", path);
    for (int i = 0; i < set_count; i++) {
        enum status s = load_set(t, f, &sets[i], true, path, e);
        if (s != ST_OK)
            return s;
    }
    struct epoch_metrics *history = mem_calloc((size_t)t->recipe.epochs, sizeof *history);
    if (!history)
        return err_set(e, ST_NOMEM, "out of memory");
    if (!history_parse(meta(f, "history"), at.epoch, history)) {
        mem_free(history);
        return err_set(e, ST_CORRUPT, "%s: the history is unreadable", path);
    }
    mem_free(t->history);
    t->history = history;
    t->at = at;
    for (int i = 0; i < set_count; i++)
        load_set(t, f, &sets[i], false, path, e);
    trainer_weights_changed(t);
    return ST_OK;
}

static enum status load_trained(struct trainer *t, int epochs, const char *path, struct err *e)
{
    struct safetensors *f = NULL;
    enum status s = safetensors_read(path, &f, e);
    if (s == ST_OK)
        s = check_format(f, path, e);
    if (s == ST_OK)
        s = check_identity(t, epochs, f, path, e);
    if (s == ST_OK)
        s = load_state(t, f, path, e);
    safetensors_free(f);
    return s;
}

enum status trainer_load(struct trainer *t, const char *path, struct err *e)
{
    return load_trained(t, t->recipe.epochs, path, e);
}

enum status trainer_load_shorter(struct trainer *t, const char *path, int epochs, struct err *e)
{
    const char *obstacle = recipe_extension_obstacle(&t->recipe);
    if (obstacle || epochs >= t->recipe.epochs)
        return err_set(e, ST_USAGE, "%s: cannot be extended from %d to %d epochs: %s", path, epochs,
                       t->recipe.epochs, obstacle ? obstacle : "it is not shorter");
    return load_trained(t, epochs, path, e);
}

static enum status read_arch(const struct safetensors *f, const char *path, struct arch *out, struct err *e)
{
    struct arch_text text;
    for (int i = 0; i < ARCH_TEXT_KEYS; i++)
        snprintf(text.value[i], ARCH_TEXT_MAX, "%s", meta(f, arch_text_key(i)));
    enum status s = arch_text_parse(&text, out, e);
    if (s != ST_OK) {
        err_prefix(e, "%s", path);
        return e->status = ST_CORRUPT;
    }
    return s;
}

enum status checkpoint_open(const char *path, struct safetensors **f, struct arch *arch, struct err *e)
{
    *f = NULL;
    enum status s = safetensors_read(path, f, e);
    if (s == ST_OK && strcmp(meta(*f, "format"), WEIGHTS_FORMAT) != 0)
        s = check_format(*f, path, e);
    return s == ST_OK ? read_arch(*f, path, arch, e) : s;
}

enum status checkpoint_describe(const char *path, struct arch *out, char **description, struct err *e)
{
    struct safetensors *f = NULL;
    enum status s = checkpoint_open(path, &f, out, e);
    if (s == ST_OK && description) {
        *description = mem_strdup(meta(f, "description"));
        s = *description ? ST_OK : err_set(e, ST_NOMEM, "out of memory");
    }
    safetensors_free(f);
    return s;
}

/* Before a trainer is made: a small file may speak of a network that no memory holds. */
static enum status check_size(const struct safetensors *f, const struct arch *arch, const char *path,
                              struct err *e)
{
    struct cost cost;
    int64_t floats = 0;
    arch_cost(arch, &cost);
    for (int i = 0; i < safetensors_count(f); i++) {
        const struct st_tensor *t = safetensors_at(f, i);
        int64_t n = 1;
        for (int k = 0; k < t->dims; k++)
            n *= t->shape[k];
        floats += n;
    }
    if (floats >= cost.params)
        return ST_OK;
    return err_set(e, ST_CORRUPT,
                   "%s: tensors are missing: there are %" PRId64 " numbers, the network has %" PRId64
                   " parameters",
                   path, floats, cost.params);
}

enum status trainer_open(const char *path, int threads, struct trainer **out, struct err *e)
{
    struct safetensors *f = NULL;
    struct arch arch;
    const struct recipe recipe = recipe_default();
    *out = NULL;
    enum status s = checkpoint_open(path, &f, &arch, e);
    if (s == ST_OK)
        s = check_size(f, &arch, path, e);
    if (s == ST_OK) {
        s = trainer_create(&(struct trainer_config){.arch = &arch, .recipe = &recipe, .threads = threads},
                           out, e);
        if (s != ST_OK)
            err_prefix(e, "%s", path);
    }
    if (s == ST_OK)
        s = load_set(*out, f, &(struct parameter_set){"", (*out)->params}, true, path, e);
    if (s == ST_OK)
        load_set(*out, f, &(struct parameter_set){"", (*out)->params}, false, path, e);
    if (s == ST_OK)
        trainer_weights_changed(*out);
    safetensors_free(f);
    if (s != ST_OK) {
        trainer_free(*out);
        *out = NULL;
    }
    return s;
}
