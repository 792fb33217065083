/* A block of lines on the terminal of standard error, each picture drawn over the last one. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>

#include "base/strbuf.h"

enum screen_color { COLOR_NONE, COLOR_BOLD, COLOR_DIM, COLOR_GREEN, COLOR_YELLOW, COLOR_RED };

struct screen {
    struct strbuf text; /* collected, written at once */
    bool color;
    int width, height; /* of the terminal */
    int column;        /* of the line that is being written */
    int drawn;         /* lines of the block that stand on the terminal */
    int lines;         /* of the block that is being written */
};

/* False: standard error is no terminal that understands ANSI sequences. Colours unless NO_COLOR is set. */
bool screen_init(struct screen *s);
void screen_release(struct screen *s);

/* Starts a picture: whatever is written now replaces the last block. */
void screen_begin(struct screen *s);
/* A whole line, of any length, that stays above this block and those to come: before the block's own lines.
 */
void screen_lasting_line(struct screen *s, enum screen_color color, const char *text);
/* Appends to the block's current line: a text, as much as fits into the width, or a field: if it does not
 * fit, the line ends before it. What must not reach a terminal is left out. */
void screen_text(struct screen *s, enum screen_color color, const char *text);
void screen_field(struct screen *s, enum screen_color color, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void screen_pad(struct screen *s, int column); /* blanks up to a column */
void screen_end_line(struct screen *s);
/* Writes the picture with one call. */
void screen_end(struct screen *s);

#endif
