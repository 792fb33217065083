#include "report/utf8.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

int utf8_decode(const char *s, int32_t *code)
{
    static const int32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)s[0];
    *code = -1;
    if (first < 0x80) {
        *code = first;
        return 1;
    }
    int length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4)
        return 1;
    int32_t value = first & (0x7F >> length);
    for (int i = 1; i < length; i++) {
        if (!is_continuation(s[i])) /* also the terminator */
            return 1;
        value = value << 6 | (s[i] & 0x3F);
    }
    bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < smallest[length] || surrogate || value > 0x10FFFF)
        return 1;
    *code = value;
    return length;
}

struct code_range {
    int32_t first, last;
};

static bool in_ranges(const struct code_range *ranges, size_t n, int32_t code)
{
    for (size_t i = 0; i < n; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

int utf8_width(int32_t code)
{
    /* C0 and C1 controls, delete, and the characters that turn the writing direction around. */
    static const struct code_range unsafe[] = {{0, 0x1F},        {0x7F, 0x9F},     {0x200E, 0x200F},
                                               {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFFF9, 0xFFFB}};
    static const struct code_range combining[] = {{0x300, 0x36F},   {0x483, 0x489},    {0x591, 0x5BD},
                                                  {0x610, 0x61A},   {0x64B, 0x65F},    {0x200B, 0x200D},
                                                  {0x20D0, 0x20F0}, {0xFE00, 0xFE0F},  {0xFE20, 0xFE2F},
                                                  {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF}};
    static const struct code_range wide[] = {
        {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},  {0xA960, 0xA97F}, {0xAC00, 0xD7A3},
        {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
        {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
    if (code < 0 || in_ranges(unsafe, sizeof unsafe / sizeof *unsafe, code))
        return -1;
    if (in_ranges(combining, sizeof combining / sizeof *combining, code))
        return 0;
    return in_ranges(wide, sizeof wide / sizeof *wide, code) ? 2 : 1;
}
