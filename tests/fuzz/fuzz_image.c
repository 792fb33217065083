/* JPEG and PNG images, as stored and scaled. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/image_decode.h"
#include "fuzz.h"

static void decode(const uint8_t *bytes, size_t n, const struct image_request *request)
{
    size_t live = mem_live();
    struct image_decoder decoder;
    const struct image *image = NULL;
    struct err e = ERR_INIT;
    image_decoder_init(&decoder);
    enum status status = image_decode(&decoder, bytes, n, request, &image, &e);
    if (status == ST_OK) {
        size_t count = (size_t)image->h * (size_t)image->w * (size_t)image->c;
        size_t sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += image->pixels[i];
        if (sum > 255 * count || (image->c != 1 && image->c != 3) || count > request->max_bytes ||
            (request->resize_h > 0 && (image->h != request->resize_h || image->w != request->resize_w)))
            abort();
    } else if (e.status != status || e.text[0] == '\0' || strchr(e.text, '\n')) {
        abort();
    }
    image_decoder_release(&decoder);
    if (mem_live() != live)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct image_request stored = {.max_bytes = 1 << 18};
    const struct image_request scaled = {.resize_h = 5, .resize_w = 9, .max_bytes = 1 << 18};
    decode(bytes, n, &stored);
    decode(bytes, n, &scaled);
    return 0;
}
