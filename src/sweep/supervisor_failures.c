/* What a failed attempt means for its trial, for the people who watch and for the rest of the sweep. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sweep/supervisor.h"

enum {
    TAIL_BYTES = 4096,
    TAIL_LINES = 5,
    SAME_FAILURES = 3, /* first trials that all fail alike: the others will too */
};
static const double FIRST_PAUSE_S = 5, LONGEST_PAUSE_S = 60;

/* How long to wait before the next attempt. What made a process crash is not expected to pass with time; what
 * a worker told, such as a file that cannot be read, may: each pause is twice as long as the one before. */
static double pause_before(const struct slot *slot, int failures)
{
    if (slot->last.kind != RECORD_FAILED)
        return 0;
    return fmin(LONGEST_PAUSE_S, ldexp(FIRST_PAUSE_S, failures - 1));
}

void failure_judge(struct supervisor *s, struct slot *slot, int wait_status, struct attempt_end *end,
                   char *message, size_t n)
{
    struct run_trial *t = &s->trials[slot->trial];
    const bool told = slot->last.kind == RECORD_FAILED;
    /* What is wrong with the trial itself or with the content of a file stays so. */
    const bool final = told && (slot->last.status == ST_USAGE || slot->last.status == ST_CORRUPT);
    if (told) {
        snprintf(message, n, "%s", slot->last.as.text);
    } else {
        char how[96], line[256];
        process_end_text(wait_status, how, sizeof how);
        process_last_line(slot->log, line, sizeof line);
        snprintf(message, n, "%s%s%s", how, line[0] ? LOG_LINE_MARK : "", line);
    }
    t->failures++;
    t->retry_at = clock_seconds() + pause_before(slot, t->failures);
    end->message = message;
    end->outcome = told ? "failed" : "crashed";
    end->state = final || t->failures > s->spec->run.retries ? TRIAL_FAILED : TRIAL_PENDING;
}

int failure_count(const struct supervisor *s)
{
    int count = 0;
    for (int i = 0; i < s->space->trial_count; i++) {
        const struct run_trial *t = &s->trials[i];
        count += t->state == TRIAL_FAILED || (t->state == TRIAL_PENDING && t->failures > 0);
    }
    return count;
}

/* Shows the last lines of a worker's log. */
static void show_log(const struct supervisor *s, const struct slot *slot)
{
    char tail[TAIL_BYTES + 1];
    FILE *f = slot->log ? fopen(slot->log, "re") : NULL;
    if (!f)
        return;
    if (fseek(f, -TAIL_BYTES, SEEK_END) != 0)
        rewind(f); /* shorter than that */
    size_t n = fread(tail, 1, TAIL_BYTES, f);
    fclose(f);
    while (n > 0 && isspace((unsigned char)tail[n - 1]))
        n--;
    tail[n] = '\0';
    char *line = tail + n;
    for (int lines = 0; line > tail && (line[-1] != '\n' || ++lines < TAIL_LINES);)
        line--;
    if (*line)
        supervisor_notice(s, "the end of its log, %s:", slot->log);
    for (char *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        supervisor_notice(s, "  %s", line);
    }
}

/* Letters and digits from `text` on; *number: one of them is a digit. */
static size_t word_length(const char *text, bool *number)
{
    size_t n = 0;
    *number = false;
    for (; isalnum((unsigned char)text[n]); n++)
        *number = *number || isdigit((unsigned char)text[n]);
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

/* Remembers the first failure and counts the trials that failed at least once, and alike. */
static void count_failure(struct supervisor *s, const struct run_trial *t, const char *message)
{
    const char *log_line = strstr(message, LOG_LINE_MARK);
    char reason[sizeof s->first_reason]; /* without the log line, which names the trial */
    snprintf(reason, sizeof reason, "%.*s", log_line ? (int)(log_line - message) : (int)strlen(message),
             message);
    const bool final = t->state == TRIAL_FAILED;
    if (s->troubled == 0 || (final && s->failed == 0)) /* a later attempt may mend the first, not this */
        snprintf(s->first_failure, sizeof s->first_failure, "%s: %.*s", t->name, 400, message);
    if (s->troubled == 0)
        memcpy(s->first_reason, reason, sizeof reason);
    s->failed += final;
    if (t->failures == 1) {
        s->troubled++;
        s->same_failures += alike(reason, s->first_reason) && !depends_on_size(reason);
    }
}

static void tell_retry(const struct supervisor *s, const struct slot *slot, const struct attempt_end *end)
{
    const struct run_trial *t = &s->trials[slot->trial];
    const double pause_s = pause_before(slot, t->failures);
    char again[64] = "", when[32] = "";
    if (pause_s > 0)
        snprintf(when, sizeof when, " in %g s", pause_s);
    if (s->phase == PHASE_RUNNING) {
        snprintf(again, sizeof again, ", will be tried again%s (%d of %d)", when, t->failures,
                 s->spec->run.retries);
    }
    supervisor_notice(s, "%s: %s%s: %s", t->name, pause_s > 0 ? "failed" : "worker crashed", again,
                      end->message);
}

void failure_announce(struct supervisor *s, const struct slot *slot, const struct attempt_end *end)
{
    const struct run_trial *t = &s->trials[slot->trial];
    count_failure(s, t, end->message);
    /* Whether or not attempts are left: who started the sweep is still there, and can mend it. */
    const bool hopeless = t->failures == 1 && s->trained == 0 && s->same_failures == SAME_FAILURES &&
                          s->troubled == SAME_FAILURES && s->phase == PHASE_RUNNING;
    if (t->state == TRIAL_FAILED || hopeless)
        show_log(s, slot);
    else
        tell_retry(s, slot, end);
    if (hopeless) {
        s->phase = PHASE_DRAINING;
        s->why = "the first trials all failed alike";
        supervisor_notice(s, "the first %d trials all failed alike, so no further trial starts: %s",
                          SAME_FAILURES, end->message);
    }
}
