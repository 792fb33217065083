#include "cli/shell_word.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/strbuf.h"
#include "report/utf8.h"

static bool is_plain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+:,@%-";
    return text[0] != '\0' && text[strspn(text, letters)] == '\0';
}

/* Whether every character may reach a terminal. */
static bool is_printable(const char *text)
{
    while (*text) {
        int32_t code;
        text += utf8_decode(text, &code);
        if (utf8_width(code) < 0)
            return false;
    }
    return true;
}

static void put_quoted(struct strbuf *out, const char *text)
{
    strbuf_putc(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            strbuf_puts(out, "'\\''");
        else
            strbuf_putc(out, *text);
    strbuf_putc(out, '\'');
}

/* Bytes in octal with all three digits: a digit behind them stays a digit. */
static void put_escaped(struct strbuf *out, const char *text)
{
    strbuf_puts(out, "$'");
    while (*text) {
        int32_t code;
        int length = utf8_decode(text, &code);
        bool safe = utf8_width(code) >= 0;
        for (int i = 0; i < length; i++)
            if (!safe)
                strbuf_printf(out, "\\%03o", (unsigned)(unsigned char)text[i]);
            else if (text[i] == '\'' || text[i] == '\\')
                strbuf_printf(out, "\\%c", text[i]);
            else
                strbuf_putc(out, text[i]);
        text += length;
    }
    strbuf_putc(out, '\'');
}

char *shell_word(const char *text)
{
    struct strbuf out = STRBUF_INIT;
    if (is_plain(text))
        strbuf_puts(&out, text);
    else if (is_printable(text))
        put_quoted(&out, text);
    else
        put_escaped(&out, text);
    if (!out.failed)
        return out.text;
    strbuf_release(&out);
    return NULL;
}
