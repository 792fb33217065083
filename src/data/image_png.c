/* libpng reports by calling back; setjmp brings control out of it. All state that lives
 * across the jump is in struct png_reading, which outlives the function that jumps. */
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include <png.h>

#include "base/mem.h"
#include "data/image_decode.h"

struct png_reading {
    png_structp png;
    png_infop info;
    jmp_buf escape;
    const uint8_t *file;
    size_t n, position;
    bool truncated, no_memory;
    const struct image_request *request;
    struct image *out;
    enum status status;
    struct err *e;
};

enum { CHUNK_BYTES_MAX = 1 << 20 }; /* of one decompressed text or profile chunk, none of which is needed */

/* libpng's error handler: records and leaves. */
_Noreturn static void give_up(png_structp png, png_const_charp message)
{
    struct png_reading *r = png_get_error_ptr(png);
    if (r->no_memory) {
        r->status = err_set(r->e, ST_NOMEM, "out of memory while decoding a PNG image");
    } else if (r->truncated) {
        r->status = err_set(r->e, ST_CORRUPT, "PNG image truncated at byte %zu", r->n);
    } else {
        r->status =
            err_set(r->e, ST_CORRUPT, "PNG image damaged at byte %zu of %zu: %s", r->position, r->n, message);
    }
    longjmp(r->escape, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png; /* about chunks that are not needed */
    (void)message;
}

static void on_read(png_structp png, png_bytep out, size_t n)
{
    struct png_reading *r = png_get_io_ptr(png);
    if (n > r->n - r->position) {
        r->truncated = true;
        png_error(png, "truncated");
    }
    memcpy(out, r->file + r->position, n);
    r->position += n;
}

static png_voidp allocate(png_structp png, png_alloc_size_t bytes)
{
    struct png_reading *r = png_get_mem_ptr(png);
    void *p = mem_alloc(bytes, 1);
    r->no_memory = r->no_memory || !p;
    return p;
}

static void release(png_structp png, png_voidp p)
{
    (void)png;
    mem_free(p);
}

/* Every kind of PNG to 8 bit gray or RGB. */
static void choose_transformations(png_structp png, png_infop info)
{
    int type = png_get_color_type(png, info);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    else if (type == PNG_COLOR_TYPE_GRAY)
        png_set_expand_gray_1_2_4_to_8(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
}

static void read_rows(struct png_reading *r, int passes)
{
    size_t pitch = (size_t)r->out->w * (size_t)r->out->c;
    if (png_get_rowbytes(r->png, r->info) != pitch)
        png_error(r->png, "unexpected row length");
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < r->out->h; y++)
            png_read_row(r->png, r->out->pixels + (size_t)y * pitch, NULL);
    png_read_end(r->png, NULL); /* also finds a missing end */
}

static void read_image(struct png_reading *r)
{
    r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, give_up, on_warning, r, allocate, release);
    r->info = r->png ? png_create_info_struct(r->png) : NULL;
    if (!r->info) {
        r->status = err_set(r->e, ST_NOMEM, "out of memory while decoding a PNG image");
        return;
    }
    png_set_read_fn(r->png, r, on_read);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* image_prepare says it better */
    png_set_chunk_malloc_max(r->png, CHUNK_BYTES_MAX);
    png_read_info(r->png, r->info);
    int h = (int)png_get_image_height(r->png, r->info), w = (int)png_get_image_width(r->png, r->info);
    int c = png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_COLOR ? 3 : 1;
    r->status = image_prepare(r->out, c, h, w, h, w, r->request, r->e);
    if (r->status != ST_OK)
        return;
    choose_transformations(r->png, r->info);
    int passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    read_rows(r, passes);
}

enum status image_decode_png(const uint8_t *file, size_t n, const struct image_request *request,
                             struct image *out, struct err *e)
{
    struct png_reading r = {.file = file, .n = n, .request = request, .out = out, .status = ST_OK, .e = e};
    if (setjmp(r.escape) == 0)
        read_image(&r);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    return r.status;
}
