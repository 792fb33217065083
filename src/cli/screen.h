/* What a command that goes on for long shows on standard error: lines that stay, and on a terminal below them
 * a block of lines, each picture drawn over the last one. It never waits for who reads it: pictures that
 * cannot be written now are left out, lines are kept until they can be, up to a limit. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>

#include "base/outlet.h"
#include "base/strbuf.h"

enum screen_color { COLOR_NONE, COLOR_BOLD, COLOR_DIM, COLOR_GREEN, COLOR_YELLOW, COLOR_RED };

struct screen {
    struct outlet out;
    struct strbuf lines_kept; /* that stay, to be written above the block */
    int lines_lost;           /* after them: too many to keep */
    struct strbuf text;       /* of the block, written at once */
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
/* A whole line, of any length, that stays above this block and those to come. The second: as a line of the
 * log, where there is no block. */
void screen_lasting_line(struct screen *s, enum screen_color color, const char *text);
void screen_log_line(struct screen *s, const char *text);
/* Appends to the block's current line: a text, as much as fits into the width, or a field: if it does not
 * fit, the line ends before it. What must not reach a terminal is left out. */
void screen_text(struct screen *s, enum screen_color color, const char *text);
void screen_field(struct screen *s, enum screen_color color, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void screen_pad(struct screen *s, int column); /* blanks up to a column */
void screen_end_line(struct screen *s);
/* Writes the lines that stay and the picture, or keeps the lines. */
void screen_end(struct screen *s);
/* The same, and waits until it is written; signals end that as they end the process. */
void screen_finish(struct screen *s);

#endif
