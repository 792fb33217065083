/* Errors with a position in the spec. */
#ifndef SWEEP_SPEC_ERROR_H
#define SWEEP_SPEC_ERROR_H

#include <stddef.h>

#include "base/err.h"
#include "sweep/spec.h"

/* Records "path:line:column: key: text" (ST_USAGE). `key` may be NULL. */
enum status spec_error(struct err *e, const char *path, struct mark at, const char *key, const char *format,
                       ...) __attribute__((format(printf, 5, 6)));

enum { QUOTED_TEXT = 64 };
/* A user's text for use in a message: in quotes, control characters as \xNN, cut to fit. Returns out. */
const char *text_quote(const char *text, char out[QUOTED_TEXT]);

#endif
