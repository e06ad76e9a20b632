/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_predict.h"

#include "dd_wide.h"

#define FIRST_BLOCK 32u
#define RIDGE ((int64_t)1 << 17)
#define DROPPED_BITS 10u
#define LEAST_PIVOT ((int64_t)128)
#define N_WEIGHTS 4085
#define COEF_LIMIT ((int64_t)1 << 24)

static uint32_t row_of(uint32_t i) { return i * (i + 1) / 2; }

static void weigh(dd_lossless_work *work, uint32_t n, uint32_t shift) {
  int64_t *r = work->errors;
  for (uint32_t i = 0; i < n + 2; i++) r[i] = dd_floor_shift(r[i], shift);
  r[n + 2] = r[n + 3] = r[n + 1]; /* the two after the block aren't known yet */
  for (uint32_t i = 0; i < n; i++) {
    int64_t around = (r[i] + r[i + 1] + r[i + 2] + r[i + 3] + r[i + 4]) >> 2;
    int64_t size = (around < N_WEIGHTS - 1 ? around : N_WEIGHTS - 1) + 12;
    r[i] = ((int64_t)1 << 24) / (size * size);
  }
}

static void accumulate(dd_lossless_work *work, uint32_t n, uint32_t shift) {
  uint32_t forget = n > FIRST_BLOCK ? 5 : 7;
  weigh(work, n, shift);
  for (uint32_t i = 0; i < DD_ORDER + n; i++)
    work->differences[i] = dd_floor_shift(work->differences[i], shift);
  for (uint32_t i = 0; i <= DD_ORDER; i++)
    for (uint32_t j = 0; j <= i; j++) {
      int64_t *moment = &work->moments[row_of(i) + j];
      int64_t sum = *moment - dd_floor_shift(*moment, forget);
      const int64_t *a = work->differences + i, *b = work->differences + j;
      for (uint32_t k = 0; k < n; k++) sum += work->errors[k] * a[k] * b[k];
      *moment = sum;
    }
}

/* LDL^T; the last row, of the target, comes out as the forward substitution. */
static dd_status factor(dd_lossless_work *work) {
  dd_status status = DD_OK;
  for (uint32_t i = 0; i <= DD_ORDER; i++) {
    uint32_t n = i < DD_ORDER ? i : DD_ORDER;
    int64_t *row = work->lower + row_of(i);
    dd_wide left = {0, 0};
    for (uint32_t j = 0; j < n; j++) {
      dd_wide known = {0, 0};
      for (uint32_t k = 0; k < j; k++)
        dd_wide_add_product(&known, work->scaled[k], work->lower[row_of(j) + k]);
      int64_t moment = dd_floor_shift(work->moments[row_of(i) + j], DROPPED_BITS);
      int64_t value = moment - dd_wide_shift_32(&known, &status);
      work->scaled[j] = value;
      row[j] = dd_scaled_quotient(value, (uint64_t)work->pivots[j], &status);
      if (status != DD_OK) return status;
      dd_wide_add_product(&left, value, row[j]);
    }
    int64_t moment = work->moments[row_of(i) + i] + RIDGE;
    int64_t pivot =
        dd_floor_shift(moment, DROPPED_BITS) - dd_wide_shift_32(&left, &status);
    work->pivots[i] = pivot > LEAST_PIVOT ? pivot : LEAST_PIVOT;
  }
  return status;
}

static dd_status substitute(dd_lossless_work *work) {
  dd_status status = DD_OK;
  int64_t *coefs = work->lower + row_of(DD_ORDER);
  for (uint32_t i = DD_ORDER - 1; i-- > 0;) {
    dd_wide known = {0, 0};
    for (uint32_t k = i + 1; k < DD_ORDER; k++)
      dd_wide_add_product(&known, work->lower[row_of(k) + i], coefs[k]);
    coefs[i] -= dd_wide_shift_32(&known, &status);
  }
  for (uint32_t i = 0; i < DD_ORDER; i++) {
    int64_t coef = dd_floor_shift(coefs[i] + 2048, 12);
    if (coef > COEF_LIMIT) coef = COEF_LIMIT;
    if (coef < -COEF_LIMIT) coef = -COEF_LIMIT;
    work->coefs[i] = (int32_t)coef;
  }
  return status;
}

dd_status dd_predict_update(dd_lossless_work *work, uint32_t n, uint32_t shift) {
  accumulate(work, n, shift);
  dd_status status = factor(work);
  return status == DD_OK ? substitute(work) : status;
}
