/* SPDX-License-Identifier: Apache-2.0 */
/* 128-bit sums of products in two words: compilers for 32-bit cores have none. */
#ifndef DD_WIDE_H
#define DD_WIDE_H

#include "dd_types.h"

typedef struct {
  uint64_t low;
  uint64_t high; /* two's complement */
} dd_wide;

static inline void dd_wide_add_product(dd_wide *sum, int64_t a, int64_t b) {
  uint64_t x = dd_magnitude(a), y = dd_magnitude(b);
  uint64_t x0 = x & UINT32_MAX, x1 = x >> 32, y0 = y & UINT32_MAX, y1 = y >> 32;
  uint64_t low = x0 * y0, cross = x1 * y0 + (low >> 32);
  uint64_t middle = x0 * y1 + (cross & UINT32_MAX);
  uint64_t high = x1 * y1 + (cross >> 32) + (middle >> 32);
  low = (middle << 32) | (low & UINT32_MAX);
  if ((a < 0) != (b < 0)) {
    low = ~low + 1u;
    high = ~high + (low == 0 ? 1u : 0u);
  }
  sum->low += low;
  sum->high += high + (sum->low < low ? 1u : 0u);
}

/* Floor of sum / 2^32; DD_RANGE in *status if it has more than 64 bits. */
static inline int64_t dd_wide_shift_32(const dd_wide *sum, dd_status *status) {
  uint64_t bits = (sum->high << 32) | (sum->low >> 32);
  uint64_t sign = bits >> 63 ? UINT32_MAX : 0u;
  if (sum->high >> 32 != sign) *status = DD_RANGE;
  return bits >> 63 ? -(int64_t)(~bits) - 1 : (int64_t)bits;
}

/* Floor of 2^32 x / divisor, divisor from 1 to 2^62. */
static inline int64_t dd_scaled_quotient(int64_t x, uint64_t divisor,
                                         dd_status *status) {
  uint64_t size = dd_magnitude(x);
  uint64_t quotient = size / divisor, rest = size % divisor;
  if (quotient >> 30) *status = DD_RANGE;
  quotient &= UINT32_MAX >> 2;
  for (int i = 0; i < 32; i++) {
    rest <<= 1;
    quotient <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      quotient |= 1u;
    }
  }
  return x >= 0 ? (int64_t)quotient : -(int64_t)quotient - (rest ? 1 : 0);
}

#endif
