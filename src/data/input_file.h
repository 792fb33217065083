/* Whole input files. Private to the data module. */
#ifndef DATA_INPUT_FILE_H
#define DATA_INPUT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { INPUT_FILE_ANY_SIZE = 0 };

/* Reads a regular file (or a link to one) of at most `limit` bytes; *out is the caller's (mem_free) and
 * terminated. Pipes, devices and folders are refused before they are opened. Errors name the path. */
enum status input_file_read(const char *path, size_t limit, uint8_t **out, size_t *n, struct err *e);

/* The first bytes of such a file, at most `capacity`; *n are there. */
enum status input_file_start(const char *path, uint8_t *out, size_t capacity, size_t *n, struct err *e);

#endif
