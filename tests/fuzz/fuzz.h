/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One fuzz target a file: built by clang -fsanitize=fuzzer it looks for input
 * that breaks the parser; linked with main.c it is a test that runs the seeds.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a C string: it ends at the first NUL. Free with g_free(). */
static inline char *
fuzz_text(const uint8_t *data, size_t size)
{
    return g_strndup((const char *)data, size);
}

/* Every failure has a cause and a message; every success has none. */
static inline void
fuzz_check(gboolean good, const GError *error)
{
    if (good == (error != NULL))
        g_error("success and error disagree");
}

#endif
