/* What every fuzz target defines: one run on `n` bytes. Returns 0. It must neither crash nor leak nor abort,
 * whatever the bytes are; broken promises of the parser are reported by abort(). */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif
