#include "data/image_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/input_file.h"

enum { FILE_BYTES_MAX = 256 * 1024 * 1024 };

/* A file must be what its name says: a wrong suffix is a sign of a mix-up. */
static enum status check_suffix(const char *path, const uint8_t *file, size_t n, struct err *e)
{
    const char *suffix = strrchr(path, '.');
    enum image_format named = suffix && strcasecmp(suffix, ".png") == 0 ? IMAGE_PNG : IMAGE_JPEG;
    enum image_format found = image_format_of(file, n);
    if (found == IMAGE_UNKNOWN || found == named)
        return ST_OK; /* the decoder says what is wrong with an unknown one */
    return err_set(e, ST_CORRUPT, "is a %s image, but its name says %s", image_format_name(found),
                   image_format_name(named));
}

static enum status decode_path(struct image_decoder *d, const char *path, const struct image_request *r,
                               const struct image **out, struct err *e)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    enum status status = input_file_read(path, FILE_BYTES_MAX, &bytes, &n, e);
    if (status != ST_OK)
        return status;
    status = check_suffix(path, bytes, n, e);
    if (status == ST_OK)
        status = image_decode(d, bytes, n, r, out, e);
    mem_free(bytes);
    if (status != ST_OK)
        err_prefix(e, "%s", path);
    return status;
}

enum status image_file_decode(struct image_decoder *d, const char *root, const char *name,
                              const struct image_request *r, const struct image **out, struct err *e)
{
    char *path = mem_printf("%s/%s", root, name);
    if (!path)
        return err_set(e, ST_NOMEM, "out of memory for file names");
    enum status status = decode_path(d, path, r, out, e);
    mem_free(path);
    return status;
}

bool image_file_may_skip(const struct data_source *source, enum status status)
{
    return source->skip_bad && (status == ST_CORRUPT || status == ST_FAILED);
}

void image_file_note_skipped(struct dataset *d, const struct err *reason)
{
    if (d->skipped++ == 0) {
        snprintf(d->first_skipped, sizeof d->first_skipped, "%.*s", (int)sizeof d->first_skipped - 1,
                 reason->text);
    }
}

void image_widen(const uint8_t *gray, size_t count, uint8_t *out)
{
    for (size_t i = count; i-- > 0;)
        out[3 * i + 2] = out[3 * i + 1] = out[3 * i] = gray[i];
}
