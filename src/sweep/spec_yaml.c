#include "sweep/spec_yaml.h"

#include <string.h>
#include <yaml.h>

#include "sweep/spec_error.h"

struct anchor {
    const char *name;
    struct node *node;
    struct anchor *next; /* older: a name may be used again, the newest counts */
};

/* A collection that is being read. */
struct level {
    struct node *node;
    const struct node *key; /* mapping: read, its value not yet */
};

struct builder {
    const char *path;
    struct arena *arena;
    struct err *e;
    struct node *root;
    struct anchor *anchors;
    int anchor_count;
    size_t expansion; /* nodes that aliases stand for */
    int depth;
    struct level stack[SPEC_MAX_DEPTH];
};

static struct mark mark_of(yaml_mark_t m)
{
    return (struct mark){(int)m.line + 1, (int)m.column + 1};
}

static enum status no_memory(const struct builder *b)
{
    return err_set(b->e, ST_NOMEM, "%s: out of memory", b->path);
}

/* Length of the UTF-8 character at p and its code; 0 if there is none. */
static size_t character_read(const unsigned char *p, size_t n, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80   ? 1
                    : p[0] < 0xc2 ? 0
                    : p[0] < 0xe0 ? 2
                    : p[0] < 0xf0 ? 3
                    : p[0] < 0xf5 ? 4
                                  : 0;
    if (length == 0 || length > n)
        return 0;
    uint32_t value = length == 1 ? p[0] : p[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (p[i] & 0x3fu);
    }
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 0;
    *code = value;
    return length;
}

static bool character_allowed(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7f) || c == 0x85 ||
           (c >= 0xa0 && c != 0xfeff && c != 0xfffe && c != 0xffff);
}

/* How a file of results begins: given by mistake where a spec is wanted. */
static const char database_magic[16] = "SQLite format 3";

/* libyaml reports unreadable bytes without line and column, so they are looked for first. Tag directives,
 * useless here, take it quadratic time. */
static enum status text_check(const char *text, size_t n, const char *path, struct err *e)
{
    const unsigned char *p = (const unsigned char *)text;
    struct mark at = {1, 1};
    if (n >= sizeof database_magic && memcmp(text, database_magic, sizeof database_magic) == 0)
        return spec_error(e, path, at, NULL, "this is a SQLite database, a sweep spec (YAML) is wanted");
    for (size_t i = 0; i < n;) {
        uint32_t code = 0;
        size_t length = character_read(p + i, n - i, &code);
        if (length == 0)
            return spec_error(e, path, at, NULL, "byte 0x%02x is not UTF-8 text", p[i]);
        if (!character_allowed(code))
            return spec_error(e, path, at, NULL, "character U+%04X is not allowed in YAML", code);
        if (at.column == 1 && n - i >= 4 && memcmp(p + i, "%TAG", 4) == 0)
            return spec_error(e, path, at, NULL, "tags are not allowed here");
        i += length;
        if (code == '\n' || (code == '\r' && (i >= n || p[i] != '\n')))
            at = (struct mark){at.line + 1, 1};
        else
            at.column++;
    }
    return ST_OK;
}

/* Hangs a finished scalar, an alias' node or a collection that begins into its parent. */
static enum status attach(struct builder *b, struct node *node, struct mark at)
{
    if (b->depth == 0) {
        b->root = node;
        return ST_OK;
    }
    struct level *top = &b->stack[b->depth - 1];
    if (top->node->kind == NODE_MAPPING && !top->key) {
        if (node->kind != NODE_SCALAR)
            return spec_error(b->e, b->path, at, NULL, "a key must be plain text, not a list or mapping");
        top->key = node;
        return ST_OK;
    }
    struct node_item *item = arena_alloc(b->arena, 1, sizeof *item);
    if (!item)
        return no_memory(b);
    *item = (struct node_item){top->key, node, NULL, top->node->count};
    if (top->node->last)
        top->node->last->next = item;
    else
        top->node->items = item;
    top->node->last = item;
    top->node->count++;
    top->key = NULL;
    return ST_OK;
}

static enum status anchor_add(struct builder *b, const yaml_char_t *name, struct node *node)
{
    if (++b->anchor_count > SPEC_MAX_ANCHORS)
        return spec_error(b->e, b->path, node->mark, NULL, "too many anchors, at most %d are allowed",
                          SPEC_MAX_ANCHORS);
    struct anchor *a = arena_alloc(b->arena, 1, sizeof *a);
    if (!a)
        return no_memory(b);
    *a = (struct anchor){arena_strdup(b->arena, (const char *)name), node, b->anchors};
    b->anchors = a;
    return a->name ? ST_OK : no_memory(b);
}

static struct node *node_create(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
    struct node *node = arena_alloc(b->arena, 1, sizeof *node);
    if (node) {
        node->kind = kind;
        node->mark = mark_of(event->start_mark);
        node->weight = 1;
    }
    return node;
}

static enum status tag_refuse(const struct builder *b, const yaml_event_t *event, const yaml_char_t *tag)
{
    char quoted[QUOTED_TEXT];
    return tag ? spec_error(b->e, b->path, mark_of(event->start_mark), NULL,
                            "tag %s: tags are not allowed here", text_quote((const char *)tag, quoted))
               : ST_OK;
}

static void weight_add(struct builder *b, size_t weight)
{
    if (b->depth > 0)
        b->stack[b->depth - 1].node->weight += weight;
}

static enum status scalar_read(struct builder *b, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    struct node *node = node_create(b, NODE_SCALAR, event);
    if (!node || !(node->text = arena_strndup(b->arena, text, length)))
        return no_memory(b);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (memchr(text, '\0', length))
        return spec_error(b->e, b->path, node->mark, NULL, "text must not contain a NUL character");
    enum status st = tag_refuse(b, event, event->data.scalar.tag);
    if (st == ST_OK && event->data.scalar.anchor)
        st = anchor_add(b, event->data.scalar.anchor, node);
    weight_add(b, 1);
    return st == ST_OK ? attach(b, node, node->mark) : st;
}

static enum status collection_begin(struct builder *b, const yaml_event_t *event, enum node_kind kind,
                                    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct node *node = node_create(b, kind, event);
    if (!node)
        return no_memory(b);
    node->open = true;
    if (b->depth == SPEC_MAX_DEPTH)
        return spec_error(b->e, b->path, node->mark, NULL, "nested too deeply, at most %d levels are allowed",
                          SPEC_MAX_DEPTH);
    enum status st = tag_refuse(b, event, tag);
    if (st == ST_OK && anchor)
        st = anchor_add(b, anchor, node);
    if (st == ST_OK)
        st = attach(b, node, node->mark);
    b->stack[b->depth++] = (struct level){node, NULL};
    return st;
}

static void collection_end(struct builder *b)
{
    if (b->depth == 0)
        return; /* libyaml's events are balanced */
    struct node *node = b->stack[--b->depth].node;
    node->open = false;
    weight_add(b, node->weight);
}

static enum status alias_read(struct builder *b, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct mark at = mark_of(event->start_mark);
    char quoted[QUOTED_TEXT];
    const struct anchor *a = b->anchors;
    while (a && strcmp(a->name, name) != 0)
        a = a->next;
    if (!a)
        return spec_error(b->e, b->path, at, NULL, "alias %s: no such anchor before it",
                          text_quote(name, quoted));
    if (a->node->open)
        return spec_error(b->e, b->path, at, NULL, "alias %s stands inside its own anchor",
                          text_quote(name, quoted));
    b->expansion += a->node->weight;
    if (b->expansion > SPEC_MAX_EXPANSION)
        return spec_error(b->e, b->path, at, NULL,
                          "aliases expand to too much, at most %d values are allowed", SPEC_MAX_EXPANSION);
    weight_add(b, a->node->weight);
    return attach(b, a->node, at);
}

static enum status event_read(struct builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return b->root ? spec_error(b->e, b->path, mark_of(event->start_mark), NULL,
                                    "a second YAML document, only one is allowed")
                       : ST_OK;
    case YAML_SCALAR_EVENT:
        return scalar_read(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return collection_begin(b, event, NODE_SEQUENCE, event->data.sequence_start.anchor,
                                event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return collection_begin(b, event, NODE_MAPPING, event->data.mapping_start.anchor,
                                event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        collection_end(b);
        return ST_OK;
    case YAML_ALIAS_EVENT:
        return alias_read(b, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return ST_OK;
}

/* The byte at a position that libyaml counts in characters. */
static char text_at(const char *text, size_t n, size_t index)
{
    size_t i = 0;
    for (; i < n && index > 0; index--)
        do
            i++;
        while (i < n && ((unsigned char)text[i] & 0xc0) == 0x80);
    return i < n ? text[i] : '\0';
}

/* What libyaml found wrong, with a hint for the commonest mistake. */
static enum status syntax_error(const struct builder *b, const yaml_parser_t *parser, const char *text,
                                size_t n)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return no_memory(b);
    bool tab = parser->error == YAML_SCANNER_ERROR && text_at(text, n, parser->problem_mark.index) == '\t';
    char begun[48] = "";
    if (parser->context && parser->context_mark.line != parser->problem_mark.line)
        snprintf(begun, sizeof begun, " that began in line %zu", parser->context_mark.line + 1);
    return spec_error(b->e, b->path, mark_of(parser->problem_mark), NULL, "YAML syntax: %s%s%s%s%s",
                      parser->context ? parser->context : "", begun, parser->context ? ", " : "",
                      parser->problem ? parser->problem : "cannot be read",
                      tab ? " (a tab cannot indent, use spaces)" : "");
}

static enum status events_read(struct builder *b, yaml_parser_t *parser, const char *text, size_t n)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return syntax_error(b, parser, text, n);
        enum status st = event_read(b, &event);
        bool end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (st != ST_OK || end)
            return st;
    }
}

static bool node_is_empty(const struct node *node)
{
    return !node || (node->kind == NODE_SCALAR && node->plain && node->text[0] == '\0');
}

enum status node_tree_read(const char *text, size_t n, const char *path, struct arena *arena,
                           const struct node **root, struct err *e)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (n > SPEC_MAX_BYTES)
        return spec_error(e, path, (struct mark){1, 1}, NULL, "too large, at most %d bytes are allowed",
                          SPEC_MAX_BYTES);
    if (n >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        text += 3;
        n -= 3;
    }
    enum status st = text_check(text, n, path, e);
    if (st != ST_OK)
        return st;
    struct builder b = {.path = path, .arena = arena, .e = e};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return no_memory(&b);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    st = events_read(&b, &parser, text, n);
    yaml_parser_delete(&parser);
    if (st == ST_OK && node_is_empty(b.root))
        return spec_error(e, path, (struct mark){1, 1}, NULL,
                          "the file is empty, a spec needs at least `version`, "
                          "`name` and `data`");
    if (st == ST_OK)
        *root = b.root;
    return st;
}

static bool same_mark(struct mark a, struct mark b)
{
    return a.line == b.line && a.column == b.column;
}

/* Whether something in the text of a scalar, which is on one line, or its end, is meant. */
static bool covers(const struct node *n, struct mark at)
{
    const int length = n->kind == NODE_SCALAR ? (int)strlen(n->text) + (n->plain ? 0 : 2) : 0;
    return same_mark(n->mark, at) ||
           (n->mark.line == at.line && n->mark.column <= at.column && at.column <= n->mark.column + length);
}

static bool is_before(struct mark a, struct mark b)
{
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

struct mark node_scalar_before(const struct node *root, struct mark at)
{
    struct mark last = {0, 0};
    for (const struct node_item *i = root->items; i; i = i->next) {
        const struct mark found =
            i->value->kind == NODE_SCALAR ? i->value->mark : node_scalar_before(i->value, at);
        if (is_before(found, at) && is_before(last, found))
            last = found;
    }
    return last;
}

static void place_all(const struct node *root, struct mark at)
{
    ((struct node *)root)->mark = at; /* made by node_tree_read */
    for (const struct node_item *i = root->items; i; i = i->next) {
        if (i->key)
            place_all(i->key, at);
        place_all(i->value, at);
    }
}

bool node_add(const struct node *root, struct mark at, const char *key, const struct node *value,
              struct arena *arena, bool *found)
{
    struct node *node = (struct node *)root;
    *found = node->kind == NODE_MAPPING && same_mark(node->mark, at);
    if (!*found) {
        bool memory = true;
        for (const struct node_item *i = node->items; i && memory && !*found; i = i->next)
            memory = node_add(i->value, at, key, value, arena, found);
        return memory;
    }
    struct node_item *item = arena_alloc(arena, 1, sizeof *item);
    struct node *name = arena_alloc(arena, 1, sizeof *name);
    if (!item || !name)
        return false;
    *name = (struct node){.kind = NODE_SCALAR, .text = key, .plain = true, .mark = at};
    *item = (struct node_item){.key = name, .value = value};
    place_all(value, at);
    *(node->last ? &node->last->next : &node->items) = item;
    node->last = item;
    node->count++;
    return true;
}

bool node_cut(const struct node *root, struct mark at, bool whole, const struct node *instead,
              const struct node_item **out, struct mark *from)
{
    struct node *node = (struct node *)root; /* made by node_tree_read, in memory of its own */
    struct node_item *before = NULL;
    for (struct node_item *i = node->items; i; before = i, i = i->next) {
        const bool here = covers(i->value, at) || (i->key && same_mark(i->key->mark, at));
        if (!(here && whole) && node_cut(i->value, at, whole, instead, out, from))
            return true;
        if (!here)
            continue;
        *from = node->mark;
        *out = i;
        if (instead) {
            const struct mark place = i->value->mark;
            *(struct node *)i->value = *instead;
            place_all(i->value, place);
            return true;
        }
        *(before ? &before->next : &node->items) = i->next;
        if (node->last == i)
            node->last = before;
        node->count--;
        node->cut++;
        return true;
    }
    return false;
}
