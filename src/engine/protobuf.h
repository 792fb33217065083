/* Encoding of protocol buffers: as much as an ONNX file needs.
 * Wire format: https://protobuf.dev/programming-guides/encoding. Bytes are appended to a strbuf, whose
 * `failed` says in the end whether memory sufficed. */
#ifndef ENGINE_PROTOBUF_H
#define ENGINE_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

/* One field. Negative numbers are not needed. */
void protobuf_number(struct strbuf *b, unsigned field, uint64_t value);
void protobuf_text(struct strbuf *b, unsigned field, const char *text);
void protobuf_bytes(struct strbuf *b, unsigned field, const void *bytes, size_t n);

/* A message as a field: what is appended between begin and end is in it. `end` takes what `begin` returned.
 */
size_t protobuf_begin(struct strbuf *b, unsigned field);
void protobuf_end(struct strbuf *b, size_t begin);

#endif
