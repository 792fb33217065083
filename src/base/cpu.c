#include "base/cpu.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, LINE_BYTES = 1024 };

typedef char path_text[PATH_BYTES];

/* First line of a kernel file, without its newline; false when it cannot be read. */
static bool read_line(const char *path, char line[LINE_BYTES])
{
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool ok = fgets(line, LINE_BYTES, f) != NULL;
    fclose(f);
    if (ok)
        line[strcspn(line, "\n")] = '\0';
    return ok;
}

/* Text after "key<blanks>: " of the first line of a file that starts so. */
static bool read_field(const char *path, const char *key, char line[LINE_BYTES])
{
    FILE *f = fopen(path, "re");
    bool found = false;
    if (!f)
        return false;
    while (!found && fgets(line, LINE_BYTES, f)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        const char *value = colon + 1 + strspn(colon + 1, " \t");
        memmove(line, value, strlen(value) + 1);
        line[strcspn(line, "\n")] = '\0';
        found = true;
    }
    fclose(f);
    return found;
}

static void read_model(const char *root, char *model, size_t size)
{
    char line[LINE_BYTES];
    path_text path;
    snprintf(path, sizeof path, "%s/proc/cpuinfo", root);
    bool found = read_field(path, "model name", line) && line[0] != '\0';
    snprintf(model, size, "%.*s", (int)size - 1, found ? line : "unknown");
}

/* The lowest thread of the physical core that thread `id` belongs to; it stands for the core. */
static int core_of(const char *root, int id)
{
    static const char *const names[] = {"core_cpus_list", "thread_siblings_list"}; /* new and old kernels */
    char line[LINE_BYTES];
    path_text path;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/sys/devices/system/cpu/cpu%d/topology/%s", root, id, names[i]);
        if (read_line(path, line) && isdigit((unsigned char)line[0]))
            return (int)strtol(line, NULL, 10);
    }
    return id;
}

struct thread {
    int id, core;
    int rank; /* place among the allowed threads of its core */
};

static int by_core(const void *a, const void *b)
{
    const struct thread *x = a, *y = b;
    return x->core != y->core ? (x->core > y->core) - (x->core < y->core) : (x->id > y->id) - (x->id < y->id);
}

static int by_rank(const void *a, const void *b)
{
    const struct thread *x = a, *y = b;
    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) : (x->id > y->id) - (x->id < y->id);
}

/* Orders the affinity (one thread of each core first) and keeps the first `most`. */
static void choose_threads(const char *root, const struct cpu_set_list *affinity, int most,
                           struct cpu_info *out)
{
    struct thread threads[CPU_MAX] = {{0, 0, 0}};
    int n = affinity->count;
    for (int i = 0; i < n; i++)
        threads[i] = (struct thread){affinity->id[i], core_of(root, affinity->id[i]), 0};
    qsort(threads, (size_t)n, sizeof *threads, by_core);
    for (int i = 1; i < n; i++)
        threads[i].rank = threads[i].core == threads[i - 1].core ? threads[i - 1].rank + 1 : 0;
    qsort(threads, (size_t)n, sizeof *threads, by_rank);
    out->allowed.count = n < most ? n : most;
    out->physical_cores = 0;
    for (int i = 0; i < out->allowed.count; i++) {
        out->allowed.id[i] = threads[i].id;
        out->physical_cores += threads[i].rank == 0;
    }
}

/* Folder of this process in a cgroup hierarchy, from /proc/self/cgroup: version 2 when
 * `controller` is "", else the version 1 hierarchy that holds the controller. */
static bool cgroup_path(const char *root, const char *controller, path_text out)
{
    char line[LINE_BYTES];
    path_text path;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "re");
    bool found = false;
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f)) { /* id:controller,controller:/path */
        char *saved, *names = strchr(line, ':'), *folder = names ? strchr(names + 1, ':') : NULL;
        if (!folder)
            continue;
        *folder++ = '\0';
        folder[strcspn(folder, "\n")] = '\0';
        names++;
        found = *names == '\0' && *controller == '\0';
        for (char *name = strtok_r(names, ",", &saved); name && !found; name = strtok_r(NULL, ",", &saved))
            found = strcmp(name, controller) == 0;
        snprintf(out, PATH_BYTES, "%s", folder);
    }
    fclose(f);
    return found;
}

/* Reads one limit in a cgroup folder; infinity when it sets none. */
typedef double (*limit_reader)(const char *folder);

/* The tightest limit of a cgroup and all its parents. In a container the path may be the
 * host's, and then only the mount's top is there: going up finds it. */
static double tightest_limit(const char *root, const char *controller, limit_reader read_limit)
{
    double least = INFINITY;
    path_text path;
    if (!cgroup_path(root, controller, path))
        return least;
    for (;;) {
        char folder[2 * PATH_BYTES];
        snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s%s%s", root, *controller ? "/" : "", controller,
                 path);
        least = fmin(least, read_limit(folder));
        char *slash = strrchr(path, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* Number in a file of a cgroup folder, also as the `word`-th of a line; infinity when absent or not a number.
 */
static double read_cgroup_number(const char *folder, const char *file, int word)
{
    char path[3 * PATH_BYTES], line[LINE_BYTES], *end;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (!read_line(path, line))
        return INFINITY;
    const char *text = line;
    for (; word > 0; word--) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    long long value = strtoll(text, &end, 10);
    return end == text || value < 0 ? INFINITY : (double)value; /* "max" and -1 mean no limit */
}

static double cpus_of_v2(const char *folder)
{
    double period = read_cgroup_number(folder, "cpu.max", 1);
    return isfinite(period) && period > 0 ? read_cgroup_number(folder, "cpu.max", 0) / period : INFINITY;
}

static double cpus_of_v1(const char *folder)
{
    double period = read_cgroup_number(folder, "cpu.cfs_period_us", 0);
    return isfinite(period) && period > 0 ? read_cgroup_number(folder, "cpu.cfs_quota_us", 0) / period
                                          : INFINITY;
}

static double memory_of_v2(const char *folder)
{
    return read_cgroup_number(folder, "memory.max", 0);
}

static double memory_of_v1(const char *folder)
{
    return read_cgroup_number(folder, "memory.limit_in_bytes", 0);
}

/* Whole processors within the CPU quota, rounded up. */
static int quota_cpus(const char *root)
{
    double cpus = fmin(tightest_limit(root, "", cpus_of_v2), tightest_limit(root, "cpu", cpus_of_v1));
    return cpus >= CPU_MAX ? CPU_MAX : (int)fmax(1, ceil(cpus));
}

static size_t usable_memory(const char *root)
{
    char line[LINE_BYTES];
    path_text path;
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    size_t physical = 0;
    if (read_field(path, "MemTotal", line))
        physical = (size_t)strtoull(line, NULL, 10) * 1024; /* in kB */
    double limit = fmin(tightest_limit(root, "", memory_of_v2), tightest_limit(root, "memory", memory_of_v1));
    if (isfinite(limit) && (physical == 0 || limit < (double)physical))
        return (size_t)limit;
    return physical;
}

/* "32K", "1024K", "32M" as the kernel writes cache sizes; 0 when it is something else. */
static size_t parse_cache_size(const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end == 'K')
        return (size_t)value << 10;
    return *end == 'M' ? (size_t)value << 20 : (size_t)value;
}

static void read_caches(const char *root, int id, struct cpu_info *out)
{
    enum { CACHES_MAX = 16 };
    out->l1d_bytes = out->l2_bytes = out->l3_bytes = 0;
    for (int i = 0; i < CACHES_MAX; i++) {
        path_text folder;
        char path[2 * PATH_BYTES], level[LINE_BYTES], type[LINE_BYTES], size[LINE_BYTES];
        snprintf(folder, sizeof folder, "%s/sys/devices/system/cpu/cpu%d/cache/index%d", root, id, i);
        snprintf(path, sizeof path, "%s/level", folder);
        bool ok = read_line(path, level);
        snprintf(path, sizeof path, "%s/type", folder);
        ok = ok && read_line(path, type);
        snprintf(path, sizeof path, "%s/size", folder);
        if (!ok || !read_line(path, size) || strcmp(type, "Instruction") == 0)
            continue;
        size_t *fields[] = {NULL, &out->l1d_bytes, &out->l2_bytes, &out->l3_bytes};
        if (level[0] >= '1' && level[0] <= '3' && level[1] == '\0')
            *fields[level[0] - '0'] = parse_cache_size(size);
    }
}

void cpu_describe(const char *root, const struct cpu_set_list *affinity, struct cpu_info *out)
{
    read_model(root, out->model, sizeof out->model);
    choose_threads(root, affinity, quota_cpus(root), out);
    read_caches(root, out->allowed.count > 0 ? out->allowed.id[0] : 0, out);
    out->memory_bytes = usable_memory(root);
}

enum { MASK_CPUS = 64 * CPU_MAX }; /* a kernel refuses masks smaller than its own */
typedef cpu_set_t cpu_mask[MASK_CPUS / CPU_SETSIZE];

static void read_affinity(struct cpu_set_list *out)
{
    cpu_mask mask;
    out->count = 0;
    if (sched_getaffinity(0, sizeof mask, mask) == 0) {
        for (int id = 0; id < MASK_CPUS && out->count < CPU_MAX; id++)
            if (CPU_ISSET_S((size_t)id, sizeof mask, mask))
                out->id[out->count++] = id;
    }
    if (out->count == 0)
        out->id[out->count++] = 0;
}

/* What sysconf knows where /sys says nothing. */
static size_t cache_or_sysconf(size_t known, int name)
{
    long value = known ? 0 : sysconf(name);
    return value > 0 ? (size_t)value : known;
}

void cpu_detect(struct cpu_info *out)
{
    struct cpu_set_list affinity;
    read_affinity(&affinity);
    cpu_describe("", &affinity, out);
    out->l1d_bytes = cache_or_sysconf(out->l1d_bytes, _SC_LEVEL1_DCACHE_SIZE);
    out->l2_bytes = cache_or_sysconf(out->l2_bytes, _SC_LEVEL2_CACHE_SIZE);
    out->l3_bytes = cache_or_sysconf(out->l3_bytes, _SC_LEVEL3_CACHE_SIZE);
    if (out->memory_bytes == 0) {
        long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
        out->memory_bytes = pages > 0 && bytes > 0 ? (size_t)pages * (size_t)bytes : 0;
    }
}

enum status cpu_pin(const int *ids, int n, struct err *e)
{
    cpu_mask mask;
    memset(mask, 0, sizeof mask);
    for (int i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] >= MASK_CPUS) {
            return err_set(e, ST_USAGE, "cannot run on processor %d: allowed are 0 to %d", ids[i],
                           MASK_CPUS - 1);
        }
        CPU_SET_S((size_t)ids[i], sizeof mask, mask);
    }
    if (sched_setaffinity(0, sizeof mask, mask) != 0)
        return err_errno(e, "cannot run on %d processors, first %d", n, n > 0 ? ids[0] : -1);
    return ST_OK;
}

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
