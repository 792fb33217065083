/* JPEG and PNG images from memory. Private to the data module. */
#ifndef DATA_IMAGE_DECODE_H
#define DATA_IMAGE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum image_format { IMAGE_JPEG, IMAGE_PNG, IMAGE_UNKNOWN };

/* One 8 bit image, h x w x c, channels last, c = 1 or 3. The memory is kept from image to image. */
struct image {
    int c, h, w;
    uint8_t *pixels;
    size_t capacity;
};

/* What the caller accepts and wants. */
struct image_request {
    int resize_h, resize_w; /* cover and crop to this; 0 = as stored */
    int expect_h, expect_w; /* the size an image must have as stored (without resize); 0 = any */
    size_t max_bytes;       /* of one decoded image */
};

struct image_decoder {
    struct image stored; /* as decoded */
    struct image resized;
};

void image_decoder_init(struct image_decoder *d);
void image_decoder_release(struct image_decoder *d);

/* What the first bytes say. */
enum image_format image_format_of(const uint8_t *file, size_t n);
const char *image_format_name(enum image_format f); /* "JPEG", "PNG", "unknown" */

/* Decodes a whole file; *out belongs to the decoder and lasts until the next call. Gray images have one
 * channel, all others three. ST_CORRUPT: damaged, truncated, or not supported (CMYK), with the offset or
 * reason; ST_USAGE: another size than expected; ST_NOMEM: no memory, or more than max_bytes needed. */
enum status image_decode(struct image_decoder *d, const uint8_t *file, size_t n,
                         const struct image_request *r, const struct image **out, struct err *e);

/* For the two decoders. Checks a size against the request (`h`, `w` as stored; `decoded_h`, `decoded_w` as it
 * will be decoded) and makes room for the decoded image. */
enum status image_prepare(struct image *image, int c, int h, int w, int decoded_h, int decoded_w,
                          const struct image_request *r, struct err *e);
enum status image_decode_jpeg(const uint8_t *file, size_t n, const struct image_request *r, struct image *out,
                              struct err *e);
enum status image_decode_png(const uint8_t *file, size_t n, const struct image_request *r, struct image *out,
                             struct err *e);

/* Scales `in` until it covers h x w (same factor both ways; triangle filter, widened when shrinking) and
 * crops the middle. Integer arithmetic: the same on every machine. */
enum status image_resize(const struct image *in, int h, int w, struct image *out, struct err *e);

/* Gives *image this shape and room for it; the pixels are undefined afterwards. */
enum status image_reserve(struct image *image, int c, int h, int w, struct err *e);

#endif
