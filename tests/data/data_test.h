/* What the tests of the data module share. */
#ifndef TESTS_DATA_DATA_TEST_H
#define TESTS_DATA_DATA_TEST_H

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "../base/scratch.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/dataset.h"

/* Writes bytes to a file of the test's scratch folder; missing folders are created. */
static inline void put_file(void **state, const char *name, const void *bytes, size_t n)
{
    scratch_path path;
    scratch_name(path, state, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(dir_create(path, NULL), ST_OK);
    *slash = '/';
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void expect_text(const struct err *e, const char *part)
{
    if (!strstr(e->text, part))
        fail_msg("the error \"%s\" does not say \"%s\"", e->text, part);
}

/* Loading fails with this status, a text that has both parts, an empty result, and nothing left allocated. */
static inline void expect_load_error(const struct data_source *source, enum status status, const char *part,
                                     const char *other)
{
    struct dataset d;
    struct err e = ERR_INIT;
    size_t before = mem_live();
    enum status got = dataset_load(source, &d, &e);
    expect_text(&e, part);
    expect_text(&e, other);
    assert_int_equal(got, status);
    assert_int_equal(e.status, status);
    for (int s = 0; s < SPLIT_COUNT; s++) {
        assert_null(d.sets[s].pixels);
        assert_int_equal(d.sets[s].count, 0);
    }
    assert_int_equal(mem_live(), before);
    assert_int_equal(dataset_load(source, &d, NULL), status); /* also without a place for the text */
    dataset_release(&d);
    assert_int_equal(mem_live(), before);
}

static inline void load_or_fail(const struct data_source *source, struct dataset *d)
{
    struct err e = ERR_INIT;
    if (dataset_load(source, d, &e) != ST_OK)
        fail_msg("%s", e.text);
}

#endif
