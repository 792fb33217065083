/* Round trips, the bytes on disk, and every way a file can be damaged or foreign. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/safetensors.h"

static char folder[64];

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/firesweep-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* A path in the test's folder. */
static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static float some_floats[6] = {1.0f, -2.5f, 0.0f, 3.25e-8f, 7e30f, -0.0f};
static float one_float[1] = {42.0f};

/* The small file of these tests: a matrix, an empty tensor, a scalar, one metadata entry. */
static void write_sample(const char *path)
{
    struct st_tensor tensors[] = {
        {.name = "fire2.squeeze1x1.weight", .dims = 2, .shape = {2, 3}, .data = some_floats},
        {.name = "empty", .dims = 3, .shape = {4, 0, 2}, .data = NULL},
        {.name = "scalar", .dims = 0, .data = one_float},
    };
    struct st_meta meta[] = {{"note", "caf\xc3\xa9 \"q\" \\ /\n"}};
    struct err e = ERR_INIT;
    assert_int_equal(safetensors_write(path, tensors, 3, meta, 1, &e), ST_OK);
}

static void check_sample(const struct safetensors *s)
{
    assert_int_equal(safetensors_count(s), 3);
    const struct st_tensor *t = safetensors_find(s, "fire2.squeeze1x1.weight");
    assert_non_null(t);
    assert_ptr_equal(t, safetensors_at(s, 0));
    assert_int_equal(t->dims, 2);
    assert_int_equal(t->shape[0], 2);
    assert_int_equal(t->shape[1], 3);
    assert_memory_equal(t->data, some_floats, sizeof some_floats);
    assert_int_equal((uintptr_t)t->data % 64, 0);
    t = safetensors_find(s, "empty");
    assert_non_null(t);
    assert_int_equal(t->dims, 3);
    assert_int_equal(t->shape[1], 0);
    t = safetensors_find(s, "scalar");
    assert_non_null(t);
    assert_int_equal(t->dims, 0);
    assert_true(t->data[0] == 42.0f);
    assert_null(safetensors_find(s, "absent"));
    assert_string_equal(safetensors_meta(s, "note"), "caf\xc3\xa9 \"q\" \\ /\n");
    assert_null(safetensors_meta(s, "absent"));
}

static void test_round_trip(void **state)
{
    (void)state;
    size_t live = mem_live();
    const char *path = path_of("sample.safetensors");
    write_sample(path);
    struct safetensors *s = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(safetensors_read(path, &s, &e), ST_OK);
    assert_string_equal(e.text, "");
    check_sample(s);
    assert_int_equal(strlen(safetensors_meta(s, "checksum")), 16);
    safetensors_free(s);
    safetensors_free(NULL);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mem_live(), live);
}

/* The layout as the format describes it, read without the module's help. */
static void test_bytes_on_disk(void **state)
{
    (void)state;
    const char *path = path_of("sample.safetensors");
    write_sample(path);
    char *bytes = NULL;
    size_t n = 0;
    struct err e = ERR_INIT;
    assert_int_equal(file_read(path, 1 << 20, &bytes, &n, &e), ST_OK);
    size_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | (unsigned char)bytes[i];
    assert_int_equal((8 + length) % 64, 0);
    assert_int_equal(n, 8 + length + sizeof some_floats + sizeof one_float);
    assert_int_equal(bytes[8], '{');
    bytes[8 + length - 1] = '\0'; /* may cut the closing brace: only searched from here on */
    assert_non_null(strstr(bytes + 8, "\"fire2.squeeze1x1.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],"
                                      "\"data_offsets\":[0,24]}"));
    assert_non_null(
        strstr(bytes + 8, "\"empty\":{\"dtype\":\"F32\",\"shape\":[4,0,2],\"data_offsets\":[24,24]}"));
    assert_non_null(
        strstr(bytes + 8, "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[24,28]}"));
    assert_memory_equal(bytes + 8 + length, some_floats, sizeof some_floats);
    assert_memory_equal(bytes + 8 + length + sizeof some_floats, one_float, sizeof one_float);
    mem_free(bytes);
    assert_int_equal(unlink(path), 0);
}

static void test_nothing_at_all(void **state)
{
    (void)state;
    const char *path = path_of("nothing.safetensors");
    struct err e = ERR_INIT;
    struct safetensors *s = NULL;
    assert_int_equal(safetensors_write(path, NULL, 0, NULL, 0, &e), ST_OK);
    assert_int_equal(safetensors_read(path, &s, &e), ST_OK);
    assert_int_equal(safetensors_count(s), 0);
    safetensors_free(s);
    assert_int_equal(unlink(path), 0);
}

/* Parses a copy of exactly n bytes, so that a sanitizer sees a read past the end. */
static enum status parse_copy(const char *bytes, size_t n, struct safetensors **out, struct err *e)
{
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    enum status st = safetensors_parse(copy, n, "copy", out, e);
    free(copy);
    return st;
}

static char *sample_bytes(size_t *n)
{
    const char *path = path_of("sample.safetensors");
    char *bytes = NULL;
    struct err e = ERR_INIT;
    write_sample(path);
    assert_int_equal(file_read(path, 1 << 20, &bytes, n, &e), ST_OK);
    assert_int_equal(unlink(path), 0);
    return bytes;
}

static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    size_t live = mem_live();
    size_t n = 0;
    char *bytes = sample_bytes(&n);
    for (size_t length = 0; length < n; length++) {
        struct safetensors *s = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(parse_copy(bytes, length, &s, &e), ST_CORRUPT);
        assert_null(s);
        assert_int_equal(strncmp(e.text, "copy: ", 6), 0);
    }
    mem_free(bytes);
    assert_int_equal(mem_live(), live);
}

static void test_bytes_after_the_end_are_refused(void **state)
{
    (void)state;
    size_t n = 0;
    char *bytes = sample_bytes(&n);
    char *longer = calloc(1, n + 64);
    assert_non_null(longer);
    memcpy(longer, bytes, n);
    for (size_t extra = 1; extra <= 64; extra++) {
        struct safetensors *s = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(parse_copy(longer, n + extra, &s, &e), ST_CORRUPT);
        assert_non_null(strstr(e.text, "28"));
    }
    free(longer);
    mem_free(bytes);
}

/* Each byte replaced by each other value: an error, or a file that says the same (white space in the
 * header, another spelling of a character, a checksum key that is none any more). */
static void test_every_byte_flip_is_noticed_or_harmless(void **state)
{
    (void)state;
    size_t live = mem_live();
    size_t n = 0, accepted = 0;
    char *bytes = sample_bytes(&n);
    for (size_t at = 0; at < n; at++) {
        char old = bytes[at];
        for (int value = 1; value < 256; value++) {
            bytes[at] = (char)(old ^ value);
            struct safetensors *s = NULL;
            struct err e = ERR_INIT;
            enum status st = parse_copy(bytes, n, &s, &e);
            if (st == ST_OK) {
                check_sample(s);
                safetensors_free(s);
                accepted++;
            } else {
                assert_int_equal(st, ST_CORRUPT);
                assert_null(s);
            }
        }
        bytes[at] = old;
    }
    assert_true(accepted < n * 3 + strlen("checksum") * 255); /* of 255 n */
    mem_free(bytes);
    assert_int_equal(mem_live(), live);
}

/* A file of a header text and `data` bytes of zeros. */
static enum status parse_header(const char *header, size_t data, struct safetensors **out, struct err *e)
{
    size_t length = strlen(header);
    char *bytes = calloc(1, 8 + length + data);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(unsigned char)(length >> (8 * i) & 0xff);
    for (size_t i = 0; i < length; i++) /* without the terminator */
        bytes[8 + i] = header[i];
    enum status st = safetensors_parse(bytes, 8 + length + data, "file", out, e);
    free(bytes);
    return st;
}

static void test_files_of_other_tools_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        int count;
    } cases[] = {
        {"{}", 0, 0},
        {"{}   ", 0, 0},
        {"{\"__metadata__\":{\"format\":\"pt\"}}", 0, 0},
        {"{\"__metadata__\":{\"a\":\"\\\":\",\"b\":\":\\\\\",\"c\":\"'\"}}", 0, 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, 1},
        {"{\"a\":{\"data_offsets\":[0,4],\"shape\":[],\"dtype\":\"F32\"} }\n", 4, 1},
        {"{\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1],\"data_offsets\":[0,4]}}",
         12, 2},
        {"{\"a:b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct safetensors *s = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(parse_header(cases[i].header, cases[i].data, &s, &e), ST_OK);
        assert_int_equal(safetensors_count(s), cases[i].count);
        safetensors_free(s);
    }
    struct safetensors *s = NULL; /* order of the data, not of the header */
    assert_int_equal(parse_header(cases[6].header, cases[6].data, &s, NULL), ST_OK);
    assert_string_equal(safetensors_at(s, 0)->name, "a");
    assert_string_equal(safetensors_at(s, 1)->name, "b");
    assert_ptr_equal(safetensors_at(s, 1)->data, safetensors_at(s, 0)->data + 1);
    safetensors_free(s);
}

#define TENSOR(name, shape, offsets) \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_hostile_headers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *reason; /* part of the message */
    } cases[] = {
        {"", 0, "byte 8"},
        {"[]", 0, "byte 8"},
        {" {}", 0, "byte 8"},
        {"{", 0, "ends too early"},
        {"{}x", 0, "not valid JSON"},
        {"{\"a\":}", 0, "not valid JSON"},
        {"{'a':1}", 0, "not valid JSON"},
        {"{\"a\":1,}", 0, "not valid JSON"},
        {"{/**/}", 0, "not valid JSON"},
        {"{\"a\xff\":1}", 0, "not valid JSON"},
        {"{\"a\":[[[[[[[[1]]]]]]]]}", 0, "not valid JSON"},
        {"{\"__metadata__\":[]}", 0, "__metadata__"},
        {"{\"__metadata__\":null}", 0, "__metadata__"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "not a string"},
        {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", 0, "twice"},
        {"{\"__metadata__\":{\"a\":\"x\\u0000y\"}}", 0, "zero character"},
        {"{\"a\":1}", 4, "dtype, shape and data_offsets"},
        {"{\"a\":null}", 4, "dtype, shape and data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "dtype, shape and data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4,
         "dtype, shape and data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"offsets\":[0,4]}}", 4, "data_offsets"},
        {"{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "dtype is not F32"},
        {"{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype is not F32"},
        {"{\"a\":{\"type\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype is not F32"},
        {"{" TENSOR("", "[1]", "[0,4]") "}", 4, "name has 0 bytes"},
        {"{" TENSOR("a\\n", "[1]", "[0,4]") "}", 4, "control character"},
        {"{" TENSOR("0123456789012345678901234567890123456789012345678901234567890123", "[1]", "[0,4]") "}",
         4, "name has 64 bytes"},
        {"{" TENSOR("a", "1", "[0,4]") "}", 4, "shape is missing"},
        {"{" TENSOR("a", "[1,1,1,1,1]", "[0,4]") "}", 4, "5 dimensions"},
        {"{" TENSOR("a", "[-1]", "[0,4]") "}", 4, "whole numbers"},
        {"{" TENSOR("a", "[1.0]", "[0,4]") "}", 4, "whole numbers"},
        {"{" TENSOR("a", "[\"1\"]", "[0,4]") "}", 4, "whole numbers"},
        {"{" TENSOR("a", "[null]", "[0,4]") "}", 4, "whole numbers"},
        {"{" TENSOR("a", "[4611686018427387904,4]", "[0,0]") "}", 0, "overflows"},
        {"{" TENSOR("a", "[4294967296,4294967296]", "[0,0]") "}", 0, "overflows"},
        {"{" TENSOR("a", "[99999999999999999999999999]", "[0,0]") "}", 0, "overflows"},
        {"{" TENSOR("a", "[1]", "[0]") "}", 4, "two ascending"},
        {"{" TENSOR("a", "[1]", "[0,4,8]") "}", 4, "two ascending"},
        {"{" TENSOR("a", "[1]", "[4,0]") "}", 4, "two ascending"},
        {"{" TENSOR("a", "[1]", "[-4,0]") "}", 4, "two ascending"},
        {"{" TENSOR("a", "[1]", "[0,4.0]") "}", 4, "two ascending"},
        {"{" TENSOR("a", "[1]", "{}") "}", 4, "two ascending"},
        {"{" TENSOR("a", "[1]", "[0,5]") "}", 5, "span 5 bytes, the shape needs 4"},
        {"{" TENSOR("a", "[2]", "[0,4]") "}", 4, "span 4 bytes, the shape needs 8"},
        {"{" TENSOR("a", "[1]", "[9223372036854775804,9223372036854775808]") "}", 4, "span"},
        {"{" TENSOR("a", "[1]", "[4,8]") "}", 8, "gap"},
        {"{" TENSOR("a", "[1]", "[1,5]") "}", 8, "gap"},
        {"{" TENSOR("a", "[1]", "[0,4]") "," TENSOR("b", "[1]", "[8,12]") "}", 12, "gap"},
        {"{" TENSOR("a", "[1]", "[0,4]") "," TENSOR("b", "[1]", "[0,4]") "}", 4, "overlaps"},
        {"{" TENSOR("a", "[2]", "[0,8]") "," TENSOR("b", "[1]", "[4,8]") "}", 8, "overlaps"},
        {"{" TENSOR("a", "[2]", "[0,8]") "," TENSOR("b", "[0]", "[4,4]") "}", 8, "overlaps"},
        {"{" TENSOR("a", "[1]", "[0,4]") "," TENSOR("a", "[1]", "[0,4]") "}", 4, "twice"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "twice"},
        {"{" TENSOR("a\\u0000b", "[1]", "[0,4]") "}", 4, "zero character"},
        {"{" TENSOR("a", "[2]", "[0,8]") "}", 4, "4 bytes of data, the header describes 8"},
        {"{" TENSOR("a", "[1]", "[0,4]") "}", 8, "8 bytes of data, the header describes 4"},
        {"{" TENSOR("a", "[1]", "[0,4]") ",\"__metadata__\":{\"checksum\":\"0123456789abcdef\"}}", 4,
         "checksum"},
    };
    size_t live = mem_live();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct safetensors *s = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(parse_header(cases[i].header, cases[i].data, &s, &e), ST_CORRUPT);
        assert_int_equal(e.status, ST_CORRUPT);
        assert_null(s);
        if (strncmp(e.text, "file: ", 6) != 0 || !strstr(e.text, cases[i].reason))
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].header, e.text, cases[i].reason);
    }
    assert_int_equal(mem_live(), live);
}

static void test_zero_bytes_are_no_padding(void **state)
{
    (void)state;
    static const char bytes[] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}', 0};
    struct safetensors *s = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(parse_copy(bytes, sizeof bytes, &s, &e), ST_CORRUPT);
    assert_string_equal(e.text, "copy: byte 10: the header is not valid JSON: unexpected character");
}

static void test_another_file(void **state)
{
    (void)state;
    static const char text[] = "# A page of text\n";
    struct safetensors *s = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(parse_copy(text, sizeof text, &s, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text, "but only 10 follow: no safetensors file, or one cut off"));
}

static void test_header_length_is_bounded(void **state)
{
    (void)state;
    static const unsigned char lengths[][8] = {
        {3, 0, 0, 0, 0, 0, 0, 0},
        {0, 0, 0, 0, 0, 0, 0, 0x80},
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0, 0, 0, 0, 1, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char bytes[10] = {[8] = '{', [9] = '}'};
        memcpy(bytes, lengths[i], 8);
        struct safetensors *s = NULL;
        struct err e = ERR_INIT;
        assert_int_equal(parse_copy(bytes, sizeof bytes, &s, &e), ST_CORRUPT);
        assert_non_null(strstr(e.text, "only 2 follow"));
    }
    size_t length = 100000001; /* the format allows 100,000,000 bytes */
    unsigned char *bytes = calloc(1, 8 + length);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(length >> (8 * i) & 0xff);
    struct safetensors *s = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(safetensors_parse(bytes, 8 + length, "large", &s, &e), ST_CORRUPT);
    assert_non_null(strstr(e.text, "allowed are at most 100000000"));
    free(bytes);
}

static void refuse_write(const struct st_tensor *tensors, int count, const struct st_meta *meta,
                         int meta_count)
{
    const char *path = path_of("refused.safetensors");
    struct err e = ERR_INIT;
    assert_int_equal(safetensors_write(path, tensors, count, meta, meta_count, &e), ST_USAGE);
    assert_int_equal(e.status, ST_USAGE);
    assert_non_null(strstr(e.text, "refused.safetensors"));
    assert_false(file_exists(path));
}

static void test_write_refuses_what_cannot_be_read(void **state)
{
    (void)state;
    size_t live = mem_live();
    struct st_tensor twice[] = {{.name = "a", .dims = 1, .shape = {1}, .data = one_float},
                                {.name = "a", .dims = 1, .shape = {1}, .data = one_float}};
    refuse_write(twice, 2, NULL, 0);
    struct st_tensor bad = {.name = "a", .dims = 1, .shape = {-1}, .data = one_float};
    refuse_write(&bad, 1, NULL, 0);
    bad = (struct st_tensor){.name = "a", .dims = 2, .shape = {INT64_MAX, 4}, .data = one_float};
    refuse_write(&bad, 1, NULL, 0);
    bad = (struct st_tensor){.name = "a", .dims = SAFETENSORS_MAX_DIMS + 1, .data = one_float};
    refuse_write(&bad, 1, NULL, 0);
    bad = (struct st_tensor){.name = "a", .dims = -1, .data = one_float};
    refuse_write(&bad, 1, NULL, 0);
    bad = (struct st_tensor){.name = "", .data = one_float};
    refuse_write(&bad, 1, NULL, 0);
    bad = (struct st_tensor){.name = "__metadata__", .data = one_float};
    refuse_write(&bad, 1, NULL, 0);
    bad = (struct st_tensor){.name = "tab\t", .data = one_float};
    refuse_write(&bad, 1, NULL, 0);
    memset(bad.name, 'x', sizeof bad.name); /* not terminated */
    refuse_write(&bad, 1, NULL, 0);
    struct st_meta same[] = {{"k", "1"}, {"k", "2"}};
    refuse_write(NULL, 0, same, 2);
    struct st_meta reserved[] = {{"checksum", "1"}};
    refuse_write(NULL, 0, reserved, 1);
    struct st_meta no_utf8[] = {{"k", "\xff\xfe"}};
    refuse_write(NULL, 0, no_utf8, 1);
    assert_int_equal(mem_live(), live);
}

static void test_file_errors(void **state)
{
    (void)state;
    struct safetensors *s = NULL;
    struct err e = ERR_INIT;
    assert_int_equal(safetensors_read(path_of("absent"), &s, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "absent"));
    e = ERR_INIT;
    assert_int_equal(safetensors_write(path_of("no/such/folder"), NULL, 0, NULL, 0, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "no/such/folder"));
}

/* The old file stays until the new one is complete. */
static void test_failed_write_keeps_the_old_file(void **state)
{
    (void)state;
    const char *path = path_of("kept.safetensors");
    write_sample(path);
    struct st_tensor bad = {.name = "", .data = one_float};
    assert_int_equal(safetensors_write(path, &bad, 1, NULL, 0, NULL), ST_USAGE);
    struct safetensors *s = NULL;
    assert_int_equal(safetensors_read(path, &s, NULL), ST_OK);
    check_sample(s);
    safetensors_free(s);
    assert_int_equal(unlink(path), 0);
}

/* Every allocation fails in turn: no crash, no leak, and always the right status. */
static void test_out_of_memory(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s", path_of("memory.safetensors"));
    size_t live = mem_live();
    struct st_tensor tensor = {.name = "a", .dims = 1, .shape = {6}, .data = some_floats};
    int failures = 0;
    enum status st = ST_NOMEM;
    for (size_t n = 1; st != ST_OK; n++) {
        mem_fail_after(n);
        st = safetensors_write(path, &tensor, 1, NULL, 0, NULL);
        mem_fail_after(0);
        assert_true(st == ST_OK || st == ST_NOMEM);
        assert_int_equal(mem_live(), live);
        failures += st != ST_OK;
    }
    assert_true(failures >= 2);
    st = ST_NOMEM;
    failures = 0;
    struct safetensors *s = NULL;
    for (size_t n = 1; st != ST_OK; n++) {
        mem_fail_after(n);
        st = safetensors_read(path, &s, NULL);
        mem_fail_after(0);
        assert_true(st == ST_OK || (st == ST_NOMEM && !s));
        failures += st != ST_OK;
    }
    assert_true(failures >= 5); /* file, object, entries, data, hasher */
    safetensors_free(s);
    assert_int_equal(mem_live(), live);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes_on_disk),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_bytes_after_the_end_are_refused),
        cmocka_unit_test(test_every_byte_flip_is_noticed_or_harmless),
        cmocka_unit_test(test_files_of_other_tools_are_read),
        cmocka_unit_test(test_hostile_headers_are_refused),
        cmocka_unit_test(test_zero_bytes_are_no_padding),
        cmocka_unit_test(test_another_file),
        cmocka_unit_test(test_header_length_is_bounded),
        cmocka_unit_test(test_write_refuses_what_cannot_be_read),
        cmocka_unit_test(test_file_errors),
        cmocka_unit_test(test_failed_write_keeps_the_old_file),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
