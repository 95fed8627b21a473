/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input as a file that is only in memory. */
#ifndef MEMORY_FILE_H
#define MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* -1 if it could not be made, which says nothing about the input. */
static inline int
memory_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, data, size) != (ssize_t)size) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Each @piece bytes of the input begin a @cluster of the file, whose rest
 * is zero: files of large clusters from small inputs. */
static inline int
memory_file_spread(const uint8_t *data,
                   size_t size,
                   size_t piece,
                   size_t cluster)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    size_t clusters = (size + piece - 1) / piece;
    size_t i = 0;

    if (fd < 0 || ftruncate(fd, (off_t)(clusters * cluster)) < 0)
        return fd;
    for (i = 0; i < clusters; i++) {
        size_t n = size - i * piece < piece ? size - i * piece : piece;

        if (pwrite(fd, data + i * piece, n, (off_t)(i * cluster)) < 0)
            break;
    }
    return fd;
}

#endif
