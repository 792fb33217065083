#include "sweep/disk.h"

#include <string.h>
#include <sys/statvfs.h>

#include "base/mem.h"

double disk_checkpoint_bytes(const struct trial *t)
{
    enum { HEADER = 16384 };
    const int copies = t->point.recipe.optimizer == OPTIMIZER_SGD ? 2 : 3; /* weights, then each moment */
    return (double)copies * (double)t->cost.model_bytes + HEADER;
}

double disk_rows_bytes(const struct trial *t)
{
    enum { TRIAL = 3072, EPOCH = 192 }; /* rows with their indices */
    return TRIAL + (double)EPOCH * t->point.recipe.epochs;
}

/* Names of one file count once: the last of all epochs is the final state, the best is one of them. */
static int kept_files(const struct trial *t, enum keep keep)
{
    switch (keep) {
    case KEEP_NONE:
        return 0;
    case KEEP_BEST:
        return t->point.recipe.epochs > 1 ? 2 : 1;
    case KEEP_ALL:
        return t->point.recipe.epochs;
    default:
        return 1;
    }
}

double disk_kept_bytes(const struct trial *t, enum keep keep)
{
    return kept_files(t, keep) * disk_checkpoint_bytes(t) + disk_rows_bytes(t);
}

void disk_need_add(struct disk_need *n, const struct trial *t, enum keep keep)
{
    double one = disk_checkpoint_bytes(t), first = one + disk_rows_bytes(t);
    n->kept += disk_kept_bytes(t, keep);
    n->largest = one > n->largest ? one : n->largest;
    n->smallest = n->smallest <= 0 || first < n->smallest ? first : n->smallest;
}

double disk_need_bytes(const struct disk_need *n, enum keep keep, int workers)
{
    return n->kept + workers * (keep == KEEP_NONE ? 3 : 2) * n->largest;
}

/* The nearest folder above that exists. */
static int stat_above(char *path, struct statvfs *out)
{
    while (statvfs(path, out) != 0) {
        char *slash = strrchr(path, '/');
        if (slash && slash != path)
            *slash = '\0';
        else
            return statvfs(slash ? "/" : ".", out);
    }
    return 0;
}

double disk_free_bytes(const char *path)
{
    struct statvfs info;
    char *copy = mem_strdup(path);
    bool known = copy && stat_above(copy, &info) == 0;
    mem_free(copy);
    return known ? (double)info.f_bavail * (double)info.f_frsize : -1;
}

enum disk_verdict disk_judge(const struct disk_need *n, enum keep keep, int workers, double free_bytes)
{
    if (free_bytes < 0 || n->smallest <= 0)
        return DISK_ENOUGH;
    if (free_bytes < n->smallest)
        return DISK_FULL;
    return free_bytes < disk_need_bytes(n, keep, workers) ? DISK_SHORT : DISK_ENOUGH;
}
