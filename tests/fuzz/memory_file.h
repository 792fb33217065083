/* Bytes as a file, for parsers that take a path. */
#ifndef FUZZ_MEMORY_FILE_H
#define FUZZ_MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The path of a file in memory that holds these bytes, until the next call. Aborts when there is none. */
const char *memory_file(const uint8_t *bytes, size_t n);

#endif
