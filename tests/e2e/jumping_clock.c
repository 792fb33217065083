/* To be loaded before the C library: the real clock, but not the monotonic one, jumps at every few readings,
 * a day ahead, back, a day behind, and back again. */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Functions of our own that the program finds by the C library's names. */
#define IN_PLACE_OF(name) __asm__(name) __attribute__((visibility("default")))
int jumping_gettime(clockid_t clock, struct timespec *t) IN_PLACE_OF("clock_gettime");
int jumping_timeofday(struct timeval *t, void *zone) IN_PLACE_OF("gettimeofday");
time_t jumping_time(time_t *t) IN_PLACE_OF("time");

static time_t jump(void)
{
    enum { DAY_S = 86400, READINGS = 3 };
    static const time_t jumps[] = {0, DAY_S, 0, -DAY_S};
    static atomic_uint readings;
    return jumps[atomic_fetch_add(&readings, 1) / READINGS % 4];
}

int jumping_gettime(clockid_t clock, struct timespec *t)
{
    int result = (int)syscall(SYS_clock_gettime, clock, t);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        t->tv_sec += jump();
    return result;
}

int jumping_timeofday(struct timeval *t, void *zone)
{
    struct timespec now = {0};
    (void)zone;
    int result = jumping_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return result;
}

time_t jumping_time(time_t *t)
{
    struct timespec now = {0};
    jumping_gettime(CLOCK_REALTIME, &now);
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}
