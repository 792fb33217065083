#include "sweep/lease.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t process_started(int64_t pid)
{
    char path[64], text[1024], state = 'X';
    unsigned long long start = 0;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *f = fopen(path, "re");
    if (!f) /* /proc may hide what belongs to others */
        return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM) ? -1 : 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *name_end = strrchr(text, ')'); /* the name before it may hold anything */
    if (!name_end ||
        sscanf(name_end + 1,
               " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &state,
               &start) != 2)
        return 0;
    return state == 'Z' || state == 'X' ? 0 : (int64_t)start;
}

/* The boot's id and the process-number space, as the kernel names them. */
static void read_place(char out[LEASE_TEXT])
{
    char boot[64] = "", space[64] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (f) {
        if (!fgets(boot, sizeof boot, f))
            boot[0] = '\0';
        boot[strcspn(boot, "\n")] = '\0';
        fclose(f);
    }
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    space[n > 0 ? n : 0] = '\0';
    snprintf(out, LEASE_TEXT, "%s %s", boot, space);
}

void lease_sign(struct lease *l, int64_t worker_pid)
{
    if (gethostname(l->host, sizeof l->host) != 0)
        strcpy(l->host, "unknown");
    l->host[sizeof l->host - 1] = '\0';
    read_place(l->place);
    l->run = (struct process_name){getpid(), process_started(getpid())};
    l->worker = (struct process_name){worker_pid, process_started(worker_pid)};
}

static enum lease_life process_life(const struct process_name *p)
{
    int64_t start = process_started(p->pid);
    if (start < 0)
        return LEASE_UNKNOWN;
    return start != 0 && start == p->start ? LEASE_ALIVE : LEASE_GONE;
}

/* The same host after its next boot: whatever ran before has ended. Containers may share a host's name, so
 * this needs the same process-number space, too. */
static bool before_this_boot(const struct lease *l, const char *place, const char *host)
{
    const char *theirs = strchr(l->place, ' '), *ours = strchr(place, ' ');
    return strcmp(l->host, host) == 0 && theirs && ours && strcmp(theirs, ours) == 0;
}

enum lease_life lease_look(const struct lease *l)
{
    struct lease here = {0};
    if (l->attempt == 0)
        return LEASE_GONE;
    lease_sign(&here, 0);
    if (strcmp(l->place, here.place) != 0)
        return before_this_boot(l, here.place, here.host) ? LEASE_GONE : LEASE_UNKNOWN;
    enum lease_life run = process_life(&l->run), worker = process_life(&l->worker);
    return run > worker ? run : worker;
}

static int compare_trials(const void *a, const void *b)
{
    const int64_t trial = *(const int64_t *)a, other = ((const struct lease *)b)->trial;
    return (trial > other) - (trial < other);
}

enum lease_life lease_look_among(const struct lease *leases, int count, int64_t trial)
{
    const struct lease *l =
        count > 0 ? bsearch(&trial, leases, (size_t)count, sizeof *leases, compare_trials) : NULL;
    return l ? lease_look(l) : LEASE_UNKNOWN;
}

bool lease_left(const struct lease *l, struct lease_watch *w, double now)
{
    enum lease_life life = lease_look(l);
    if (life != LEASE_UNKNOWN)
        return life == LEASE_GONE;
    if (w->attempt != l->attempt || w->beat != l->beat)
        *w = (struct lease_watch){l->attempt, l->beat, now};
    return now - w->since > LEASE_PATIENCE_S;
}
