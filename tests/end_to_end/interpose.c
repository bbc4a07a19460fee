/* Faults that no request can cause, for the function as it is released. This library is loaded before the C library.
   A fault occurs while the file exists that its environment variable names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int armed(const char *variable) {
    const char *path = getenv(variable);
    return path != NULL && access(path, F_OK) == 0;
}

static __thread int next_clock_fails;

/* Fails, or makes the next read of the clock fail, at which the standard library panics. The function draws the write
   token of a request just before it reads the clock for the time limit. */
ssize_t getrandom(void *buffer, size_t length, unsigned flags) {
    static ssize_t (*real)(void *, size_t, unsigned);
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "getrandom");
    if (armed("FAIL_RANDOMNESS")) {
        errno = EIO;
        return -1;
    }
    if (armed("FAIL_CLOCK")) next_clock_fails = 1;
    return real(buffer, length, flags);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    if (next_clock_fails && clock == CLOCK_MONOTONIC) {
        next_clock_fails = 0;
        errno = EINVAL;
        return -1;
    }
    return real(clock, time);
}
