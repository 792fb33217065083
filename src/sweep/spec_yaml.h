/* YAML text -> a tree of nodes with positions. Only spec_yaml.c knows libyaml. */
#ifndef SWEEP_SPEC_YAML_H
#define SWEEP_SPEC_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "sweep/spec.h"

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

struct node;

/* One entry of a sequence (key NULL) or mapping (the key is a scalar). */
struct node_item {
    const struct node *key;
    const struct node *value;
    struct node_item *next;
    int index; /* in the file, where others may have been cut out before it */
};

/* An alias is the anchor's node itself, so one node may have several parents, never a cycle. */
struct node {
    enum node_kind kind;
    struct mark mark;
    const char *text; /* scalar: UTF-8 without NUL */
    bool plain;       /* scalar: neither quoted nor a block scalar */
    bool open;        /* while reading: its end has not come yet */
    int count;        /* items */
    int cut;          /* items that node_cut took out */
    size_t weight;    /* nodes from here down, aliases followed */
    struct node_item *items, *last;
};

/* Reads one YAML document. Nodes live in the arena. Refused with position: what is not UTF-8, syntax errors,
 * an empty file, a second document, tags, keys that are not scalars, and more than the SPEC_MAX_ limits. */
enum status node_tree_read(const char *text, size_t n, const char *path, struct arena *arena,
                           const struct node **root, struct err *e);

/* Takes the innermost item (with `whole` the outermost) that begins at this place, or whose value does or has
 * it in its text, out of its sequence or mapping, whose place goes to *from; with `instead` that becomes its
 * value, and it stays. False if there is none. */
bool node_cut(const struct node *root, struct mark at, bool whole, const struct node *instead,
              const struct node_item **out, struct mark *from);
/* The beginning of the last scalar value that begins before this place: where a text of several lines begins
 * that the place is in. Line 0: there is none. */
struct mark node_scalar_before(const struct node *root, struct mark at);
/* Adds a key and its value to the mapping that begins at this place (*found: there is one); all of it stands
 * there. False when out of memory. */
bool node_add(const struct node *root, struct mark at, const char *key, const struct node *value,
              struct arena *arena, bool *found);

#endif
