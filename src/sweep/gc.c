#include "sweep/gc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "sweep/store_trials.h"

bool checkpoint_needed(enum checkpoint_kind kind, enum trial_state state, enum keep keep)
{
    if (state != TRIAL_DONE && state != TRIAL_DIVERGED)
        return true;
    switch (kind) {
    case CHECKPOINT_LAST:
        return state == TRIAL_DONE && keep != KEEP_NONE;
    case CHECKPOINT_BEST:
        return keep == KEEP_BEST || keep == KEEP_ALL;
    case CHECKPOINT_EPOCH:
        return keep == KEEP_ALL;
    default:
        return false;
    }
}

static enum status no_memory(const struct gc *g, struct err *e)
{
    return err_set(e, ST_NOMEM, "%s: out of memory", g->folder ? g->folder : "gc");
}

/* The policy that keeps most among the sweeps of the database: no file is removed that one of them wants. */
static enum status recorded_keep(struct store *s, enum keep *out, struct err *e)
{
    static const int amount[] = {[KEEP_NONE] = 0, [KEEP_LAST] = 1, [KEEP_BEST] = 2, [KEEP_ALL] = 3};
    struct arena arena;
    struct known_sweep *sweeps = NULL;
    int count = 0;
    arena_init(&arena);
    enum status status = store_known_sweeps(s, &arena, &sweeps, &count, e);
    *out = count > 0 ? KEEP_NONE : KEEP_LAST;
    for (int i = 0; i < count && status == ST_OK; i++) {
        struct spec spec;
        status = spec_parse(sweeps[i].spec_text, strlen(sweeps[i].spec_text), sweeps[i].spec_path, &spec, e);
        if (status == ST_OK && amount[spec.run.keep] > amount[*out])
            *out = spec.run.keep;
        spec_release(&spec);
    }
    arena_release(&arena);
    return status;
}

static struct gc_file *add_file(struct gc *g, const char *name, int *room)
{
    if (g->count == *room) {
        int more = *room * 2 + 64;
        struct gc_file *files = mem_realloc(g->files, (size_t)more, sizeof *files);
        if (!files)
            return NULL;
        g->files = files;
        *room = more;
    }
    struct gc_file *f = &g->files[g->count];
    *f = (struct gc_file){.name = arena_strdup(&g->arena, name), .fate = GC_FOREIGN};
    return f->name ? f : NULL;
}

/* All names of the folder but "." and ".."; a folder that is not there is empty. */
static enum status read_folder(struct gc *g, struct err *e)
{
    int room = 0;
    DIR *folder = opendir(g->folder);
    if (!folder)
        return errno == ENOENT ? ST_OK : err_errno(e, "cannot read the folder %s", g->folder);
    enum status status = ST_OK;
    const struct dirent *entry;
    while (status == ST_OK && (errno = 0, entry = readdir(folder)) != NULL) {
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue; /* or gone meanwhile */
        struct gc_file *f = add_file(g, entry->d_name, &room);
        if (!f) {
            status = no_memory(g, e);
            break;
        }
        bool ours = checkpoint_name_parse(f->name, &f->parts) && S_ISREG(info.st_mode);
        f->fate = ours ? GC_KEEP : GC_FOREIGN;
        f->bytes = (int64_t)info.st_size;
        f->device = info.st_dev;
        f->inode = info.st_ino;
        g->count++;
    }
    if (status == ST_OK && errno != 0)
        status = err_errno(e, "cannot read the folder %s", g->folder);
    closedir(folder);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct gc_file *)a)->name, ((const struct gc_file *)b)->name);
}

static int compare_keys(const char *const a[3], uint64_t seed_a, const char *const b[3], uint64_t seed_b)
{
    for (int i = 0; i < 3; i++) {
        int order = strcmp(a[i], b[i]);
        if (order != 0)
            return order;
    }
    return (seed_a > seed_b) - (seed_a < seed_b);
}

static int by_key(const void *a, const void *b)
{
    const struct known_trial *x = a, *y = b;
    return compare_keys((const char *const[]){x->arch_hash, x->recipe_hash, x->data_fingerprint}, x->seed,
                        (const char *const[]){y->arch_hash, y->recipe_hash, y->data_fingerprint}, y->seed);
}

static int name_to_trial(const void *name, const void *trial)
{
    const struct checkpoint_name *x = name;
    const struct known_trial *y = trial;
    return compare_keys((const char *const[]){x->arch_hash, x->recipe_hash, x->data_fingerprint}, x->seed,
                        (const char *const[]){y->arch_hash, y->recipe_hash, y->data_fingerprint}, y->seed);
}

static void judge_file(const struct gc *g, struct gc_file *f, const struct known_trial *trials, int count)
{
    if (f->fate == GC_FOREIGN)
        return;
    const struct known_trial *t = bsearch(&f->parts, trials, (size_t)count, sizeof *trials, name_to_trial);
    if (!t) {
        f->fate = GC_FOREIGN;
        return;
    }
    f->trial = t->id;
    f->state = t->state;
    f->fate = checkpoint_needed(f->parts.kind, t->state, g->keep) ? GC_KEEP : GC_REMOVE;
}

static bool same_file(const struct gc_file *a, const struct gc_file *b)
{
    return a->inode == b->inode && a->device == b->device;
}

/* Two names of one file share its bytes: count them once, with the name that stays. */
static void share_bytes(struct gc *g)
{
    for (int i = 0; i < g->count; i++) {
        struct gc_file *f = &g->files[i];
        for (int k = i - 1; k >= 0 && f->trial != 0 && g->files[k].trial == f->trial; k--) {
            struct gc_file *before = &g->files[k];
            if (!same_file(f, before) || before->bytes == 0)
                continue;
            if (before->fate == GC_REMOVE && f->fate == GC_KEEP)
                before->bytes = 0;
            else
                f->bytes = 0;
        }
    }
}

static enum status judge_files(struct gc *g, struct store *s, struct err *e)
{
    struct known_trial *trials = NULL;
    int count = 0;
    enum status status = store_known_trials(s, NULL, &trials, &count, e);
    if (status == ST_OK && count > 0)
        qsort(trials, (size_t)count, sizeof *trials, by_key);
    for (int i = 0; i < g->count && status == ST_OK; i++)
        judge_file(g, &g->files[i], trials, count);
    mem_free(trials);
    share_bytes(g);
    return status;
}

enum status gc_look(struct gc *g, const char *db, const enum keep *keep, struct err *e)
{
    struct store *store = NULL;
    *g = (struct gc){.keep = keep ? *keep : KEEP_LAST};
    arena_init(&g->arena);
    char *stem = paths_stem(db);
    g->folder = stem ? paths_checkpoint_folder(stem) : NULL;
    mem_free(stem);
    if (!g->folder)
        return no_memory(g, e);
    enum status status = store_open_readonly(db, &store, e);
    if (status == ST_OK && !keep)
        status = recorded_keep(store, &g->keep, e);
    if (status == ST_OK) /* the files first: those of a trial that begins later are of no trial */
        status = read_folder(g, e);
    if (status == ST_OK && g->count > 0) {
        qsort(g->files, (size_t)g->count, sizeof *g->files, by_name);
        status = judge_files(g, store, e);
    }
    store_close(store);
    return status;
}

/* Rows first: after a crash between the two the next gc finds the files still there. */
static enum status forget_final_weights(const struct gc *g, const char *db, struct err *e)
{
    struct store *store = NULL;
    int64_t *ids = mem_alloc((size_t)g->count + 1, sizeof *ids);
    int count = 0;
    for (int i = 0; ids && i < g->count; i++)
        if (g->files[i].fate == GC_REMOVE && g->files[i].parts.kind == CHECKPOINT_LAST)
            ids[count++] = g->files[i].trial;
    enum status status = ids ? ST_OK : no_memory(g, e);
    if (status == ST_OK && count > 0) {
        status = store_open(db, &store, e);
        if (status == ST_OK)
            status = store_checkpoints_gone(store, ids, count, e);
        store_close(store);
    }
    mem_free(ids);
    return status;
}

static enum status remove_file(const struct gc *g, struct gc_file *f, struct err *e)
{
    char *path = mem_printf("%s/%s", g->folder, f->name);
    if (!path) {
        f->fate = GC_STUCK;
        return no_memory(g, e);
    }
    enum status status = ST_OK;
    if (unlink(path) != 0 && errno != ENOENT) {
        status = err_errno(e, "cannot remove %s", path);
        f->fate = GC_STUCK;
    }
    mem_free(path);
    return status;
}

enum status gc_remove(struct gc *g, const char *db, struct err *e)
{
    enum status status = forget_final_weights(g, db, e);
    const bool forgotten = status == ST_OK;
    for (int i = 0; i < g->count; i++) {
        if (g->files[i].fate == GC_REMOVE && !forgotten) {
            g->files[i].fate = GC_STUCK;
        } else if (g->files[i].fate == GC_REMOVE) {
            enum status one = remove_file(g, &g->files[i], status == ST_OK ? e : NULL);
            status = status == ST_OK ? one : status;
        }
    }
    return status;
}

void gc_release(struct gc *g)
{
    arena_release(&g->arena);
    mem_free(g->folder);
    mem_free(g->files);
}
