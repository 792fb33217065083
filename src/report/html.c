#include "report/html.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "report/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD"

void html_text(FILE *out, const char *text)
{
    for (const char *s = text; *s;) {
        int32_t code;
        const int length = utf8_decode(s, &code);
        const bool blank = code == '\n' || code == '\t';
        if (code == '&')
            fputs("&amp;", out);
        else if (code == '<')
            fputs("&lt;", out);
        else if (code == '>')
            fputs("&gt;", out);
        else if (code == '"')
            fputs("&quot;", out);
        else if (code == '\'')
            fputs("&#39;", out);
        else if (!blank && utf8_width(code) < 0)
            fputs(REPLACEMENT, out);
        else
            fwrite(s, 1, (size_t)length, out);
        s += length;
    }
}

void html_json(FILE *out, const char *text)
{
    fputc('"', out);
    for (const char *s = text; *s;) {
        int32_t code;
        const int length = utf8_decode(s, &code);
        const bool named = code == '"' || code == '\\';
        const bool risky = code == '<' || code == '>' || code == '&' || code == 0x2028 || code == 0x2029;
        if (named)
            fprintf(out, "\\%c", (char)code);
        else if (risky || code == '\n' || code == '\t')
            fprintf(out, "\\u%04x", (unsigned)code);
        else if (utf8_width(code) < 0) /* also what is not UTF-8 */
            fputs(REPLACEMENT, out);
        else
            fwrite(s, 1, (size_t)length, out);
        s += length;
    }
    fputc('"', out);
}

void html_uri(FILE *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text[i];
        const bool blank = c == '\n' || c == '\t' || c == '\r';
        if (blank && i > 0 && strchr("\n\t\r>", text[i - 1]))
            continue;
        if (blank)
            fputc(' ', out);
        else if (c < ' ' || c > '~' || strchr("\"#%&<", c))
            fprintf(out, "%%%02X", c);
        else
            fputc(c, out);
    }
}
