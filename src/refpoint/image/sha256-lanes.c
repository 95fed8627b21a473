/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FIPS 180-4, with its names. Not from a library: the one that distributions
 * have (intel-ipsec-mb) refuses messages of 64 KiB.
 */
#include "image/sha256-lanes.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <string.h>

#define BLOCK_SIZE 64
#define BLOCK_WORDS 16
#define STATE_WORDS 8

/* Also where the rest is compiled for any CPU. */
#define LANES_CODE __attribute__((target("avx512f,avx512bw")))
#define LANES_INLINE static inline __attribute__((always_inline)) LANES_CODE

/* Truth tables of vpternlog. */
#define XOR3 0x96
#define CHOICE 0xca
#define MAJORITY 0xe8

/* One word of every message. */
typedef __m512i Lanes;

static const guint32 initial[STATE_WORDS];
static const guint32 constants[64];

gboolean
rfp_sha256_lanes_work(void)
{
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw");
}

/* ---- The compression function -------------------------------------------- */

LANES_INLINE Lanes
add(Lanes a, Lanes b)
{
    return _mm512_add_epi32(a, b);
}

LANES_INLINE Lanes
xor3(Lanes a, Lanes b, Lanes c)
{
    return _mm512_ternarylogic_epi32(a, b, c, XOR3);
}

/* The next word of the schedule; @w holds the last 16 of them, in a ring. */
LANES_INLINE Lanes
schedule(const Lanes *w, guint i)
{
    const Lanes x = w[(i + 1) % BLOCK_WORDS];
    const Lanes y = w[(i + 14) % BLOCK_WORDS];
    const Lanes sigma0 = xor3(_mm512_ror_epi32(x, 7), _mm512_ror_epi32(x, 18),
                              _mm512_srli_epi32(x, 3));
    const Lanes sigma1 = xor3(_mm512_ror_epi32(y, 17), _mm512_ror_epi32(y, 19),
                              _mm512_srli_epi32(y, 10));

    return add(add(w[i], sigma0), add(w[(i + 9) % BLOCK_WORDS], sigma1));
}

/* @s: a to h. */
LANES_INLINE void
do_round(Lanes *s, Lanes w, guint32 k)
{
    const Lanes a = s[0];
    const Lanes e = s[4];
    const Lanes sum1 = xor3(_mm512_ror_epi32(e, 6), _mm512_ror_epi32(e, 11),
                            _mm512_ror_epi32(e, 25));
    const Lanes choice = _mm512_ternarylogic_epi32(e, s[5], s[6], CHOICE);
    const Lanes t1 =
        add(add(add(s[7], w), _mm512_set1_epi32((int)k)), add(sum1, choice));
    const Lanes sum0 = xor3(_mm512_ror_epi32(a, 2), _mm512_ror_epi32(a, 13),
                            _mm512_ror_epi32(a, 22));
    const Lanes majority = _mm512_ternarylogic_epi32(a, s[1], s[2], MAJORITY);

    s[7] = s[6];
    s[6] = s[5];
    s[5] = e;
    s[4] = add(s[3], t1);
    s[3] = s[2];
    s[2] = s[1];
    s[1] = a;
    s[0] = add(t1, add(sum0, majority));
}

/* Unrolled, so that moving words costs nothing. @w is used up. */
LANES_INLINE void
compress(Lanes *state, Lanes *w)
{
    Lanes s[STATE_WORDS];

    memcpy(s, state, sizeof(s));
#pragma GCC unroll 16
    for (guint i = 0; i < BLOCK_WORDS; i++)
        do_round(s, w[i], constants[i]);
    for (guint first = BLOCK_WORDS; first < 64; first += BLOCK_WORDS)
#pragma GCC unroll 16
        for (guint i = 0; i < BLOCK_WORDS; i++) {
            w[i] = schedule(w, i);
            do_round(s, w[i], constants[first + i]);
        }
#pragma GCC unroll 8
    for (guint i = 0; i < STATE_WORDS; i++)
        state[i] = add(state[i], s[i]);
}

/* ---- In and out ---------------------------------------------------------- */

/* From a message a register to a word a register: a matrix of 16 x 16, in
 * pairs of 1, 2, 4 and 8. */
LANES_INLINE void
transpose(Lanes *r)
{
    Lanes t[16];

#pragma GCC unroll 16
    for (guint i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
#pragma GCC unroll 16
    for (guint i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 16
    for (guint i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
#pragma GCC unroll 16
    for (guint i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

/* The words are big-endian. */
LANES_INLINE void
load(const guint8 *const *messages, gsize offset, Lanes *w)
{
    const Lanes swap =
        _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);

#pragma GCC unroll 16
    for (guint i = 0; i < RFP_SHA256_LANES; i++)
        w[i] =
            _mm512_shuffle_epi8(_mm512_loadu_si512(messages[i] + offset), swap);
    transpose(w);
}

/* The block behind messages that end with a whole one. */
LANES_INLINE void
pad(gsize length, Lanes *w)
{
    memset(w, 0, BLOCK_WORDS * sizeof(*w));
    w[0] = _mm512_set1_epi32((int)0x80000000);
    w[BLOCK_WORDS - 1] = _mm512_set1_epi32((int)(length * 8));
}

static void LANES_CODE
store(const Lanes *state, guint8 *const *digests)
{
    guint32 words[STATE_WORDS][RFP_SHA256_LANES];

    memcpy(words, state, sizeof(words));
    for (guint i = 0; i < RFP_SHA256_LANES; i++)
        for (guint j = 0; j < STATE_WORDS; j++) {
            const guint32 word = GUINT32_TO_BE(words[j][i]);

            memcpy(digests[i] + j * sizeof(word), &word, sizeof(word));
        }
}

void LANES_CODE
rfp_sha256_lanes(const guint8 *const *messages,
                 gsize length,
                 guint8 *const *digests)
{
    Lanes state[STATE_WORDS];
    Lanes w[BLOCK_WORDS];

    for (guint i = 0; i < STATE_WORDS; i++)
        state[i] = _mm512_set1_epi32((int)initial[i]);
    for (gsize offset = 0; offset < length; offset += BLOCK_SIZE) {
        load(messages, offset, w);
        compress(state, w);
    }
    pad(length, w);
    compress(state, w);
    store(state, digests);
}

/* ---- Tables -------------------------------------------------------------- */

static const guint32 initial[STATE_WORDS] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const guint32 constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#else

gboolean
rfp_sha256_lanes_work(void)
{
    return FALSE;
}

void
rfp_sha256_lanes(const guint8 *const *messages G_GNUC_UNUSED,
                 gsize length G_GNUC_UNUSED,
                 guint8 *const *digests G_GNUC_UNUSED)
{
    g_assert_not_reached();
}

#endif
