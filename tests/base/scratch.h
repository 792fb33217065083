/* A folder for one test program's files. */
#ifndef TESTS_BASE_SCRATCH_H
#define TESTS_BASE_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

typedef char scratch_path[512];

static inline int scratch_setup(void **state)
{
    const char *parent = getenv("TMPDIR");
    char *folder = malloc(sizeof(scratch_path));
    snprintf(folder, sizeof(scratch_path), "%s/firesweep-test-XXXXXX", parent ? parent : "/tmp");
    *state = folder;
    return mkdtemp(folder) ? 0 : -1;
}

static inline int scratch_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static inline int scratch_teardown(void **state)
{
    int status = nftw(*state, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return status;
}

static inline const char *scratch_name(scratch_path out, void **state, const char *name)
{
    snprintf(out, sizeof(scratch_path), "%.255s/%.200s", (const char *)*state, name);
    return out;
}

static inline void scratch_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) < 0, 0);
    assert_int_equal(fclose(f), 0);
}

#endif
