#include "data/input_file.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"

/* Refuses what is no file before it is opened. */
static enum status check_regular(const char *path, struct err *e)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return err_errno(e, "cannot read %s", path);
    return S_ISREG(info.st_mode) ? ST_OK : err_set(e, ST_FAILED, "cannot read %s: not a regular file", path);
}

enum status input_file_read(const char *path, size_t limit, uint8_t **out, size_t *n, struct err *e)
{
    char *bytes = NULL;
    enum status status = check_regular(path, e);
    if (status != ST_OK)
        return status;
    status = file_read(path, limit == INPUT_FILE_ANY_SIZE ? SIZE_MAX / 4 : limit, &bytes, n, e);
    *out = (uint8_t *)bytes;
    return status;
}

enum status input_file_start(const char *path, uint8_t *out, size_t capacity, size_t *n, struct err *e)
{
    enum status status = check_regular(path, e);
    if (status != ST_OK)
        return status;
    FILE *f = fopen(path, "rbe");
    if (!f)
        return err_errno(e, "cannot read %s", path);
    *n = fread(out, 1, capacity, f);
    status = ferror(f) ? err_errno(e, "cannot read %s", path) : ST_OK;
    fclose(f);
    return status;
}
