/* Memory: every allocation of the libraries goes through here, so that a test can
 * fail each one in turn. All return NULL when out of memory; sizes that overflow
 * count as out of memory. Release with mem_free. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t count, size_t size);            /* uninitialised; count * size bytes */
void *mem_calloc(size_t count, size_t size);           /* zeroed */
void *mem_realloc(void *p, size_t count, size_t size); /* old block kept on failure */
void *mem_aligned(size_t bytes);                       /* 64-byte aligned, zeroed; also for mem_free */
char *mem_strdup(const char *s);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mem_free(void *p); /* NULL is fine */

/* Test hook: the n-th allocation from now (1 = the next) and all later ones fail; 0 = never. */
void mem_fail_after(size_t n);
/* Allocations that are live now, for leak checks in tests. */
size_t mem_live(void);

#endif
