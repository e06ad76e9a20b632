/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_window.h"

#define QUARTER 1.189207115002721 /* 2^(1/4) */

static double scale_value(uint32_t scale_idx) {
  static const double quarters[4] = {1.0, QUARTER, 1.4142135623730951,
                                     1.681792830507429};
  double scale = quarters[scale_idx & 3];
  for (uint32_t i = 0; i < scale_idx >> 2; i++) scale *= 2.0;
  return scale;
}

/* To the nearest integer, halves to the even one. */
static int64_t rounded(double x) {
  int64_t whole = (int64_t)x;
  if ((double)whole > x) whole--;
  double rest = x - (double)whole;
  if (rest > 0.5 || (rest == 0.5 && (whole & 1))) whole++;
  return whole;
}

dd_window_scale dd_measure(const int16_t *samples, uint32_t n, int32_t baseline) {
  dd_window_scale scale = {0, 0};
  int64_t sum = 0;
  uint64_t squares = 0;
  for (uint32_t i = 0; i < n; i++) {
    int64_t x = (int64_t)samples[i] - baseline;
    sum += x;
    squares += (uint64_t)(x * x);
  }
  double mean = (double)sum / n;
  double variance = (double)squares / n - mean * mean;
  /* The variances between scale_idx and the next are 2^((2 scale_idx + 1) / 4). */
  double edge = QUARTER;
  while (scale.scale_idx < DD_N_SCALES - 1 && variance > edge) {
    edge *= 1.4142135623730951;
    scale.scale_idx++;
  }
  scale.offset_idx = rounded(mean / scale_value(scale.scale_idx) * 16.0);
  return scale;
}

float dd_scale_of(const dd_window_scale *scale) {
  return (float)scale_value(scale->scale_idx);
}

float dd_offset_of(const dd_window_scale *scale) {
  return (float)((double)scale->offset_idx * scale_value(scale->scale_idx) / 16.0);
}

/* As `rounded`, for what fits 24 bits. */
static int32_t rounded_float(float x) {
  int32_t whole = (int32_t)x;
  if ((float)whole > x) whole--;
  float rest = x - (float)whole;
  if (rest > 0.5f || (rest == 0.5f && (whole & 1))) whole++;
  return whole;
}

void dd_segment(const dd_window_scale *scale, const int16_t *samples, uint32_t n,
                int32_t baseline, uint32_t idx, int8_t *input) {
  float unit = dd_scale_of(scale), offset = dd_offset_of(scale);
  for (uint32_t i = 0; i < DD_SEGMENT_LEN; i++) {
    uint32_t at = idx * DD_SEGMENT_LEN + i;
    int32_t sample = (int32_t)samples[at < n ? at : n - 1] - baseline;
    float x = ((float)sample - offset) / unit / DD_INPUT_SCALE;
    if (x > 512.0f) x = 512.0f;
    if (x < -512.0f) x = -512.0f;
    int32_t units = rounded_float(x) + DD_INPUT_ZERO;
    input[i] = (int8_t)(units < -128 ? -128 : units > 127 ? 127 : units);
  }
}

int dd_only_lossless_fits(const int16_t *samples, uint32_t n) {
  int is_flat = 1;
  for (uint32_t i = 0; i < n; i++) {
    if (samples[i] == INT16_MIN) return 1;
    if (samples[i] != samples[0]) is_flat = 0;
  }
  return is_flat;
}
