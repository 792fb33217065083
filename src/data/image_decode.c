#include "data/image_decode.h"

#include <string.h>

#include "base/mem.h"
#include "data/image_set.h"

void image_decoder_init(struct image_decoder *d)
{
    *d = (struct image_decoder){{0}, {0}};
}

void image_decoder_release(struct image_decoder *d)
{
    mem_free(d->stored.pixels);
    mem_free(d->resized.pixels);
    image_decoder_init(d);
}

enum image_format image_format_of(const uint8_t *file, size_t n)
{
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff};
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (n >= sizeof jpeg && memcmp(file, jpeg, sizeof jpeg) == 0)
        return IMAGE_JPEG;
    return n >= sizeof png && memcmp(file, png, sizeof png) == 0 ? IMAGE_PNG : IMAGE_UNKNOWN;
}

const char *image_format_name(enum image_format f)
{
    static const char *const names[] = {"JPEG", "PNG", "unknown"};
    return names[f];
}

enum status image_reserve(struct image *image, int c, int h, int w, struct err *e)
{
    size_t bytes = (size_t)c * (size_t)h * (size_t)w;
    if (bytes > image->capacity) {
        uint8_t *pixels = mem_alloc(bytes, 1);
        if (!pixels)
            return err_set(e, ST_NOMEM, "out of memory for an image of %dx%d", h, w);
        mem_free(image->pixels);
        image->pixels = pixels;
        image->capacity = bytes;
    }
    image->c = c;
    image->h = h;
    image->w = w;
    return ST_OK;
}

enum status image_prepare(struct image *image, int c, int h, int w, int decoded_h, int decoded_w,
                          const struct image_request *r, struct err *e)
{
    if (h > IMAGE_SIDE_MAX || w > IMAGE_SIDE_MAX) {
        return err_set(e, ST_CORRUPT, "image is %dx%d (height x width): sides up to %d are allowed", h, w,
                       IMAGE_SIDE_MAX);
    }
    if (r->resize_h == 0 && r->expect_h != 0 && (h != r->expect_h || w != r->expect_w)) {
        return err_set(
            e, ST_USAGE,
            "image is %dx%d (height x width), the first one %dx%d: all must have one size, unless resized", h,
            w, r->expect_h, r->expect_w);
    }
    size_t bytes = (size_t)decoded_h * (size_t)decoded_w * (size_t)c;
    if (bytes > r->max_bytes) {
        return err_set(e, ST_NOMEM,
                       "image is %dx%d (height x width): it needs %zu bytes, the memory allows %zu each", h,
                       w, bytes, r->max_bytes);
    }
    return image_reserve(image, c, decoded_h, decoded_w, e);
}

enum status image_decode(struct image_decoder *d, const uint8_t *file, size_t n,
                         const struct image_request *r, const struct image **out, struct err *e)
{
    enum status status;
    switch (image_format_of(file, n)) {
    case IMAGE_JPEG:
        status = image_decode_jpeg(file, n, r, &d->stored, e);
        break;
    case IMAGE_PNG:
        status = image_decode_png(file, n, r, &d->stored, e);
        break;
    default:
        return n == 0 ? err_set(e, ST_CORRUPT, "the file is empty")
                      : err_set(e, ST_CORRUPT, "neither JPEG nor PNG: unknown signature at byte 0");
    }
    if (status != ST_OK)
        return status;
    *out = &d->stored;
    if (r->resize_h > 0) {
        status = image_resize(&d->stored, r->resize_h, r->resize_w, &d->resized, e);
        *out = &d->resized;
    }
    return status;
}
