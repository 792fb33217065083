/* What a sweep needs of the disk, and what there is. */
#ifndef SWEEP_DISK_H
#define SWEEP_DISK_H

#include "sweep/space.h"
#include "sweep/spec.h"

/* About the bytes of one checkpoint of a trial, weights and optimizer state. */
double disk_checkpoint_bytes(const struct trial *t);
/* About the bytes that a trial leaves when it is done: the checkpoints that stay, and its rows. */
double disk_kept_bytes(const struct trial *t, enum keep keep);
double disk_rows_bytes(const struct trial *t);

/* Sums over the trials that a run will train. Begin with zeros. */
struct disk_need {
    double kept;     /* what all of them leave */
    double largest;  /* checkpoint of one of them */
    double smallest; /* and rows of one of them; 0 = there is none */
};
void disk_need_add(struct disk_need *n, const struct trial *t, enum keep keep);
/* At the peak, with `workers` at once: beside what is kept, each has its newest checkpoint, the one before
 * and the one that is being written. */
double disk_need_bytes(const struct disk_need *n, enum keep keep, int workers);

/* Bytes that this user may still write where `path` is, or will be: it and its folders need not exist yet. -1
 * when not known. */
double disk_free_bytes(const char *path);

enum disk_verdict {
    DISK_ENOUGH, /* or not known */
    DISK_SHORT,  /* not for the whole sweep */
    DISK_FULL,   /* not for a single checkpoint */
};
enum disk_verdict disk_judge(const struct disk_need *n, enum keep keep, int workers, double free_bytes);

#endif
