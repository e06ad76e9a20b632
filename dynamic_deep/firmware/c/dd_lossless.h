/* SPDX-License-Identifier: Apache-2.0 */
/* lossless and near_lossless (docs/format.md, the section of that name). */
#ifndef DD_LOSSLESS_H
#define DD_LOSSLESS_H

#include "dd_range.h"

#define DD_ORDER 24
#define DD_N_MOMENTS ((DD_ORDER + 1) * (DD_ORDER + 2) / 2)
#define DD_BLOCK 128
#define DD_N_PROFILES 2
#define DD_N_CONTEXTS 270
#define DD_N_ERRORS 96
#define DD_N_LOGS 4096

/* Tables of the format, in dd_lossless_tables.c. Moments are lower triangles, row by
   row. dd_prior_coefs are what the solver makes of the priors. */
extern const int64_t dd_priors[DD_N_PROFILES][DD_N_MOMENTS];
extern const int32_t dd_prior_coefs[DD_N_PROFILES][DD_ORDER];
extern const int32_t dd_scale_coefs[DD_N_PROFILES][5];
extern const uint16_t dd_logs[DD_N_LOGS];
extern const uint16_t dd_error_counts[DD_N_PROFILES][DD_N_CONTEXTS][DD_N_ERRORS];
#ifndef DD_NO_NEAR_LOSSLESS
extern const uint16_t dd_near_counts[DD_N_PROFILES][DD_N_CONTEXTS][DD_N_ERRORS];
#endif

/* Samples of one lead, in ADC units: one of the two is NULL. */
typedef struct {
  const int16_t *s16;
  const int32_t *s32;
  uint32_t n;
} dd_samples;

static inline int32_t dd_sample(const dd_samples *samples, uint32_t i) {
  return samples->s16 ? samples->s16[i] : samples->s32[i];
}

/* Working memory; no meaning between two calls. */
typedef struct {
  int64_t moments[DD_N_MOMENTS];
  int64_t lower[DD_N_MOMENTS];
  int64_t differences[DD_ORDER + DD_BLOCK];
  int64_t errors[2 + DD_BLOCK + 2];
  int64_t scaled[DD_ORDER];
  int64_t pivots[DD_ORDER + 1];
  int32_t coefs[DD_ORDER];
  int64_t means[4];
} dd_lossless_work;

/* Codes one window of 1 to 2^20 samples.

   max_error: 0 is lossless; else the largest error of a sample, up to 2^30 - 1.
   payload, capacity: where to; a frame's payload is at most *len <= capacity - 8.
   Returns DD_RANGE where an argument is out of range, or where the solver of the
   coefficients would need more than its 128 bits, which no signal is known to. */
dd_status dd_lossless_encode(dd_lossless_work *work, const dd_samples *samples,
                             uint32_t max_error, uint8_t *payload, uint32_t capacity,
                             uint32_t *len);

#endif
