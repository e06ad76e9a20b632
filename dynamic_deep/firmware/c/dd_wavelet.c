/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_wavelet.h"

#define N_OCTAVES 6u
#define BLOCK 64u
#define KEPT 0.38f /* 1 less the dead zone's threshold, 0.62 steps */
#define VALUE_LIMIT 1073741824.0f

uint32_t dd_wavelet_len(uint32_t n_samples) {
  return (n_samples + BLOCK - 1) / BLOCK * BLOCK;
}

/* Adds to every second value a multiple of its neighbours, around the ends. */
static void lift(float *x, uint32_t n, uint32_t stride, uint32_t first, float factor) {
  for (uint32_t k = first; k < n; k += 2) {
    uint32_t before = k == 0 ? n - 1 : k - 1, after = k + 1 == n ? 0 : k + 1;
    x[k * stride] += factor * (x[before * stride] + x[after * stride]);
  }
}

void dd_wavelet_transform(float *x, uint32_t n) {
  uint32_t len = dd_wavelet_len(n);
  for (uint32_t i = n; i < len; i++) x[i] = x[n - 1];
  for (uint32_t octave = 0; octave < N_OCTAVES; octave++) {
    uint32_t stride = 1u << octave, size = len >> octave;
    lift(x, size, stride, 1, -1.586134342059924f);
    lift(x, size, stride, 0, -0.052980118572961f);
    lift(x, size, stride, 1, 0.882911075530934f);
    lift(x, size, stride, 0, 0.443506852043971f);
    for (uint32_t k = 0; k < size; k += 2) {
      x[k * stride] *= 1.149604398860241f;
      x[(k + 1) * stride] *= -0.869864451624781f;
    }
  }
}

typedef struct {
  const float *coefs; /* one of the two is NULL */
  const int32_t *q;
  float step;
} dd_source;

static int32_t value_at(const dd_source *source, uint32_t place, uint32_t order) {
  if (source->q) return source->q[order];
  float size = source->coefs[place] / source->step;
  int is_negative = size < 0.0f;
  size = (is_negative ? -size : size) + KEPT;
  if (size > VALUE_LIMIT) size = VALUE_LIMIT;
  return is_negative ? -(int32_t)size : (int32_t)size;
}

static dd_status encode(const dd_wavelet_level *level, const dd_window_scale *scale,
                        const dd_source *source, uint32_t len, uint8_t *payload,
                        uint32_t capacity, uint32_t *n_bytes) {
  dd_range_coder coder;
  uint32_t order = 0;
  int32_t bound = (int32_t)level->limit;
  *n_bytes = 0;
  if (scale->scale_idx >= DD_N_SCALES || len % BLOCK) return DD_RANGE;
  dd_range_start(&coder, payload, capacity);
  dd_put_scale(&coder, scale);
  for (uint32_t band = 0; band < level->n_bands; band++) {
    const uint16_t *counts = level->counts + band * (2 * level->limit + 2);
    uint32_t octave = band ? N_OCTAVES + 1 - band : N_OCTAVES;
    uint32_t stride = 1u << octave, first = band ? stride / 2 : 0;
    uint32_t n = len >> octave;
    for (uint32_t k = 0; k < n; k++)
      dd_put_value(&coder, counts, level->limit,
                   value_at(source, first + k * stride, order + k));
    for (uint32_t k = 0; k < n; k++) {
      int32_t value = value_at(source, first + k * stride, order + k);
      if (value > bound || value < -bound) dd_range_escape(&coder, value, level->limit);
    }
    order += n;
  }
  return dd_range_finish(&coder, n_bytes);
}

dd_status dd_wavelet_encode(const dd_wavelet_level *level, const dd_window_scale *scale,
                            const float *coefs, uint32_t len, uint8_t *payload,
                            uint32_t capacity, uint32_t *n_bytes) {
  dd_source source;
  source.coefs = coefs;
  source.q = NULL;
  source.step = level->step;
  return encode(level, scale, &source, len, payload, capacity, n_bytes);
}

dd_status dd_wavelet_encode_integers(const dd_wavelet_level *level,
                                     const dd_window_scale *scale, const int32_t *q,
                                     uint32_t len, uint8_t *payload, uint32_t capacity,
                                     uint32_t *n_bytes) {
  dd_source source;
  source.coefs = NULL;
  source.q = q;
  source.step = 1.0f;
  return encode(level, scale, &source, len, payload, capacity, n_bytes);
}
