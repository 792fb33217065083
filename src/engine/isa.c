#include <stdlib.h>
#include <string.h>

#include "engine/kernels.h"
#include "engine/trainer.h"

extern const struct kernels kernels_generic;
#if defined __x86_64__
extern const struct kernels kernels_avx2, kernels_avx512;
#endif

static bool isa_supported(const char *name)
{
    if (strcmp(name, "generic") == 0)
        return true;
#if defined __x86_64__
    if (strcmp(name, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (strcmp(name, "avx512") == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#endif
    return false;
}

/* Fastest first. */
static const struct kernels *const tables[] = {
#if defined __x86_64__
    &kernels_avx512,
    &kernels_avx2,
#endif
    &kernels_generic,
};
enum { TABLE_COUNT = sizeof tables / sizeof tables[0] };

const struct kernels *kernels_named(const char *name)
{
    for (int i = 0; i < TABLE_COUNT; i++)
        if (strcmp(tables[i]->name, name) == 0 && isa_supported(name))
            return tables[i];
    return NULL;
}

enum status kernels_select(const struct kernels **out, struct err *e)
{
    const char *wanted = getenv("FIRESWEEP_ISA");
    if (wanted && *wanted) {
        *out = kernels_named(wanted);
        if (!*out)
            return err_set(
                e, ST_USAGE, "FIRESWEEP_ISA: \"%s\" is unknown or not supported here, allowed: generic%s%s",
                wanted, isa_supported("avx2") ? ", avx2" : "", isa_supported("avx512") ? ", avx512" : "");
        return ST_OK;
    }
    for (int i = 0; i < TABLE_COUNT; i++)
        if (isa_supported(tables[i]->name)) {
            *out = tables[i];
            break;
        }
    return ST_OK;
}

void kernels_flush_denormals(void)
{
#if defined __x86_64__
    enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
#endif
}

const char *engine_isa(void)
{
    const struct kernels *k = NULL;
    return kernels_select(&k, NULL) == ST_OK && k ? k->name : "unsupported";
}
