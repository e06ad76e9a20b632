/* SPDX-License-Identifier: Apache-2.0 */
/* What every file of the device's codec shares. C99, no heap, no globals that change. */
#ifndef DD_TYPES_H
#define DD_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
  DD_OK = 0,
  DD_FULL = 1,  /* the buffer that was given for the bytes is too small */
  DD_RANGE = 2, /* an argument, or a number on the way, is out of its range */
} dd_status;

/* Floor of x / 2^n; C leaves the shift of a negative number to the compiler. */
static inline int64_t dd_floor_shift(int64_t x, uint32_t n) {
  return x >= 0 ? x >> n : ~(~x >> n);
}

static inline int64_t dd_floor_div(int64_t x, int64_t positive) {
  return x >= 0 ? x / positive : -((-x + positive - 1) / positive);
}

static inline uint64_t dd_magnitude(int64_t x) {
  return x >= 0 ? (uint64_t)x : ~(uint64_t)x + 1u;
}

static inline uint32_t dd_bit_length(uint64_t x) {
  uint32_t n = 0;
  for (; x; x >>= 1) n++;
  return n;
}

#endif
