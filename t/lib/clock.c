
/*
 * Copyright (C) order guard contributors
 *
 * For LD_PRELOAD: a wall clock that is ahead of the machine's by as many
 * seconds as stand in the file OG_CLOCK, a number of 64 bits that may change
 * at any time.  It asks the kernel by itself: redis-server's allocator looks
 * at the clock before a library could be asked.
 */


#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


static const volatile int64_t  *ahead;


static void __attribute__((constructor))
open_clock(void)
{
    int          fd;
    void        *page;
    const char  *name;

    name = getenv("OG_CLOCK");
    fd = name ? open(name, O_RDONLY) : -1;

    if (fd == -1) {
        abort();
    }

    page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);

    if (page == MAP_FAILED) {
        abort();
    }

    ahead = page;
    close(fd);
}


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    long  rc;

    rc = syscall(SYS_clock_gettime, id, ts);

    if (rc == 0 && ahead
        && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
    {
        ts->tv_sec += *ahead;
    }

    return (int) rc;
}


int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec  ts;

    (void) zone;

    if (clock_gettime(CLOCK_REALTIME, &ts) != 0) {
        return -1;
    }

    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *seconds)
{
    struct timespec  ts;

    if (clock_gettime(CLOCK_REALTIME, &ts) != 0) {
        return -1;
    }

    if (seconds) {
        *seconds = ts.tv_sec;
    }

    return ts.tv_sec;
}
