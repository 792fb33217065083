#include "report/left_out.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

void left_out_count(struct left_out *l, const char *state, bool has_result)
{
    enum trial_state known = TRIAL_PENDING;
    trial_state_parse(state, &known);
    l->trials++;
    l->without[known] += !has_result;
}

size_t left_out_total(const struct left_out *l)
{
    size_t total = 0;
    for (int i = 0; i < TRIAL_STATE_COUNT; i++)
        total += l->without[i];
    return total;
}

size_t left_out_done(const struct left_out *l)
{
    return l->trials - (left_out_total(l) - l->without[TRIAL_DONE]);
}

/* "10 pruned, 2 failed", or "pruned" where it is all of them. */
static void write_states(const struct left_out *l, struct strbuf *out)
{
    static const char *const names[TRIAL_STATE_COUNT] = {[TRIAL_PENDING] = "not begun",
                                                         [TRIAL_DONE] = "done without this result",
                                                         [TRIAL_TIMED_OUT] = "timed out"};
    const size_t total = left_out_total(l);
    for (int i = 0; i < TRIAL_STATE_COUNT; i++) {
        const char *name = names[i] ? names[i] : trial_state_name((enum trial_state)i);
        if (l->without[i] == 0)
            continue;
        if (l->without[i] < total)
            strbuf_printf(out, "%s%zu ", out->len > 0 ? ", " : "", l->without[i]);
        strbuf_puts(out, name);
    }
}

const char *left_out_text(const struct left_out *l, struct arena *arena)
{
    struct strbuf why = STRBUF_INIT;
    const size_t total = left_out_total(l);
    const char *text = "";
    write_states(l, &why);
    if (total > 0)
        text = why.failed ? NULL : arena_printf(arena, "%zu of %zu trials (%s)", total, l->trials, why.text);
    strbuf_release(&why);
    return text;
}

void left_out_nothing(const struct left_out *l, const char *x, const char *y, char *out, size_t n)
{
    struct strbuf why = STRBUF_INIT;
    const size_t done = left_out_done(l);
    write_states(l, &why);
    if (done > 0)
        snprintf(out, n, "%zu of %zu trials are done, but none has %s%s%s", done, l->trials, x ? x : "",
                 x ? " and " : "", y);
    else
        snprintf(out, n, "none of its %zu trials is done yet%s%s%s", l->trials, why.len > 0 ? " (" : "",
                 why.len > 0 ? why.text : "", why.len > 0 ? ")" : "");
    strbuf_release(&why);
}
