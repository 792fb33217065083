#include "encode_image.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <png.h>

struct jpeg_writing {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr handlers;
    jmp_buf escape;
    bool done; /* here, not in a local: it changes between setjmp and longjmp */
    unsigned char *data;
    unsigned long n;
};

_Noreturn static void jpeg_failed(j_common_ptr common)
{
    struct jpeg_writing *w = common->client_data;
    longjmp(w->escape, 1);
}

static void compress_jpeg(struct jpeg_writing *writing, const uint8_t *pixels, int h, int w, int c,
                          struct jpeg_flavour flavour)
{
    struct jpeg_compress_struct *jpeg = &writing->jpeg;
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, &writing->data, &writing->n);
    jpeg->image_height = (JDIMENSION)h;
    jpeg->image_width = (JDIMENSION)w;
    jpeg->input_components = c;
    jpeg->in_color_space = c == 1 ? JCS_GRAYSCALE : c == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, flavour.quality ? flavour.quality : 95, TRUE);
    if (flavour.progressive)
        jpeg_simple_progression(jpeg);
    if (flavour.no_subsampling) {
        jpeg->comp_info[0].h_samp_factor = 1;
        jpeg->comp_info[0].v_samp_factor = 1;
    }
    jpeg_start_compress(jpeg, TRUE);
    for (int y = 0; y < h; y++) {
        JSAMPROW row = (JSAMPROW)(pixels + (size_t)y * (size_t)w * (size_t)c);
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
}

bool encode_jpeg(const uint8_t *pixels, int h, int w, int c, struct jpeg_flavour flavour, struct bytes *out)
{
    struct jpeg_writing *writing = calloc(1, sizeof *writing);
    if (!writing)
        return false;
    writing->jpeg.err = jpeg_std_error(&writing->handlers);
    writing->jpeg.client_data = writing;
    writing->handlers.error_exit = jpeg_failed;
    if (setjmp(writing->escape) == 0) {
        compress_jpeg(writing, pixels, h, w, c, flavour);
        writing->done = true;
    }
    jpeg_destroy_compress(&writing->jpeg);
    bool done = writing->done;
    if (done)
        *out = (struct bytes){writing->data, writing->n};
    else
        free(writing->data);
    free(writing);
    return done;
}

struct png_writing {
    jmp_buf escape;
    bool done;
    png_structp png;
    png_infop info;
    struct bytes out;
    size_t capacity;
};

_Noreturn static void png_failed(png_structp png, png_const_charp message)
{
    struct png_writing *w = png_get_error_ptr(png);
    (void)message;
    longjmp(w->escape, 1);
}

static void append(png_structp png, png_bytep data, size_t n)
{
    struct png_writing *w = png_get_io_ptr(png);
    if (w->out.n + n > w->capacity) {
        size_t capacity = 2 * (w->out.n + n);
        uint8_t *larger = realloc(w->out.data, capacity);
        if (!larger)
            png_error(png, "out of memory");
        w->out.data = larger;
        w->capacity = capacity;
    }
    memcpy(w->out.data + w->out.n, data, n);
    w->out.n += n;
}

static void flush(png_structp png)
{
    (void)png;
}

static void write_palette(struct png_writing *writing, struct png_flavour flavour)
{
    png_color colors[256];
    for (int i = 0; i < flavour.palette_count; i++) {
        const uint8_t *p = flavour.palette + 3 * i;
        colors[i] = (png_color){p[0], p[1], p[2]};
    }
    png_set_PLTE(writing->png, writing->info, colors, flavour.palette_count);
}

static void compress_png(struct png_writing *writing, const uint8_t *rows, int h, int w, size_t pitch,
                         struct png_flavour flavour)
{
    writing->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writing, png_failed, NULL);
    writing->info = png_create_info_struct(writing->png);
    png_set_write_fn(writing->png, writing, append, flush);
    png_set_IHDR(writing->png, writing->info, (png_uint_32)w, (png_uint_32)h, flavour.depth, flavour.color,
                 flavour.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (flavour.color == PNG_COLOR_TYPE_PALETTE)
        write_palette(writing, flavour);
    if (flavour.transparent) {
        png_byte alpha[1] = {0};
        png_color_16 key = {0};
        png_set_tRNS(writing->png, writing->info, alpha, 1, &key);
    }
    png_write_info(writing->png, writing->info);
    int passes = png_set_interlace_handling(writing->png);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < h; y++)
            png_write_row(writing->png, rows + (size_t)y * pitch);
    png_write_end(writing->png, writing->info);
}

bool encode_png(const uint8_t *rows, int h, int w, size_t pitch, struct png_flavour flavour,
                struct bytes *out)
{
    struct png_writing *writing = calloc(1, sizeof *writing);
    if (!writing)
        return false;
    if (setjmp(writing->escape) == 0) {
        compress_png(writing, rows, h, w, pitch, flavour);
        writing->done = true;
    }
    png_destroy_write_struct(&writing->png, &writing->info);
    bool done = writing->done;
    if (done)
        *out = writing->out;
    else
        free(writing->out.data);
    free(writing);
    return done;
}
