/* A layer between SQLite and the file system that fails and waits on command, and never waits for the disk.
 * It is the default of every connection that is opened while it is installed. */
#ifndef TESTS_SWEEP_FAULTY_VFS_H
#define TESTS_SWEEP_FAULTY_VFS_H

void faulty_install(void);
void faulty_remove(void);

/* The n-th write or sync from now (1 = the next) and all later ones fail with this code of SQLite; 0 = never.
 */
void faulty_writes(long n, int code);
/* Writes and syncs since faulty_writes. */
long faulty_written(void);
/* Opening a file for writing or creating it fails with this code, as in a folder that cannot be written; 0 =
 * not. */
void faulty_folder(int code);
/* Called instead of waiting for a lock. */
void faulty_wait(void (*wait)(void *context), void *context);
/* Times SQLite wanted to wait since faulty_wait. */
long faulty_waited(void);

#endif
