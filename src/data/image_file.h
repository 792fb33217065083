/* One file of an image folder, and what is done with a bad one. Private to the data module. */
#ifndef DATA_IMAGE_FILE_H
#define DATA_IMAGE_FILE_H

#include "data/dataset.h"
#include "data/image_decode.h"

/* Reads and decodes `root`/`name`; *out belongs to the decoder and lasts until its next use. Errors name the
 * file: those of input_file_read and image_decode, and ST_CORRUPT when the content is not what the suffix
 * says. */
enum status image_file_decode(struct image_decoder *d, const char *root, const char *name,
                              const struct image_request *r, const struct image **out, struct err *e);

/* Whether a file that failed like this is left out rather than an error, on request of the source. */
bool image_file_may_skip(const struct data_source *source, enum status status);
/* Counts a file that was left out; the first one's reason is kept. */
void image_file_note_skipped(struct dataset *d, const struct err *reason);

/* Gray pixels to RGB; `out` may start where `gray` does. */
void image_widen(const uint8_t *gray, size_t count, uint8_t *out);

#endif
