#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

/* Test instrumentation; atomic because training threads may allocate at the same time. */
static atomic_size_t live;
static atomic_size_t allowance; /* 0 = no limit, otherwise one more than the allocations still granted */

static bool must_fail(void)
{
    size_t left = atomic_load(&allowance);
    while (left > 1)
        if (atomic_compare_exchange_weak(&allowance, &left, left - 1))
            return false;
    return left == 1;
}

/* False when count * size overflows; an empty block becomes one byte, so that NULL always means failure. */
static bool block_bytes(size_t count, size_t size, size_t *bytes)
{
    if (__builtin_mul_overflow(count, size, bytes) || *bytes > PTRDIFF_MAX)
        return false;
    if (*bytes == 0)
        *bytes = 1;
    return true;
}

static void *counted(void *p)
{
    if (p)
        atomic_fetch_add(&live, 1);
    return p;
}

void *mem_alloc(size_t count, size_t size)
{
    size_t bytes;
    if (!block_bytes(count, size, &bytes) || must_fail())
        return NULL;
    return counted(malloc(bytes));
}

void *mem_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!block_bytes(count, size, &bytes) || must_fail())
        return NULL;
    return counted(calloc(1, bytes));
}

void *mem_realloc(void *p, size_t count, size_t size)
{
    if (!p)
        return mem_alloc(count, size);
    size_t bytes;
    if (!block_bytes(count, size, &bytes) || must_fail())
        return NULL;
    return realloc(p, bytes);
}

void *mem_aligned(size_t bytes)
{
    if (bytes > PTRDIFF_MAX - ALIGNMENT || must_fail())
        return NULL;
    size_t rounded = bytes ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    void *p = counted(aligned_alloc(ALIGNMENT, rounded));
    if (p)
        memset(p, 0, rounded);
    return p;
}

char *mem_strdup(const char *s)
{
    size_t bytes = strlen(s) + 1;
    char *copy = mem_alloc(bytes, 1);
    return copy ? memcpy(copy, s, bytes) : NULL;
}

char *mem_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    char *text = mem_alloc((size_t)len + 1, 1);
    if (text) {
        va_start(args, format);
        vsnprintf(text, (size_t)len + 1, format, args);
        va_end(args);
    }
    return text;
}

void mem_free(void *p)
{
    if (p) {
        atomic_fetch_sub(&live, 1);
        free(p);
    }
}

void mem_fail_after(size_t n)
{
    atomic_store(&allowance, n);
}

size_t mem_live(void)
{
    return atomic_load(&live);
}
