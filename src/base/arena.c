#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { ALIGNMENT = 16, FIRST_BLOCK = 4096, LARGEST_STEP = 256 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* bytes of data */
    _Alignas(ALIGNMENT) unsigned char data[];
};

void arena_init(struct arena *a)
{
    a->head = NULL;
}

void arena_release(struct arena *a)
{
    for (struct arena_block *block = a->head; block;) {
        struct arena_block *next = block->next;
        mem_free(block);
        block = next;
    }
    a->head = NULL;
}

/* A new block for at least `bytes`; blocks double in size so that few are needed. */
static struct arena_block *add_block(struct arena *a, size_t bytes)
{
    size_t size = FIRST_BLOCK;
    if (a->head)
        size = a->head->size < LARGEST_STEP ? a->head->size * 2 : LARGEST_STEP;
    if (size < bytes)
        size = bytes;
    struct arena_block *block = mem_calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->size = size;
    block->next = a->head;
    a->head = block;
    return block;
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX / 2)
        return NULL;
    bytes = bytes ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
    struct arena_block *block = a->head;
    if (!block || block->size - block->used < bytes) {
        block = add_block(a, bytes);
        if (!block)
            return NULL;
    }
    void *p = block->data + block->used;
    block->used += bytes;
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    if (len == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(a, len + 1, 1); /* zeroed, so terminated */
    return copy ? memcpy(copy, s, len) : NULL;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    char *text = arena_alloc(a, (size_t)len + 1, 1);
    if (text) {
        va_start(args, format);
        vsnprintf(text, (size_t)len + 1, format, args);
        va_end(args);
    }
    return text;
}
