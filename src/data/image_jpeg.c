/* libjpeg reports by calling back; setjmp brings control out of it. All state that lives
 * across the jump is in struct jpeg_reading, which outlives the function that jumps. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

#include "data/image_decode.h"

struct jpeg_reading {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr handlers;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    size_t n;
    const struct image_request *request;
    struct image *out;
    enum status status;
    struct err *e;
};

enum {
    SCANS_MAX = 500,                 /* a progressive file with more is made to waste time */
    LIBJPEG_MARGIN = 8 * 1024 * 1024 /* working memory of libjpeg beside coefficients */
};

static struct jpeg_reading *reading_of(j_common_ptr common)
{
    return common->client_data;
}

static size_t position(const struct jpeg_reading *r)
{
    return r->jpeg.src ? r->n - r->jpeg.src->bytes_in_buffer : 0;
}

/* Records libjpeg's current message and leaves it. */
_Noreturn static void give_up(j_common_ptr common)
{
    struct jpeg_reading *r = reading_of(common);
    char message[JMSG_LENGTH_MAX];
    switch (common->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        r->status = err_set(r->e, ST_NOMEM, "out of memory while decoding a JPEG image");
        break;
    case JERR_NO_BACKING_STORE: /* libjpeg wants more than max_memory_to_use */
        r->status = err_set(r->e, ST_NOMEM, "decoding this JPEG image takes more memory than allowed");
        break;
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF:
    case JWRN_JPEG_EOF:
        r->status = err_set(r->e, ST_CORRUPT, "JPEG image truncated at byte %zu", r->n);
        break;
    default:
        common->err->format_message(common, message);
        r->status = err_set(r->e, ST_CORRUPT, "JPEG image damaged at byte %zu of %zu: %s", position(r), r->n,
                            message);
        break;
    }
    longjmp(r->escape, 1);
}

/* Warnings mean a damaged image, except for these, which leave the pixels alone. */
static bool is_harmless(int code)
{
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_BOGUS_ICC ||
           code == JWRN_BOGUS_PROGRESSION || code == JWRN_JFIF_MAJOR;
}

static void on_message(j_common_ptr common, int level)
{
    if (level < 0 && !is_harmless(common->err->msg_code))
        give_up(common);
}

static void on_output(j_common_ptr common)
{
    (void)common; /* libraries never print */
}

static void on_progress(j_common_ptr common)
{
    struct jpeg_reading *r = reading_of(common);
    if (common->is_decompressor && r->jpeg.input_scan_number > SCANS_MAX) {
        r->status = err_set(r->e, ST_CORRUPT, "JPEG image has more than %d scans", SCANS_MAX);
        longjmp(r->escape, 1);
    }
}

_Noreturn static void refuse(struct jpeg_reading *r, const char *reason)
{
    r->status = err_set(r->e, ST_CORRUPT, "%s", reason);
    longjmp(r->escape, 1);
}

/* One channel for gray, RGB otherwise; libjpeg does not turn CMYK into RGB. */
static void choose_colours(struct jpeg_reading *r)
{
    switch (r->jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE:
        r->jpeg.out_color_space = JCS_GRAYSCALE;
        break;
    case JCS_RGB:
    case JCS_YCbCr:
        r->jpeg.out_color_space = JCS_RGB;
        break;
    case JCS_CMYK:
    case JCS_YCCK:
        refuse(r, "CMYK JPEG images are not supported: convert it to RGB");
    default:
        refuse(r, "JPEG image with an unknown colour space: convert it to RGB");
    }
}

/* The smallest scale libjpeg decodes at that still covers the wanted size. */
static void choose_scale(struct jpeg_reading *r)
{
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    unsigned h = (unsigned)r->request->resize_h, w = (unsigned)r->request->resize_w;
    jpeg->scale_num = 1;
    for (jpeg->scale_denom = r->request->resize_h > 0 ? 8 : 1; jpeg->scale_denom >= 1;
         jpeg->scale_denom /= 2) {
        jpeg_calc_output_dimensions(jpeg);
        if (jpeg->scale_denom == 1 || (jpeg->output_height >= h && jpeg->output_width >= w))
            return;
    }
}

static void read_image(struct jpeg_reading *r, const uint8_t *file)
{
    struct jpeg_decompress_struct *jpeg = &r->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &r->progress;
    jpeg->mem->max_memory_to_use =
        (long)(r->request->max_bytes < SIZE_MAX / 8 ? 2 * r->request->max_bytes : SIZE_MAX / 8) +
        LIBJPEG_MARGIN;
    jpeg_mem_src(jpeg, file, r->n);
    jpeg_read_header(jpeg, TRUE);
    choose_colours(r);
    choose_scale(r);
    r->status = image_prepare(r->out, jpeg->out_color_space == JCS_GRAYSCALE ? 1 : 3, (int)jpeg->image_height,
                              (int)jpeg->image_width, (int)jpeg->output_height, (int)jpeg->output_width,
                              r->request, r->e);
    if (r->status != ST_OK)
        return;
    jpeg_start_decompress(jpeg);
    size_t pitch = (size_t)r->out->w * (size_t)r->out->c;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = r->out->pixels + jpeg->output_scanline * pitch;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg); /* also finds a missing end marker */
}

enum status image_decode_jpeg(const uint8_t *file, size_t n, const struct image_request *request,
                              struct image *out, struct err *e)
{
    struct jpeg_reading r = {.n = n, .request = request, .out = out, .status = ST_OK, .e = e};
    r.jpeg.err = jpeg_std_error(&r.handlers);
    r.jpeg.client_data = &r;
    r.handlers.error_exit = give_up;
    r.handlers.emit_message = on_message;
    r.handlers.output_message = on_output;
    r.progress.progress_monitor = on_progress;
    if (setjmp(r.escape) == 0)
        read_image(&r, file);
    jpeg_destroy_decompress(&r.jpeg);
    return r.status;
}
