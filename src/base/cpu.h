/* What this process may use of the machine. */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <stddef.h>

#include "base/err.h"

enum { CPU_MAX = 1024 };

struct cpu_set_list {
    int count;
    int id[CPU_MAX]; /* ascending, one hardware thread per physical core first, then their siblings */
};

struct cpu_info {
    char model[128]; /* as the kernel names it, "unknown" if it does not */
    /* Affinity of this process, cut to the cgroup quota (rounded up, at least 1). */
    struct cpu_set_list allowed;
    int physical_cores;                   /* distinct cores among `allowed` */
    size_t l1d_bytes, l2_bytes, l3_bytes; /* of one core; 0 if unknown */
    size_t memory_bytes;                  /* physical, or the cgroup limit if that is lower */
};

void cpu_detect(struct cpu_info *out);

/* The same for a given affinity (any order), from the proc/ and sys/ below `root` ("" is this machine). */
void cpu_describe(const char *root, const struct cpu_set_list *affinity, struct cpu_info *out);

/* Pins the calling process to `n` of the ids. */
enum status cpu_pin(const int *ids, int n, struct err *e);

/* Monotonic clock, seconds. */
double clock_seconds(void);

#endif
