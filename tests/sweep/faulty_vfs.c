#include "faulty_vfs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

static struct {
    sqlite3_vfs vfs, *below;
    long countdown, written;
    int write_code, folder_code;
    void (*wait)(void *context);
    void *wait_context;
    long waited;
} faulty;

/* The file of the layer below stands behind this in memory. */
struct faulty_file {
    sqlite3_file base;
    sqlite3_io_methods methods;
};

static sqlite3_file *below(sqlite3_file *file)
{
    return (sqlite3_file *)((struct faulty_file *)file + 1);
}

static bool fails(void)
{
    faulty.written++;
    return faulty.countdown > 0 && faulty.written >= faulty.countdown;
}

static int faulty_close(sqlite3_file *f)
{
    return below(f)->pMethods->xClose(below(f));
}
static int faulty_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    return below(f)->pMethods->xRead(below(f), out, n, at);
}
static int faulty_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
    return fails() ? faulty.write_code : below(f)->pMethods->xWrite(below(f), bytes, n, at);
}
static int faulty_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    return below(f)->pMethods->xTruncate(below(f), n);
}
static int faulty_sync(sqlite3_file *f, int flags)
{
    (void)f, (void)flags; /* nobody cuts the power during a test */
    return fails() ? faulty.write_code : SQLITE_OK;
}
static int faulty_size(sqlite3_file *f, sqlite3_int64 *out)
{
    return below(f)->pMethods->xFileSize(below(f), out);
}
static int faulty_lock(sqlite3_file *f, int level)
{
    return below(f)->pMethods->xLock(below(f), level);
}
static int faulty_unlock(sqlite3_file *f, int level)
{
    return below(f)->pMethods->xUnlock(below(f), level);
}
static int faulty_reserved(sqlite3_file *f, int *out)
{
    return below(f)->pMethods->xCheckReservedLock(below(f), out);
}
static int faulty_control(sqlite3_file *f, int op, void *argument)
{
    return below(f)->pMethods->xFileControl(below(f), op, argument);
}
static int faulty_sector(sqlite3_file *f)
{
    return below(f)->pMethods->xSectorSize(below(f));
}
static int faulty_device(sqlite3_file *f)
{
    return below(f)->pMethods->xDeviceCharacteristics(below(f));
}
static int faulty_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return faulty.folder_code ? SQLITE_CANTOPEN
                              : below(f)->pMethods->xShmMap(below(f), page, size, extend, out);
}
static int faulty_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return below(f)->pMethods->xShmLock(below(f), offset, n, flags);
}
static void faulty_shm_barrier(sqlite3_file *f)
{
    below(f)->pMethods->xShmBarrier(below(f));
}
static int faulty_shm_unmap(sqlite3_file *f, int remove)
{
    return below(f)->pMethods->xShmUnmap(below(f), remove);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct faulty_file *f = (struct faulty_file *)file;
    (void)vfs;
    f->base.pMethods = NULL;
    if (faulty.folder_code && flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_CREATE))
        return faulty.folder_code;
    int code = faulty.below->xOpen(faulty.below, name, below(file), flags, out_flags);
    if (!below(file)->pMethods)
        return code;
    f->methods = (sqlite3_io_methods){
        .iVersion = 2,
        .xClose = faulty_close,
        .xRead = faulty_read,
        .xWrite = faulty_write,
        .xTruncate = faulty_truncate,
        .xSync = faulty_sync,
        .xFileSize = faulty_size,
        .xLock = faulty_lock,
        .xUnlock = faulty_unlock,
        .xCheckReservedLock = faulty_reserved,
        .xFileControl = faulty_control,
        .xSectorSize = faulty_sector,
        .xDeviceCharacteristics = faulty_device,
        .xShmMap = faulty_shm_map,
        .xShmLock = faulty_shm_lock,
        .xShmBarrier = faulty_shm_barrier,
        .xShmUnmap = faulty_shm_unmap,
    };
    f->base.pMethods = &f->methods;
    return code;
}

static int faulty_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs, (void)sync;
    return faulty.below->xDelete(faulty.below, name, 0);
}

static int faulty_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    faulty.waited++;
    if (faulty.wait)
        faulty.wait(faulty.wait_context);
    return microseconds;
}

void faulty_install(void)
{
    memset(&faulty, 0, sizeof faulty);
    faulty.below = sqlite3_vfs_find(NULL);
    faulty.vfs = *faulty.below;
    faulty.vfs.zName = "faulty";
    faulty.vfs.szOsFile += (int)sizeof(struct faulty_file);
    faulty.vfs.xOpen = faulty_open;
    faulty.vfs.xDelete = faulty_delete;
    faulty.vfs.xSleep = faulty_sleep;
    sqlite3_vfs_register(&faulty.vfs, 1);
}

void faulty_remove(void)
{
    sqlite3_vfs_unregister(&faulty.vfs);
    sqlite3_vfs_register(faulty.below, 1);
}

void faulty_writes(long n, int code)
{
    faulty.countdown = n;
    faulty.write_code = code;
    faulty.written = 0;
}

long faulty_written(void)
{
    return faulty.written;
}

void faulty_folder(int code)
{
    faulty.folder_code = code;
}

void faulty_wait(void (*wait)(void *context), void *context)
{
    faulty.wait = wait;
    faulty.wait_context = context;
    faulty.waited = 0;
}

long faulty_waited(void)
{
    return faulty.waited;
}
