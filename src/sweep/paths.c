#include "sweep/paths.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static const char checkpoint_ending[] = ".safetensors";

/* Length of a path without an ending. */
static int without(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return (int)(n > m && strcmp(path + n - m, ending) == 0 ? n - m : n);
}

char *paths_stem(const char *db)
{
    char linked[PATH_MAX];
    if (readlink(db, linked, 1) > 0 && realpath(db, linked))
        db = linked;
    return mem_printf("%.*s", without(db, ".db"), db);
}

char *paths_checkpoint(const char *stem, const char *arch_hash, const char *recipe_hash,
                       const char *data_fingerprint, uint64_t seed)
{
    return mem_printf("%s.checkpoints/%s-%s-%s-s%" PRIu64 "%s", stem, arch_hash, recipe_hash,
                      data_fingerprint, seed, checkpoint_ending);
}

/* "x.safetensors" -> "x.<part>.safetensors" */
static char *with_part(const char *checkpoint, const char *part)
{
    return mem_printf("%.*s.%s%s", without(checkpoint, checkpoint_ending), checkpoint, part,
                      checkpoint_ending);
}

char *checkpoint_previous_path(const char *checkpoint)
{
    return with_part(checkpoint, "previous");
}

char *checkpoint_best_path(const char *checkpoint)
{
    return with_part(checkpoint, "best");
}

char *checkpoint_epoch_path(const char *checkpoint, int epoch)
{
    char part[32];
    snprintf(part, sizeof part, "epoch-%d", epoch);
    return with_part(checkpoint, part);
}

char *paths_checkpoint_folder(const char *stem)
{
    return mem_printf("%s.checkpoints", stem);
}

const char *checkpoint_kind_name(enum checkpoint_kind k)
{
    static const char *const names[] = {"last", "previous", "best", "epoch", "partial"};
    return names[k];
}

/* Takes sixteen hex digits and a dash. */
static bool take_hash(const char **at, char out[HASH_TEXT])
{
    if (strspn(*at, "0123456789abcdef") != HASH_TEXT - 1 || (*at)[HASH_TEXT - 1] != '-')
        return false;
    memcpy(out, *at, HASH_TEXT - 1);
    out[HASH_TEXT - 1] = '\0';
    *at += HASH_TEXT;
    return true;
}

/* Takes a number as it is printed: no sign, no leading zero. */
static bool take_number(const char **at, uint64_t max, uint64_t *out)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 20 || (digits > 1 && **at == '0'))
        return false;
    errno = 0;
    *out = strtoull(*at, NULL, 10);
    *at += digits;
    return errno == 0 && *out <= max;
}

static bool take_text(const char **at, const char *text)
{
    size_t n = strlen(text);
    bool there = strncmp(*at, text, n) == 0;
    *at += there ? n : 0;
    return there;
}

/* What stands between the seed and the ending. */
static bool take_part(const char **at, struct checkpoint_name *out)
{
    uint64_t epoch = 0;
    out->kind = CHECKPOINT_LAST;
    if (take_text(at, ".previous")) {
        out->kind = CHECKPOINT_PREVIOUS;
    } else if (take_text(at, ".best")) {
        out->kind = CHECKPOINT_BEST;
    } else if (take_text(at, ".epoch-")) {
        out->kind = CHECKPOINT_EPOCH;
        if (!take_number(at, INT_MAX, &epoch) || epoch == 0)
            return false;
    }
    out->epoch = (int)epoch;
    return true;
}

bool checkpoint_name_parse(const char *name, struct checkpoint_name *out)
{
    const char *at = name;
    *out = (struct checkpoint_name){.kind = CHECKPOINT_LAST};
    if (!take_hash(&at, out->arch_hash) || !take_hash(&at, out->recipe_hash) ||
        !take_hash(&at, out->data_fingerprint) || !take_text(&at, "s") ||
        !take_number(&at, UINT64_MAX, &out->seed) || !take_part(&at, out) ||
        !take_text(&at, checkpoint_ending))
        return false;
    if (take_text(&at, ".tmp")) /* base/file.h */
        out->kind = CHECKPOINT_PARTIAL;
    return *at == '\0';
}
