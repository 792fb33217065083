#include "report/lookup.h"

/* Open addressing: numbers that share a place stand in the next free ones. */
struct lookup_slot {
    uint64_t hash;
    size_t number;
    bool used;
};

size_t lookup_next(const struct lookup *l, uint64_t hash, struct lookup_walk *walk)
{
    while (walk->step < l->capacity) {
        const struct lookup_slot *slot = &l->slots[(hash + walk->step) & (l->capacity - 1)];
        if (!slot->used)
            return LOOKUP_NONE;
        walk->step++;
        if (slot->hash == hash)
            return slot->number;
    }
    return LOOKUP_NONE;
}

static void place(struct lookup_slot *slots, size_t capacity, struct lookup_slot slot)
{
    size_t i = slot.hash & (capacity - 1);
    while (slots[i].used)
        i = (i + 1) & (capacity - 1);
    slots[i] = slot;
}

bool lookup_put(struct lookup *l, struct arena *arena, uint64_t hash, size_t number)
{
    if (2 * (l->count + 1) > l->capacity) {
        const size_t larger = l->capacity ? 2 * l->capacity : 16;
        struct lookup_slot *slots = arena_alloc(arena, larger, sizeof *slots);
        if (!slots)
            return false;
        for (size_t i = 0; i < l->capacity; i++)
            if (l->slots[i].used)
                place(slots, larger, l->slots[i]);
        l->slots = slots;
        l->capacity = larger;
    }
    place(l->slots, l->capacity, (struct lookup_slot){hash, number, true});
    l->count++;
    return true;
}
