/* Tokens and grammar of expressions, by recursive descent. */
#include "sweep/expression_parser.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "sweep/spec_error.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t word_length(const char *s)
{
    size_t n = 0;
    while (is_letter(s[n]) || is_digit(s[n]))
        n++;
    return n;
}

/* Units that stand behind a gap too ("5 MiB"). */
static bool is_unit(const char *word, size_t n)
{
    static const char *const units[] = {"K",   "M",   "G", "KB", "MB", "GB", "KiB",
                                        "MiB", "GiB", "s", "m",  "h",  "d"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i]) == n && strncmp(units[i], word, n) == 0)
            return true;
    return false;
}

/* Digits with point and exponent, and what sticks to them. */
static size_t number_length(const char *s)
{
    size_t n = 0;
    for (; is_letter(s[n]) || is_digit(s[n]) || s[n] == '.'; n++) {
        bool exponent = (s[n] == 'e' || s[n] == 'E') && (s[n + 1] == '+' || s[n + 1] == '-');
        n += exponent && is_digit(s[n + 2]);
    }
    return n;
}

static void number_scan(struct parser *p, const char *s)
{
    char compact[48], quoted[QUOTED_TEXT];
    size_t n = number_length(s), gap = strspn(s + n, " "), unit = word_length(s + n + gap);
    const bool bare = is_digit(s[n - 1]) || s[n - 1] == '.';
    const bool apart = bare && gap > 0 && is_unit(s + n + gap, unit), percent = bare && s[n] == '%';
    snprintf(compact, sizeof compact, "%.*s%.*s", (int)(n < 40 ? n : 40), s, apart ? (int)unit : 0,
             s + n + gap);
    struct token *t = &p->token;
    t->kind = TOKEN_NUMBER;
    t->length = apart ? n + gap + unit : n + percent;
    if (n <= 40 && num_parse_double(compact, &t->number)) {
        t->number /= percent ? 100 : 1;
        t->unit = percent ? UNIT_PLAIN : UNIT_ANY;
        return;
    }
    t->unit = strchr(compact, 'B') ? UNIT_BYTES : UNIT_PLAIN;
    if (n <= 40 && num_parse_scaled(compact, &t->number))
        return;
    t->unit = UNIT_TIME;
    if (n > 40 || !num_parse_duration(compact, &t->number))
        expression_fail(
            p, t->at,
            "%s is no number, allowed: digits with an optional unit %%, K, M, G, KB, MB, GB, KiB, MiB, "
            "GiB, s, m, h or d; a text stands in quotes",
            text_quote(compact, quoted));
}

static void text_scan(struct parser *p, const char *s)
{
    const char *end = strchr(s + 1, *s);
    while (end && end[1] == *s) /* a doubled quote is one */
        end = strchr(end + 2, *s);
    p->token.kind = TOKEN_TEXT;
    p->token.length = end ? (size_t)(end - s) + 1 : strlen(s);
    if (!end)
        expression_fail(p, p->token.at, "the quote is not closed");
}

static void sign_scan(struct parser *p, const char *s)
{
    static const char *const two[] = {"<=", ">=", "==", "!=", "<>", "&&", "||"};
    char quoted[QUOTED_TEXT], one[8] = "";
    p->token.kind = TOKEN_SIGN;
    p->token.length = 1;
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (strncmp(s, two[i], 2) == 0)
            p->token.length = 2;
    if (p->token.length == 2 || strchr("<>=()[],+-*/", *s))
        return;
    size_t n = 1; /* a whole character */
    while (n < sizeof one - 1 && ((unsigned char)s[n] & 0xC0) == 0x80)
        n++;
    memcpy(one, s, n);
    expression_fail(p, p->token.at,
                    "%s means nothing here, allowed: names, numbers, quoted texts, and, or, not, in, "
                    "comparisons, + - * / ( ) [ ]",
                    text_quote(one, quoted));
}

/* Reads the next token. */
static void advance(struct parser *p)
{
    p->end = p->token.at + p->token.length;
    const char *s = p->text + p->end;
    s += strspn(s, " \t\n");
    p->token = (struct token){.kind = TOKEN_END, .at = (size_t)(s - p->text)};
    if (is_digit(*s) || (*s == '.' && is_digit(s[1])))
        number_scan(p, s);
    else if (is_letter(*s)) {
        p->token.kind = TOKEN_NAME;
        p->token.length = word_length(s);
    } else if (*s == '"' || *s == '\'')
        text_scan(p, s);
    else if (*s)
        sign_scan(p, s);
}

/* Is the next token this sign or word of the grammar? */
static bool next_is(const struct parser *p, const char *text)
{
    const struct token *t = &p->token;
    return p->status == ST_OK && (t->kind == TOKEN_SIGN || t->kind == TOKEN_NAME) &&
           strlen(text) == t->length && strncasecmp(p->text + t->at, text, t->length) == 0;
}

static bool accept(struct parser *p, const char *text)
{
    if (!next_is(p, text))
        return false;
    advance(p);
    return p->status == ST_OK;
}

static struct expression *unexpected(struct parser *p, const char *allowed)
{
    char quoted[QUOTED_TEXT], part[QUOTED_TEXT];
    const struct token *t = &p->token;
    if (t->kind == TOKEN_END)
        return expression_fail(p, t->at, "the condition ends too early, allowed: %s", allowed);
    snprintf(part, sizeof part, "%.*s", (int)(t->length < 60 ? t->length : 60), p->text + t->at);
    return expression_fail(p, t->at, "%s does not belong here, allowed: %s", text_quote(part, quoted),
                           allowed);
}

/* The same behind an expression that could go on, or end with `end`. */
static struct expression *unexpected_after(struct parser *p, const struct expression *x, const char *end)
{
    char allowed[160];
    const char *comparison = x->type == EXPRESSION_TRUTH ? "and, or, a further comparison"
                             : x->op == X_NAME           ? "<, <=, >, >=, =, != (= null too), in, not in"
                                                         : "<, <=, >, >=, =, !=, in, not in";
    snprintf(allowed, sizeof allowed, "%s, + - * / or %s", comparison, end);
    return unexpected(p, allowed);
}

static struct expression *parse_or(struct parser *p);

/* A literal or name of the next token, which is consumed. */
static struct expression *leaf(struct parser *p, struct expression value)
{
    const struct expression here = {.at = p->token.at, .length = p->token.length};
    struct expression *x = expression_node(p, value.op, value.type, &here, &here);
    if (!x)
        return NULL;
    value.at = x->at;
    value.length = x->length;
    value.a = value.b = x;
    *x = value;
    advance(p);
    return p->status == ST_OK ? x : NULL;
}

static bool is_keyword(const struct parser *p)
{
    return next_is(p, "and") || next_is(p, "or") || next_is(p, "not") || next_is(p, "in");
}

static bool next_names(const struct parser *p, const char *name)
{
    const struct token *t = &p->token;
    const char *text = p->text + t->at;
    return strlen(name) == t->length && (p->scope->columns ? strncasecmp(text, name, t->length) == 0
                                                           : strncmp(text, name, t->length) == 0);
}

/* What is between the quotes, doubled ones once; a word as it is. NULL: no memory. */
static const char *unquoted(const struct parser *p)
{
    const struct token *t = &p->token;
    const char *s = p->text + t->at;
    if (t->kind == TOKEN_NAME)
        return arena_strndup(p->arena, s, t->length);
    char *text = arena_strndup(p->arena, s + 1, t->length - 2), *to = text;
    for (const char *from = text; text && *from; from++) {
        *to++ = *from;
        from += *from == *s; /* its double */
    }
    if (text)
        *to = '\0';
    return text;
}

static struct expression *parse_word(struct parser *p)
{
    const bool word = p->token.kind == TOKEN_NAME;
    struct expression x = {.op = X_TEXT, .type = EXPRESSION_WORDS, .word = word};
    for (int i = 0; word && i < p->scope->count; i++) {
        const struct expression_name *n = &p->scope->names[i];
        if (next_names(p, n->name))
            return leaf(p, (struct expression){.op = X_NAME, .type = n->type, .unit = n->unit, .name = i});
    }
    if (next_is(p, "true") || next_is(p, "false"))
        return leaf(
            p, (struct expression){.op = X_TRUTH, .type = EXPRESSION_TRUTH, .number = next_is(p, "true")});
    if (next_is(p, "null"))
        return leaf(p, (struct expression){.op = X_NULL, .type = EXPRESSION_ANYTHING});
    x.text = unquoted(p);
    if (!x.text) {
        p->status = err_set(p->e, ST_NOMEM, "out of memory");
        return NULL;
    }
    return leaf(p, x);
}

static struct expression *parse_primary(struct parser *p)
{
    const struct token *t = &p->token;
    const size_t start = p->token.at;
    if (accept(p, "(")) {
        struct expression *x = parse_or(p);
        if (x && !accept(p, ")"))
            return unexpected_after(p, x, ")");
        if (x && x->op >= X_NEGATE && x->op <= X_DIVIDE) { /* messages quote it with its parentheses */
            x->at = start;
            x->length = p->end - start;
        }
        return x;
    }
    if (p->status != ST_OK)
        return NULL;
    if (t->kind == TOKEN_NUMBER)
        return leaf(p, (struct expression){
                           .op = X_NUMBER, .type = EXPRESSION_NUMBER, .unit = t->unit, .number = t->number});
    if (t->kind == TOKEN_TEXT || (t->kind == TOKEN_NAME && !is_keyword(p)))
        return parse_word(p);
    return unexpected(p, "a name, a number, a quoted text, true, false, null, - or (");
}

static bool deeper(struct parser *p)
{
    if (++p->depth <= EXPRESSION_DEPTH_MAX)
        return true;
    expression_fail(p, p->token.at, "is nested too deeply, at most %d levels are allowed",
                    EXPRESSION_DEPTH_MAX);
    return false;
}

static struct expression *parse_sign(struct parser *p)
{
    struct expression *x = NULL;
    if (!deeper(p))
        return NULL;
    if (accept(p, "-")) {
        const struct expression *operand = parse_sign(p);
        if (expression_expect(p, operand, EXPRESSION_NUMBER)) {
            x = expression_node(p, X_NEGATE, EXPRESSION_NUMBER, operand, operand);
            if (x)
                x->unit = operand->unit;
        }
    } else if (p->status == ST_OK)
        x = parse_primary(p);
    p->depth--;
    return x;
}

static struct expression *parse_product(struct parser *p)
{
    struct expression *x = parse_sign(p);
    while (x && (next_is(p, "*") || next_is(p, "/"))) {
        const enum expression_op op = next_is(p, "*") ? X_MULTIPLY : X_DIVIDE;
        advance(p);
        x = expression_arithmetic(p, op, x, parse_sign(p));
    }
    return x;
}

static struct expression *parse_sum(struct parser *p)
{
    struct expression *x = parse_product(p);
    while (x && (next_is(p, "+") || next_is(p, "-"))) {
        const enum expression_op op = next_is(p, "+") ? X_ADD : X_SUBTRACT;
        advance(p);
        x = expression_arithmetic(p, op, x, parse_product(p));
    }
    return x;
}

static struct expression *parse_list(struct parser *p, const struct expression *x)
{
    struct expression *any = NULL;
    if (!accept(p, "[") && !accept(p, "("))
        return unexpected(p, "a list such as [1, 2, 4]");
    const char *close = p->text[p->end - 1] == '[' ? "]" : ")";
    do {
        struct expression *same = expression_compare(p, X_EQUAL, x, parse_sum(p));
        any = any && same ? expression_node(p, X_OR, EXPRESSION_TRUTH, any, same) : same;
    } while (any && accept(p, ","));
    if (any && !accept(p, close))
        return unexpected(p, close[0] == ']' ? "+ - * /, a comma or ]" : "+ - * /, a comma or )");
    return any;
}

static struct expression *negate(struct parser *p, const struct expression *x)
{
    return expression_expect(p, x, EXPRESSION_TRUTH) ? expression_node(p, X_NOT, EXPRESSION_TRUTH, x, x)
                                                     : NULL;
}

static struct expression *parse_chain(struct parser *p)
{
    static const struct {
        const char *sign;
        enum expression_op op;
    } signs[] = {{"<", X_LESS},  {"<=", X_AT_MOST}, {">", X_MORE},     {">=", X_AT_LEAST},
                 {"=", X_EQUAL}, {"==", X_EQUAL},   {"!=", X_UNEQUAL}, {"<>", X_UNEQUAL}};
    struct expression *x = parse_sum(p), *all = NULL;
    if (x && accept(p, "in"))
        return parse_list(p, x);
    if (x && accept(p, "not"))
        return accept(p, "in") ? negate(p, parse_list(p, x)) : unexpected(p, "in");
    for (size_t i = 0; x && i < sizeof signs / sizeof *signs;) {
        if (!accept(p, signs[i].sign)) {
            i++;
            continue;
        }
        struct expression *right = parse_sum(p);
        struct expression *one = expression_compare(p, signs[i].op, x, right);
        all = all && one ? expression_node(p, X_AND, EXPRESSION_TRUTH, all, one) : one;
        x = all ? right : NULL;
        i = 0;
    }
    return all && x ? all : x;
}

static struct expression *parse_not(struct parser *p)
{
    struct expression *x = NULL;
    if (!deeper(p))
        return NULL;
    if (accept(p, "not"))
        x = negate(p, parse_not(p));
    else if (p->status == ST_OK)
        x = parse_chain(p);
    p->depth--;
    return x;
}

static struct expression *join(struct parser *p, enum expression_op op, const struct expression *a,
                               const struct expression *b)
{
    const bool truths =
        expression_expect(p, a, EXPRESSION_TRUTH) && expression_expect(p, b, EXPRESSION_TRUTH);
    return truths ? expression_node(p, op, EXPRESSION_TRUTH, a, b) : NULL;
}

static struct expression *parse_and(struct parser *p)
{
    struct expression *x = parse_not(p);
    while (x && (accept(p, "and") || accept(p, "&&")))
        x = join(p, X_AND, x, parse_not(p));
    return x;
}

static struct expression *parse_or(struct parser *p)
{
    struct expression *x = parse_and(p);
    while (x && (accept(p, "or") || accept(p, "||")))
        x = join(p, X_OR, x, parse_and(p));
    return x;
}

enum status expression_parse(const char *text, const struct expression_scope *scope, struct arena *arena,
                             const struct expression **out, size_t *at, struct err *e)
{
    struct parser p = {.text = text, .scope = scope, .arena = arena, .e = e};
    if (strlen(text) > EXPRESSION_LENGTH_MAX)
        expression_fail(&p, 0, "is too long, at most %d characters are allowed", EXPRESSION_LENGTH_MAX);
    else
        advance(&p);
    const struct expression *x = p.status == ST_OK ? parse_or(&p) : NULL;
    if (x && p.status == ST_OK && p.token.kind != TOKEN_END)
        x = unexpected_after(&p, x, "the end");
    if (x && p.status == ST_OK && !expression_expect(&p, x, EXPRESSION_TRUTH) && !x->word)
        x = NULL;
    if (p.status == ST_OK)
        *out = x;
    *at = p.at;
    return p.status;
}
