#include "sweep/paths.h"

#include <inttypes.h>
#include <string.h>

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
    return mem_printf("%.*s", without(db, ".db"), db);
}

char *paths_checkpoint(const char *stem, const char *arch_hash, const char *recipe_hash,
                       const char *data_fingerprint, uint64_t seed)
{
    return mem_printf("%s.checkpoints/%s-%s-%s-s%" PRIu64 "%s", stem, arch_hash, recipe_hash,
                      data_fingerprint, seed, checkpoint_ending);
}

char *checkpoint_previous_path(const char *checkpoint)
{
    return mem_printf("%.*s.previous%s", without(checkpoint, checkpoint_ending), checkpoint,
                      checkpoint_ending);
}
