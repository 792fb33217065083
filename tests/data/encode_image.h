/* JPEG and PNG images in memory, in every flavour that the tests need. */
#ifndef TESTS_DATA_ENCODE_IMAGE_H
#define TESTS_DATA_ENCODE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data; /* free() */
    size_t n;
};

struct jpeg_flavour {
    bool progressive;
    bool no_subsampling; /* colour at full resolution */
    int quality;         /* 0 = 95 */
};

/* Pixels are h x w x c, channels last, c = 1 (gray), 3 (RGB) or 4 (CMYK). False if libjpeg refuses. */
bool encode_jpeg(const uint8_t *pixels, int h, int w, int c, struct jpeg_flavour flavour, struct bytes *out);

/* What libpng is given. For a palette, `pixels` are indices. `color` and `depth` as in PNG's header. */
struct png_flavour {
    int color; /* 0 gray, 2 RGB, 3 palette, 4 gray + alpha, 6 RGBA */
    int depth; /* 1, 2, 4, 8 or 16; rows are packed, 16 bit samples big-endian */
    bool interlaced;
    const uint8_t *palette; /* palette_count x RGB */
    int palette_count;
    bool transparent; /* adds a tRNS chunk */
};

/* `rows` are h rows of `pitch` bytes. */
bool encode_png(const uint8_t *rows, int h, int w, size_t pitch, struct png_flavour flavour,
                struct bytes *out);

#endif
