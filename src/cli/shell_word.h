/* Paths in commands that the user is told to type. */
#ifndef CLI_SHELL_WORD_H
#define CLI_SHELL_WORD_H

/* The text as one word of a shell's command line: as it is, or in quotes ('it'\''s', or $'\033' with what
 * would control the terminal). Pasting it gives the same text and does nothing else. mem_free; NULL: no
 * memory. */
char *shell_word(const char *text);

#endif
