#include "data/input_file.h"

#include <sys/stat.h>

#include "base/file.h"

enum status input_file_read(const char *path, size_t limit, uint8_t **out, size_t *n, struct err *e)
{
    struct stat info;
    char *bytes = NULL;
    if (stat(path, &info) != 0) {
        return err_errno(e, "cannot read %s", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return err_set(e, ST_FAILED, "cannot read %s: not a regular file", path);
    }
    enum status status = file_read(path, limit == INPUT_FILE_ANY_SIZE ? SIZE_MAX / 4 : limit, &bytes, n, e);
    *out = (uint8_t *)bytes;
    return status;
}
