/* Faults of the operating system for one process: a library for LD_PRELOAD.

   Everything that changes a file below FAULT_ROOT is an operation, counted from 0. At operation
   FAULT_AT, by FAULT_KIND:
     kill   the process is killed; of what it writes, half is on the disk
     full   the disk is full, and stays so
     error  this one operation fails with EIO
     count  nothing happens
   Each operation leaves a line in the file FAULT_LOG. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int number = -1;

static int is_below_root(const char *path)
{
    const char *root = getenv("FAULT_ROOT");
    return root && strncmp(path, root, strlen(root)) == 0;
}

static int is_file_below_root(int descriptor)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_below_root(path);
}

static void note(const char *what)
{
    char line[64];
    int log = REAL(open)(getenv("FAULT_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    int length = snprintf(line, sizeof line, "%s\n", what);
    if (log < 0 || REAL(write)(log, line, length) != length)
        abort();
    close(log);
}

/* Count an operation; return the error that it shall fail with, or 0. Half of `size` bytes of
   `data` are written before a kill. */
static int fault(const char *what, int needs_space, int descriptor, const void *data, size_t size)
{
    const char *kind = getenv("FAULT_KIND");
    int at = atoi(getenv("FAULT_AT"));
    note(what);
    number++;
    if (number == at && strcmp(kind, "kill") == 0) {
        if (data)
            (void)!REAL(write)(descriptor, data, size / 2);
        kill(getpid(), SIGKILL);
    }
    if (number >= at && needs_space && strcmp(kind, "full") == 0)
        return ENOSPC;
    return number == at && strcmp(kind, "error") == 0 ? EIO : 0;
}

#define FAIL_IF(error)      \
    do {                    \
        int e = (error);    \
        if (e) {            \
            errno = e;      \
            return -1;      \
        }                   \
    } while (0)

ssize_t write(int descriptor, const void *data, size_t size)
{
    if (is_file_below_root(descriptor))
        FAIL_IF(fault("write", 1, descriptor, data, size));
    return REAL(write)(descriptor, data, size);
}

int fsync(int descriptor)
{
    if (is_file_below_root(descriptor))
        FAIL_IF(fault("fsync", 0, descriptor, NULL, 0));
    return REAL(fsync)(descriptor);
}

#define TRUNCATE(name)                                              \
    int name(int descriptor, off_t length)                          \
    {                                                               \
        if (is_file_below_root(descriptor))                         \
            FAIL_IF(fault("truncate", 0, descriptor, NULL, 0));     \
        return REAL(name)(descriptor, length);                      \
    }

TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

int rename(const char *from, const char *to)
{
    if (is_below_root(to))
        FAIL_IF(fault("rename", 0, -1, NULL, 0));
    return REAL(rename)(from, to);
}

int unlink(const char *path)
{
    if (is_below_root(path) && access(path, F_OK) == 0)
        FAIL_IF(fault("unlink", 0, -1, NULL, 0));
    return REAL(unlink)(path);
}

int mkdir(const char *path, mode_t mode)
{
    if (is_below_root(path) && access(path, F_OK) != 0)
        FAIL_IF(fault("mkdir", 1, -1, NULL, 0));
    return REAL(mkdir)(path, mode);
}

#define OPEN(name)                                                  \
    int name(const char *path, int flags, ...)                      \
    {                                                               \
        va_list rest;                                               \
        va_start(rest, flags);                                      \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;   \
        va_end(rest);                                               \
        if (flags & O_CREAT && is_below_root(path))                 \
            FAIL_IF(fault("create", 1, -1, NULL, 0));               \
        return REAL(name)(path, flags, mode);                       \
    }

OPEN(open)
OPEN(open64)
