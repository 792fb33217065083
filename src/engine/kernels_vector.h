/* Vectors of the instruction set this object is compiled for (GNU vector extensions). Private to kernels.c.
 */
#ifndef ENGINE_KERNELS_VECTOR_H
#define ENGINE_KERNELS_VECTOR_H

#include <stdint.h>

#if defined __AVX2__
#include <immintrin.h>
#endif

/* VL: floats in a vector. TILE_PIXELS x TILE_VECTORS accumulators, the vectors of one weight row and a
 * broadcast fill the register file: 12 x 2 + 3 of 32 with AVX-512, 6 x 2 + 3 of 16 elsewhere. */
#if defined __AVX512F__
enum { VL = 16, TILE_PIXELS = 12, TILE_VECTORS = 2 };
#elif defined __AVX2__
enum { VL = 8, TILE_PIXELS = 6, TILE_VECTORS = 2 };
#else
enum { VL = 4, TILE_PIXELS = 6, TILE_VECTORS = 2 };
#endif
enum { TILE_CHANNELS = VL * TILE_VECTORS };

typedef float vec __attribute__((vector_size(VL * sizeof(float)), may_alias));
typedef float vec_unaligned __attribute__((vector_size(VL * sizeof(float)), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(VL * sizeof(int32_t)), may_alias));
typedef uint32_t uvec __attribute__((vector_size(VL * sizeof(uint32_t)), may_alias));
typedef uint8_t bvec_unaligned __attribute__((vector_size(VL), aligned(1), may_alias));

/* Unrolls the loop that follows completely, early enough that arrays indexed by it live in registers (clang
 * unrolls too late for that when a count is given). Not under sanitizers: every access would be instrumented,
 * and compiling takes minutes. */
#if defined KERNELS_SMALL
#define KERNEL_UNROLL
#elif defined __clang__
#define KERNEL_UNROLL _Pragma("clang loop unroll(full)")
#else
#define KERNEL_UNROLL _Pragma("GCC unroll 24")
#endif

#define KERNEL_INLINE static inline __attribute__((always_inline))

KERNEL_INLINE vec vec_load(const float *p)
{
    return *(const vec_unaligned *)p;
}

KERNEL_INLINE void vec_store(float *p, vec v)
{
    *(vec_unaligned *)p = v;
}

KERNEL_INLINE vec vec_all(float x)
{
    return x - (vec){0};
}

KERNEL_INLINE ivec vec_all_int(int x)
{
    const ivec zero = {0};
    return zero + x;
}

/* Lane numbers 0, 1, 2, ... */
KERNEL_INLINE ivec vec_lanes(void)
{
#if defined __AVX512F__
    return (ivec){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif defined __AVX2__
    return (ivec){0, 1, 2, 3, 4, 5, 6, 7};
#else
    return (ivec){0, 1, 2, 3};
#endif
}

/* yes where the mask is set (-1), no elsewhere (0). */
KERNEL_INLINE ivec ivec_select(ivec mask, ivec yes, ivec no)
{
    return (mask & yes) | (~mask & no);
}

KERNEL_INLINE vec vec_select(ivec mask, vec yes, vec no)
{
    return (vec)ivec_select(mask, (ivec)yes, (ivec)no);
}

KERNEL_INLINE ivec vec_is_nan(vec v)
{
    return ~(v <= vec_all(__builtin_inff()));
}

/* max(v, 0) that keeps NaN, so that a diverged network is seen in its loss. */
KERNEL_INLINE vec vec_relu(vec v)
{
    return (vec)((ivec)v & ~(v <= (vec){0}));
}

KERNEL_INLINE vec vec_mask_positive(vec v, vec mask)
{
    return (vec)((ivec)v & (mask > (vec){0}));
}

/* Stores the first `count` floats (all if count >= VL, none if <= 0); what follows keeps its value. */
KERNEL_INLINE void vec_store_first(float *p, vec v, int count)
{
    if (count >= VL)
        vec_store(p, v);
    else if (count > 0)
        vec_store(p, vec_select(vec_lanes() < count, v, vec_load(p)));
}

/* VL bytes as integers, and back (0..255). Intrinsics, because gcc 12 converts vectors of bytes one by one.
 */
KERNEL_INLINE ivec vec_load_bytes(const uint8_t *p)
{
#if defined __AVX512F__
    return (ivec)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
#elif defined __AVX2__
    return (ivec)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
#else
    return __builtin_convertvector(*(const bvec_unaligned *)p, ivec);
#endif
}

KERNEL_INLINE void vec_store_bytes(uint8_t *p, ivec v)
{
#if defined __AVX512F__
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8((__m512i)v));
#elif defined __AVX2__
    const __m128i low = _mm256_castsi256_si128((__m256i)v), high = _mm256_extracti128_si256((__m256i)v, 1);
    const __m128i words = _mm_packs_epi32(low, high);
    _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(words, words));
#else
    *(bvec_unaligned *)p = __builtin_convertvector(v, bvec_unaligned);
#endif
}

#endif
