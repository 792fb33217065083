/* Between expression.c (nodes, types, evaluation), expression_parser.c (tokens and grammar) and store_where.c
 * (translation to SQL). */
#ifndef SWEEP_EXPRESSION_PARSER_H
#define SWEEP_EXPRESSION_PARSER_H

#include "sweep/expression.h"

enum { EXPRESSION_NAMES_MAX = 160 };

enum expression_op {
    X_NUMBER,
    X_TEXT,
    X_TRUTH,
    X_NULL,  /* literals; only comparisons take null, and become: */
    X_KNOWN, /* `a` has a value */
    X_NAME,
    X_NEGATE,
    X_ADD,
    X_SUBTRACT,
    X_MULTIPLY,
    X_DIVIDE,
    X_LESS,
    X_AT_MOST,
    X_MORE,
    X_AT_LEAST,
    X_EQUAL,
    X_UNEQUAL,
    X_NOT,
    X_AND,
    X_OR
};

struct expression {
    enum expression_op op;
    enum expression_type type;
    enum expression_unit unit;
    size_t at, length;              /* in the text */
    double number;                  /* X_NUMBER; X_TRUTH: 0 or 1 */
    const char *text;               /* X_TEXT */
    bool word;                      /* X_TEXT without quotes: a choice, or a name that is unknown */
    int name;                       /* X_NAME */
    const struct expression *a, *b; /* with one operand both are the same */
};

enum token_kind { TOKEN_END, TOKEN_NUMBER, TOKEN_NAME, TOKEN_TEXT, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    size_t at, length;
    double number;
    enum expression_unit unit;
};

struct parser {
    const char *text;
    const struct expression_scope *scope;
    struct arena *arena;
    struct err *e;
    struct token token; /* the next one */
    size_t end;         /* of the token before */
    int depth;
    enum status status;
    size_t at; /* of the error */
};

/* All return NULL (or false) after an error, which the parser keeps: the first one counts. NULL operands are
 * passed on. */
struct expression *expression_fail(struct parser *p, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct expression *expression_node(struct parser *p, enum expression_op op, enum expression_type type,
                                   const struct expression *a, const struct expression *b);
bool expression_expect(struct parser *p, const struct expression *x, enum expression_type type);
struct expression *expression_arithmetic(struct parser *p, enum expression_op op, const struct expression *a,
                                         const struct expression *b);
struct expression *expression_compare(struct parser *p, enum expression_op op, const struct expression *a,
                                      const struct expression *b);

#endif
