/* What a failed trial means for the people who watch and for the rest of the sweep. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sweep/supervisor.h"

enum {
    TAIL_BYTES = 4096,
    TAIL_LINES = 5,
    SAME_FAILURES = 3, /* first trials that all fail alike: the others will too */
};

/* Shows the last lines of a worker's log. */
static void show_log(const struct supervisor *s, const struct slot *slot)
{
    char tail[TAIL_BYTES + 1];
    FILE *f = slot->log ? fopen(slot->log, "re") : NULL;
    if (!f) {
        return;
    }
    if (fseek(f, -TAIL_BYTES, SEEK_END) != 0) {
        rewind(f); /* shorter than that */
    }
    size_t n = fread(tail, 1, TAIL_BYTES, f);
    fclose(f);
    while (n > 0 && isspace((unsigned char)tail[n - 1])) {
        n--;
    }
    tail[n] = '\0';
    char *line = tail + n;
    for (int lines = 0; line > tail && (line[-1] != '\n' || ++lines < TAIL_LINES);) {
        line--;
    }
    if (*line) {
        supervisor_notice(s, "the end of its log, %s:", slot->log);
    }
    for (char *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        supervisor_notice(s, "  %s", line);
    }
}

/* Letters and digits from `text` on; *number: one of them is a digit. */
static size_t word_length(const char *text, bool *number)
{
    size_t n = 0;
    *number = false;
    for (; isalnum((unsigned char)text[n]); n++) {
        *number = *number || isdigit((unsigned char)text[n]);
    }
    return n;
}

/* The same text but for words with digits: numbers and the hashes in file names tell trials apart. */
static bool alike(const char *a, const char *b)
{
    while (*a && *b) {
        bool number_a, number_b;
        const size_t n = word_length(a, &number_a), m = word_length(b, &number_b);
        if (number_a && number_b) {
            a += n;
            b += m;
        } else if (n != m || strncmp(a, b, n > 0 ? n : 1) != 0) {
            return false;
        } else {
            a += n > 0 ? n : 1;
            b += n > 0 ? n : 1;
        }
    }
    return *a == *b;
}

/* Want of memory depends on the trial's size, and the largest come first. */
static bool depends_on_size(const char *message)
{
    return strstr(message, "memory") != NULL;
}

void failure_announce(struct supervisor *s, const struct slot *slot, const char *message)
{
    const char *name = s->trials[slot->trial].name, *log_line = strstr(message, LOG_LINE_MARK);
    char reason[sizeof s->first_reason]; /* without the log line, which names the trial */
    snprintf(reason, sizeof reason, "%.*s", log_line ? (int)(log_line - message) : (int)strlen(message),
             message);
    if (s->failed++ == 0) {
        snprintf(s->first_failure, sizeof s->first_failure, "%s: %.*s", name, 400, message);
        memcpy(s->first_reason, reason, sizeof reason);
    }
    s->same_failures += alike(reason, s->first_reason) && !depends_on_size(reason);
    show_log(s, slot);
    if (s->trained == 0 && s->same_failures == SAME_FAILURES && s->failed == SAME_FAILURES &&
        s->phase == PHASE_RUNNING) {
        s->phase = PHASE_DRAINING;
        s->why = "the first trials all failed alike";
        supervisor_notice(s, "the first %d trials all failed alike, so no further trial starts: %s",
                          SAME_FAILURES, message);
    }
}
