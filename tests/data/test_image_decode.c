#include <zlib.h>

#include "data/image_decode.h"
#include "data_test.h"
#include "encode_image.h"

enum { H = 11, W = 13, PIXELS = H * W };

static const struct image_request any = {.max_bytes = 1 << 24};

/* A value per pixel and channel that uses all bits. */
static uint8_t value(int y, int x, int c)
{
    return (uint8_t)(y * 37 + x * 11 + c * 101);
}

static void expect_image(const struct bytes *file, int channels, const uint8_t *expected, int tolerance)
{
    struct image_decoder d;
    const struct image *image = NULL;
    struct err e = ERR_INIT;
    image_decoder_init(&d);
    if (image_decode(&d, file->data, file->n, &any, &image, &e) != ST_OK)
        fail_msg("%s", e.text);
    assert_int_equal(image->h, H);
    assert_int_equal(image->w, W);
    assert_int_equal(image->c, channels);
    for (int i = 0; i < PIXELS * channels; i++)
        assert_in_range(abs(image->pixels[i] - expected[i]), 0, tolerance);
    image_decoder_release(&d);
    assert_int_equal(mem_live(), 0);
}

/* Decoding a copy of the exact length (a sanitizer sees reads past the end) fails so. */
static void expect_failure(const uint8_t *file, size_t n, const struct image_request *request,
                           enum status status, const char *part)
{
    struct image_decoder d;
    const struct image *image = NULL;
    struct err e = ERR_INIT;
    uint8_t *exact = malloc(n ? n : 1);
    memcpy(exact, file, n);
    image_decoder_init(&d);
    assert_int_equal(image_decode(&d, exact, n, request, &image, &e), status);
    assert_int_equal(e.status, status);
    expect_text(&e, part);
    image_decoder_release(&d);
    assert_int_equal(mem_live(), 0);
    free(exact);
}

/* Packs samples of `depth` bits, `samples` to a pixel. sample(y, x, c) comes from the high bits of value().
 */
static size_t pack_rows(uint8_t *rows, int depth, int samples)
{
    size_t pitch = ((size_t)(W * samples * depth) + 7) / 8;
    memset(rows, 0, H * pitch);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            for (int c = 0; c < samples; c++) {
                size_t bit = (size_t)(x * samples + c) * (size_t)depth;
                uint8_t *p = rows + (size_t)y * pitch + bit / 8;
                if (depth == 16) {
                    p[0] = value(y, x, c);
                    p[1] = (uint8_t)(255 - value(y, x, c));
                } else {
                    *p |= (uint8_t)(value(y, x, c) >> (8 - depth) << (8 - depth - (int)(bit % 8)));
                }
            }
        }
    }
    return pitch;
}

/* What a sample of this depth is in 8 bits. */
static uint8_t to_8_bits(int y, int x, int c, int depth)
{
    int v = value(y, x, c);
    if (depth == 16)
        return (uint8_t)(((v << 8 | (255 - v)) * 255 + 32767) / 65535);
    int most = (1 << depth) - 1;
    return (uint8_t)((v >> (8 - depth)) * 255 / most);
}

static void check_png(int color, int depth, bool interlaced, bool transparent)
{
    static const int samples_of[] = {1, 0, 3, 1, 2, 0, 4};
    uint8_t rows[H * W * 8], expected[PIXELS * 3];
    int samples = samples_of[color], channels = color & 2 ? 3 : 1;
    struct png_flavour flavour = {
        .color = color, .depth = depth, .interlaced = interlaced, .transparent = transparent};
    struct bytes file;
    size_t pitch = pack_rows(rows, depth, samples);
    for (int i = 0; i < PIXELS; i++)
        for (int c = 0; c < channels; c++)
            expected[i * channels + c] = to_8_bits(i / W, i % W, c, depth);
    assert_true(encode_png(rows, H, W, pitch, flavour, &file));
    expect_image(&file, channels, expected, 0);
    free(file.data);
}

static void png_of_every_kind_is_converted(void **state)
{
    (void)state;
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        for (int depth = 1; depth <= 16; depth *= 2) {
            check_png(0, depth, interlaced, false);
            check_png(0, depth, interlaced, true);
        }
        for (int depth = 8; depth <= 16; depth *= 2) {
            check_png(2, depth, interlaced, false);
            check_png(2, depth, interlaced, true);
            check_png(4, depth, interlaced, false);
            check_png(6, depth, interlaced, false);
        }
    }
}

static void palettes_become_rgb(void **state)
{
    (void)state;
    uint8_t palette[256 * 3], rows[H * W], expected[PIXELS * 3];
    struct bytes file;
    for (int i = 0; i < 256 * 3; i++)
        palette[i] = (uint8_t)(i * 59 + 3);
    for (int depth = 1; depth <= 8; depth *= 2) {
        for (int transparent = 0; transparent < 2; transparent++) {
            size_t pitch = pack_rows(rows, depth, 1);
            for (int i = 0; i < PIXELS; i++)
                memcpy(expected + 3 * i, palette + 3 * (value(i / W, i % W, 0) >> (8 - depth)), 3);
            struct png_flavour flavour = {3, depth, depth == 4, palette, 1 << depth, transparent};
            assert_true(encode_png(rows, H, W, pitch, flavour, &file));
            expect_image(&file, 3, expected, 0);
            free(file.data);
        }
    }
}

/* A smooth picture: JPEG keeps it nearly. */
static void fill_smooth(uint8_t *pixels, int channels)
{
    for (int i = 0; i < PIXELS * channels; i++) {
        int y = i / channels / W, x = i / channels % W, c = i % channels;
        pixels[i] = (uint8_t)(60 + 7 * y + 5 * x + 20 * c);
    }
}

static struct bytes smooth_jpeg(int channels, bool progressive)
{
    uint8_t pixels[PIXELS * 4];
    struct bytes file;
    struct jpeg_flavour flavour = {.progressive = progressive, .no_subsampling = true, .quality = 100};
    fill_smooth(pixels, channels);
    assert_true(encode_jpeg(pixels, H, W, channels, flavour, &file));
    return file;
}

static void jpeg_is_decoded(void **state)
{
    (void)state;
    uint8_t expected[PIXELS * 3];
    for (int channels = 1; channels <= 3; channels += 2) {
        fill_smooth(expected, channels);
        for (int progressive = 0; progressive < 2; progressive++) {
            struct bytes file = smooth_jpeg(channels, progressive);
            expect_image(&file, channels, expected, 3);
            free(file.data);
        }
    }
}

static void cmyk_is_refused(void **state)
{
    (void)state;
    struct bytes file = smooth_jpeg(4, false);
    expect_failure(file.data, file.n, &any, ST_CORRUPT, "CMYK JPEG images are not supported");
    free(file.data);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    char part[64];
    for (int progressive = 0; progressive < 2; progressive++) {
        struct bytes file = smooth_jpeg(3, progressive);
        for (size_t n = 0; n < file.n; n++) {
            snprintf(part, sizeof part, "JPEG image truncated at byte %zu", n);
            expect_failure(file.data, n, &any, ST_CORRUPT,
                           n == 0  ? "empty"
                           : n < 3 ? "neither JPEG nor PNG"
                                   : part);
        }
        free(file.data);
    }
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        uint8_t rows[H * W * 3];
        struct bytes file;
        size_t pitch = pack_rows(rows, 8, 3);
        assert_true(encode_png(rows, H, W, pitch,
                               (struct png_flavour){.color = 2, .depth = 8, .interlaced = interlaced},
                               &file));
        for (size_t n = 0; n < file.n; n++) {
            snprintf(part, sizeof part, "PNG image truncated at byte %zu", n);
            expect_failure(file.data, n, &any, ST_CORRUPT,
                           n == 0  ? "empty"
                           : n < 8 ? "neither JPEG nor PNG"
                                   : part);
        }
        free(file.data);
    }
}

/* Whatever one changed byte does: an image or a clean error, never more. */
static void flip_bytes(struct bytes file)
{
    size_t refused = 0;
    for (size_t at = 0; at < file.n; at++) {
        for (int bit = 0; bit < 8; bit += 3) {
            struct image_decoder d;
            const struct image *image = NULL;
            struct err e = ERR_INIT;
            file.data[at] ^= (uint8_t)(1 << bit);
            image_decoder_init(&d);
            enum status status = image_decode(&d, file.data, file.n, &any, &image, &e);
            assert_true(status == ST_OK ? e.text[0] == '\0' && image : e.text[0] != '\0');
            refused += status != ST_OK;
            image_decoder_release(&d);
            assert_int_equal(mem_live(), 0);
            file.data[at] ^= (uint8_t)(1 << bit);
        }
    }
    assert_true(refused > file.n / 10);
}

static void damage_is_survived(void **state)
{
    (void)state;
    uint8_t rows[H * W * 3];
    struct bytes file;
    for (int progressive = 0; progressive < 2; progressive++) {
        file = smooth_jpeg(3, progressive);
        flip_bytes(file);
        free(file.data);
    }
    size_t pitch = pack_rows(rows, 4, 1);
    struct png_flavour flavour = {.color = 0, .depth = 4, .interlaced = true};
    assert_true(encode_png(rows, H, W, pitch, flavour, &file));
    flip_bytes(file);
    free(file.data);
}

static void put_be32(uint8_t *out, unsigned long v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Gives a PNG another size in its header, with a valid checksum. */
static void announce_png(struct bytes *file, unsigned long h, unsigned long w)
{
    put_be32(file->data + 16, w);
    put_be32(file->data + 20, h);
    put_be32(file->data + 29, crc32(crc32(0, NULL, 0), file->data + 12, 17));
}

static void announce_jpeg(struct bytes *file, int h, int w)
{
    for (size_t i = 2; i + 9 < file->n; i++) {
        if (file->data[i] == 0xff && (file->data[i + 1] == 0xc0 || file->data[i + 1] == 0xc2)) {
            file->data[i + 5] = (uint8_t)(h >> 8);
            file->data[i + 6] = (uint8_t)h;
            file->data[i + 7] = (uint8_t)(w >> 8);
            file->data[i + 8] = (uint8_t)w;
            return;
        }
    }
    fail_msg("no frame header");
}

static void enormous_images_are_refused_before_any_memory(void **state)
{
    (void)state;
    uint8_t rows[H * W * 3];
    size_t pitch = pack_rows(rows, 8, 3);
    struct bytes png, jpeg = smooth_jpeg(3, false);
    assert_true(encode_png(rows, H, W, pitch, (struct png_flavour){.color = 2, .depth = 8}, &png));
    announce_png(&png, 16385, 1);
    expect_failure(png.data, png.n, &any, ST_CORRUPT, "16385x1 (height x width): sides up to 16384");
    announce_png(&png, 7, 0x7fffffff);
    expect_failure(png.data, png.n, &any, ST_CORRUPT, "7x2147483647");
    announce_png(&png, 16384, 16384);
    expect_failure(png.data, png.n, &any, ST_NOMEM, "needs 805306368 bytes, the memory allows 16777216 each");
    announce_jpeg(&jpeg, 65500, 10);
    expect_failure(jpeg.data, jpeg.n, &any, ST_CORRUPT, "65500x10 (height x width): sides up to 16384");
    announce_jpeg(&jpeg, 16000, 16384);
    expect_failure(jpeg.data, jpeg.n, &any, ST_NOMEM, "needs 786432000 bytes");
    free(jpeg.data);
    jpeg = smooth_jpeg(3, true);
    announce_jpeg(&jpeg, 16384,
                  16384); /* decoded at 1/8 it is small, but its coefficients would fill 1.6 GB */
    const struct image_request small = {.resize_h = 32, .resize_w = 32, .max_bytes = 1 << 24};
    expect_failure(jpeg.data, jpeg.n, &small, ST_NOMEM, "takes more memory than allowed");
    free(jpeg.data);
    free(png.data);
}

static void other_sizes_are_refused(void **state)
{
    (void)state;
    struct bytes file = smooth_jpeg(3, false);
    struct image_request request = {.expect_h = 13, .expect_w = 11, .max_bytes = 1 << 24};
    expect_failure(file.data, file.n, &request, ST_USAGE,
                   "image is 11x13 (height x width), the first one 13x11");
    free(file.data);
}

/* An end marker inside the data: libjpeg only warns, we refuse. */
static void missing_middles_are_refused(void **state)
{
    (void)state;
    struct bytes file = smooth_jpeg(3, false);
    const size_t cut = 20;
    memmove(file.data + file.n - 2 - cut, file.data + file.n - 2, 2);
    expect_failure(file.data, file.n - cut, &any, ST_CORRUPT, "JPEG image damaged at byte");
    free(file.data);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    static const char *const files[] = {"GIF89a and so on", "<html>not found</html>", "BM",
                                        "\xff\xd9\xff\xe0"};
    for (size_t i = 0; i < 4; i++)
        expect_failure((const uint8_t *)files[i], strlen(files[i]), &any, ST_CORRUPT, "neither JPEG nor PNG");
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    const struct image_request request = {.resize_h = 4, .resize_w = 4, .max_bytes = 1 << 20};
    uint8_t rows[H * W * 3];
    struct bytes files[2] = {smooth_jpeg(3, false)};
    size_t pitch = pack_rows(rows, 8, 3);
    assert_true(encode_png(rows, H, W, pitch, (struct png_flavour){.color = 2, .depth = 8}, &files[1]));
    for (int i = 0; i < 2; i++) {
        enum status status = ST_NOMEM;
        for (size_t n = 1; status != ST_OK; n++) {
            struct image_decoder d;
            const struct image *image;
            struct err e = ERR_INIT;
            image_decoder_init(&d);
            mem_fail_after(n);
            status = image_decode(&d, files[i].data, files[i].n, &request, &image, &e);
            mem_fail_after(0);
            assert_true(status == ST_OK || (status == ST_NOMEM && strstr(e.text, "memory")));
            image_decoder_release(&d);
            assert_int_equal(mem_live(), 0);
            assert_true(n < 100);
        }
        free(files[i].data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_of_every_kind_is_converted),
        cmocka_unit_test(palettes_become_rgb),
        cmocka_unit_test(jpeg_is_decoded),
        cmocka_unit_test(cmyk_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(enormous_images_are_refused_before_any_memory),
        cmocka_unit_test(other_sizes_are_refused),
        cmocka_unit_test(missing_middles_are_refused),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
