#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "report/utf8.h"

static const char ellipsis[] = "\xE2\x80\xA6";

/* Widths in parts of the font size: of common sans-serif fonts' (DejaVu Sans is a wide one). */
static double glyph_width(const char *s, int length, int32_t code)
{
    if (length > 1 || code < 0)
        return code < 0 ? 1 : 0.65 * utf8_width(code);
    if (strchr("ijl.,:;'|!()[] ft/", *s))
        return 0.4;
    if (strchr("mwMW@%", *s))
        return 0.95;
    return *s >= 'A' && *s <= 'Z' ? 0.72 : 0.63;
}

double text_pixels(const char *text, double font_size)
{
    double width = 0;
    for (const char *s = text; *s;) {
        int32_t code;
        int length = utf8_decode(s, &code);
        width += glyph_width(s, length, code);
        s += length;
    }
    return width * font_size;
}

const char *text_cut(struct arena *arena, const char *text, double font_size, double pixels)
{
    if (text_pixels(text, font_size) <= pixels)
        return text;
    double width = font_size; /* of the ellipsis */
    const char *s = text;
    while (*s) {
        int32_t code;
        int length = utf8_decode(s, &code);
        width += glyph_width(s, length, code) * font_size;
        if (width > pixels)
            break;
        s += length;
    }
    return arena_printf(arena, "%.*s%s", (int)(s - text), text, ellipsis);
}

const char *text_brief(struct arena *arena, const char *text)
{
    enum { LONG = 6 };
    char *out = arena_alloc(arena, strlen(text) + 1, 1), *to = out;
    bool inside = false; /* a word: its digits are none of a number */
    while (out && *text) {
        char number[32];
        double v;
        const size_t n = inside ? 0 : strspn(text, "0123456789.");
        memcpy(number, text, n < sizeof number ? n : 0);
        number[n < sizeof number ? n : 0] = '\0';
        if (n > LONG && n < sizeof number && strchr(number, '.') && text[n] != 'e' && text[n] != 'E' &&
            num_parse_double(number, &v)) {
            to += snprintf(to, n + 1, v < 1000 ? "%.3g" : "%.0f", v);
            text += n;
            continue;
        }
        const size_t step = n > 0 ? n : 1;
        inside = n == 0 && !strchr(" =,~%", *text);
        memcpy(to, text, step);
        to += step;
        text += step;
    }
    return out;
}

/* text_brief where the text would be wider, then text_cut. */
static const char *text_fit(struct arena *arena, const char *text, double font_size, double pixels)
{
    if (text_pixels(text, font_size) > pixels)
        text = text_brief(arena, text);
    return text ? text_cut(arena, text, font_size, pixels) : NULL;
}

/* A label and what it stands for. */
struct shown {
    const char *label, *text;
    size_t index;
};

static int by_label(const void *a, const void *b)
{
    const struct shown *p = a, *q = b;
    const int order = strcmp(p->label, q->label);
    return order != 0 ? order : strcmp(p->text, q->text);
}

/* Marks labels that stand for different texts; are there any? `sorted`: room for n. */
static bool mark_alike(const char *const *texts, const char *const *labels, size_t n, struct shown *sorted,
                       bool *alike)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct shown){labels[i], texts[i], i};
    if (n > 0)
        qsort(sorted, n, sizeof *sorted, by_label);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && strcmp(sorted[to].label, sorted[from].label) == 0;)
            to++;
        const bool differ = strcmp(sorted[from].text, sorted[to - 1].text) != 0;
        for (size_t i = from; i < to; i++)
            alike[sorted[i].index] = differ;
        any = any || differ;
    }
    return any;
}

/* Items of a text stand between commas. */
static size_t item_length(const char *s)
{
    return strcspn(s, ",");
}

static size_t item_count(const char *text)
{
    size_t n = 1;
    for (const char *s = text; *s; s++)
        n += *s == ',';
    return n;
}

/* Which items are not the same in all of the marked texts that have as many as `like`; NULL: no memory. */
static const bool *differing_items(struct arena *arena, const char *const *texts, size_t n, const bool *alike,
                                   const char *like)
{
    const size_t count = item_count(like);
    bool *differs = arena_alloc(arena, count, sizeof *differs);
    for (size_t i = 0; differs && i < n; i++) {
        if (!alike[i] || item_count(texts[i]) != count)
            continue;
        const char *a = like, *b = texts[i];
        for (size_t k = 0; k < count; k++) {
            const size_t na = item_length(a), nb = item_length(b);
            differs[k] = differs[k] || na != nb || memcmp(a, b, na) != 0;
            a += na + 1;
            b += nb + 1;
        }
    }
    return differs;
}

/* The items that differ, with an ellipsis for others beside them, and what these set if it goes on in them
 * ("fires=2/4/4,2/4/4,6/9/9" as "fires=...6/9/9"); NULL: no memory. */
static const char *without_common(struct arena *arena, const char *text, const bool *differs)
{
    struct strbuf out = STRBUF_INIT;
    const size_t count = item_count(text);
    const char *key = "";
    size_t key_length = 0;
    bool gap = false;
    for (size_t k = 0; k < count; k++) {
        const size_t n = item_length(text), blank = strspn(text, " ");
        const char *equals = memchr(text, '=', n);
        if (!differs[k] && equals) {
            key = text + blank;
            key_length = (size_t)(equals + 1 - key);
        } else if (differs[k]) {
            strbuf_add(&out, key, gap && !equals ? key_length : 0);
            strbuf_puts(&out, gap ? ellipsis : k > 0 ? "," : "");
            strbuf_add(&out, text + (gap ? blank : 0), n - (gap ? blank : 0));
            key_length = 0;
        }
        gap = !differs[k];
        text += n + 1;
    }
    if (gap)
        strbuf_puts(&out, ellipsis);
    const char *copy = out.failed ? NULL : arena_strndup(arena, out.text, out.len);
    strbuf_release(&out);
    return copy;
}

static const char *numbered(struct arena *arena, const char *text, size_t number, double font_size,
                            double pixels)
{
    const char *behind = arena_printf(arena, " (%zu)", number);
    const char *cut =
        behind ? text_cut(arena, text, font_size, pixels - text_pixels(behind, font_size)) : NULL;
    return cut ? arena_printf(arena, "%s%s", cut, behind) : NULL;
}

/* Leaves out what the marked texts have in common. False: no memory. */
static bool shorten_alike(struct arena *arena, const char *const *texts, size_t n, const bool *alike,
                          double font_size, double pixels, const char **out)
{
    const bool *differs = NULL;
    size_t count = 0; /* of its items */
    for (size_t i = 0; i < n; i++) {
        if (!alike[i])
            continue;
        if (count != item_count(texts[i])) {
            count = item_count(texts[i]);
            differs = differing_items(arena, texts, n, alike, texts[i]);
        }
        const char *label = differs ? without_common(arena, texts[i], differs) : NULL;
        if (!label)
            return false;
        if (strcmp(label, ellipsis) == 0) /* no other has as many items */
            continue;
        out[i] = text_cut(arena, label, font_size, pixels);
        if (!out[i])
            return false;
    }
    return true;
}

bool texts_fit(struct arena *arena, const char *const *texts, size_t n, double font_size, double pixels,
               const char **out)
{
    enum { ROUNDS = 4 }; /* fewer look alike after each */
    struct shown *sorted = arena_alloc(arena, n + 1, sizeof *sorted);
    bool *alike = arena_alloc(arena, n + 1, sizeof *alike);
    if (!sorted || !alike)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(out[i] = text_fit(arena, texts[i], font_size, pixels)))
            return false;
    for (int round = 0; round < ROUNDS && mark_alike(texts, out, n, sorted, alike); round++)
        if (!shorten_alike(arena, texts, n, alike, font_size, pixels, out))
            return false;
    mark_alike(texts, out, n, sorted, alike);
    for (size_t i = 0; i < n; i++)
        if (alike[i] && !(out[i] = numbered(arena, texts[i], i + 1, font_size, pixels)))
            return false;
    return true;
}
