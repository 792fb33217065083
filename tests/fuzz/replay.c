/* Runs a fuzz target on files and on every file of folders: the corpus as an ordinary test. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "fuzz.h"

enum { INPUT_MAX = 1 << 24 };

static int replay_file(const char *path)
{
    char *text = NULL;
    size_t n = 0;
    struct err e = ERR_INIT;
    if (file_read(path, INPUT_MAX, &text, &n, &e) != ST_OK) {
        fprintf(stderr, "%s\n", e.text);
        return -1;
    }
    uint8_t *bytes =
        malloc(n > 0 ? n : 1); /* no byte more, so that sanitizers and valgrind see every step outside */
    if (!bytes) {
        mem_free(text);
        return -1;
    }
    memcpy(bytes, text, n);
    mem_free(text);
    printf("%s\n", path); /* the last one printed is the one that crashed */
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, n);
    free(bytes);
    return 0;
}

/* Number of files replayed, -1 after an error. */
static int replay_folder(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort), replayed = 0;
    for (int i = 0; i < count; i++) {
        char *file = entries[i]->d_name[0] == '.' ? NULL : mem_printf("%s/%s", path, entries[i]->d_name);
        if (file && replayed >= 0)
            replayed = replay_file(file) == 0 ? replayed + 1 : -1;
        mem_free(file);
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (replay_folder(argv[i]) <= 0 && replay_file(argv[i]) != 0) {
            fprintf(stderr, "%s: no input to replay\n", argv[i]);
            return 1;
        }
    }
    return argc > 1 ? 0 : 2;
}
