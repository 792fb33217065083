#include "engine/protobuf.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_LENGTH = 2, WIRE_BITS = 3, VARINT_MAX = 10 };

/* Seven bits a byte, lowest first; the top bit says that more follow. Returns the length. */
static size_t varint(uint64_t value, char out[VARINT_MAX])
{
    size_t n = 0;
    do {
        out[n++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
    return n;
}

static void add_varint(struct strbuf *b, uint64_t value)
{
    char bytes[VARINT_MAX];
    strbuf_add(b, bytes, varint(value, bytes));
}

static void add_tag(struct strbuf *b, unsigned field, unsigned wire)
{
    add_varint(b, (uint64_t)field << WIRE_BITS | wire);
}

void protobuf_number(struct strbuf *b, unsigned field, uint64_t value)
{
    add_tag(b, field, WIRE_VARINT);
    add_varint(b, value);
}

void protobuf_bytes(struct strbuf *b, unsigned field, const void *bytes, size_t n)
{
    add_tag(b, field, WIRE_LENGTH);
    add_varint(b, n);
    if (n > 0)
        strbuf_add(b, bytes, n);
}

void protobuf_text(struct strbuf *b, unsigned field, const char *text)
{
    protobuf_bytes(b, field, text, strlen(text));
}

size_t protobuf_begin(struct strbuf *b, unsigned field)
{
    add_tag(b, field, WIRE_LENGTH);
    return b->len;
}

/* The length is known only now; the content moves up to make room for it. */
void protobuf_end(struct strbuf *b, size_t begin)
{
    if (b->failed)
        return;
    char length[VARINT_MAX];
    const size_t content = b->len - begin, n = varint(content, length);
    strbuf_add(b, length, n);
    if (b->failed)
        return;
    memmove(b->text + begin + n, b->text + begin, content);
    memcpy(b->text + begin, length, n);
}
