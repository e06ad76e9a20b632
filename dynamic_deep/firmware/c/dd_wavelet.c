/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_wavelet.h"

#include "dd_context.h"

#define N_OCTAVES 6u
#define BLOCK 64u
#define KEPT 0.38f /* 1 less the dead zone's threshold, 0.62 steps */
#define ZERO 0.6f  /* steps; below it no quotient is needed to tell */
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
  float coef = source->coefs[place];
  if (coef < ZERO * source->step && coef > -ZERO * source->step) return 0;
  float size = coef / source->step;
  int is_negative = size < 0.0f;
  size = (is_negative ? -size : size) + KEPT;
  if (size > VALUE_LIMIT) size = VALUE_LIMIT;
  return is_negative ? -(int32_t)size : (int32_t)size;
}

/* Where the channels of a block of 64 lie after the transform: coarse subbands first, in
   each the even places before the odd ones. */
static const uint8_t PLACES[BLOCK] = {
    0, 32, 16, 48, 8, 40, 24, 56, 4, 20, 36, 52, 12, 28, 44, 60, 2, 10, 18, 26, 34, 42,
    50, 58, 6, 14, 22, 30, 38, 46, 54, 62, 1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 41, 45,
    49, 53, 57, 61, 3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63};

typedef struct {
  dd_source values;
  uint32_t n_blocks;
} dd_blocks;

/* Among all values, subband after subband. */
static uint32_t order_of(uint32_t n_blocks, uint32_t step, uint32_t place) {
  uint32_t size = BLOCK / 2, stride = 2;
  if (place == 0) return step;
  while (place % stride == 0) {
    stride *= 2;
    size /= 2;
  }
  return (n_blocks + step) * size + place / stride;
}

static int32_t block_value(const void *source, uint32_t step, uint32_t channel) {
  const dd_blocks *blocks = source;
  uint32_t place = PLACES[channel];
  if (blocks->values.q)
    return blocks->values.q[order_of(blocks->n_blocks, step, place)];
  return value_at(&blocks->values, step * BLOCK + place, 0);
}

static void put_net(const dd_wavelet_level *level, const dd_source *source, uint32_t len,
                    int32_t *work, dd_range_coder *coder) {
  dd_blocks blocks;
  dd_symbols symbols;
  blocks.values = *source;
  blocks.n_blocks = len / BLOCK;
  symbols.net = level->net;
  symbols.work = work;
  symbols.n_channels = BLOCK;
  symbols.limit = level->limit;
  symbols.n_steps = blocks.n_blocks;
  symbols.value_at = block_value;
  symbols.source = &blocks;
  dd_net_encode(&symbols, coder);
}

static void put_subbands(const dd_wavelet_level *level, const dd_source *source,
                         uint32_t len, dd_range_coder *coder) {
  uint32_t order = 0;
  int32_t bound = (int32_t)level->limit;
  for (uint32_t band = 0; band < level->n_bands; band++) {
    const uint16_t *counts = level->counts + band * (2 * level->limit + 2);
    uint32_t octave = band ? N_OCTAVES + 1 - band : N_OCTAVES;
    uint32_t stride = 1u << octave, first = band ? stride / 2 : 0;
    uint32_t n = len >> octave;
    for (uint32_t k = 0; k < n; k++)
      dd_put_value(coder, counts, level->limit,
                   value_at(source, first + k * stride, order + k));
    for (uint32_t k = 0; k < n; k++) {
      int32_t value = value_at(source, first + k * stride, order + k);
      if (value > bound || value < -bound) dd_range_escape(coder, value, level->limit);
    }
    order += n;
  }
}

static dd_status encode(const dd_wavelet_level *level, const dd_window_scale *scale,
                        const dd_source *source, uint32_t len, int32_t *work,
                        uint8_t *payload, uint32_t capacity, uint32_t *n_bytes) {
  dd_range_coder coder;
  *n_bytes = 0;
  if (scale->scale_idx >= DD_N_SCALES || len % BLOCK) return DD_RANGE;
  if (len / BLOCK > DD_MAX_STEPS) return DD_RANGE;
  dd_range_start(&coder, payload, capacity);
  dd_put_scale(&coder, scale);
  if (level->net != NULL)
    put_net(level, source, len, work, &coder);
  else
    put_subbands(level, source, len, &coder);
  return dd_range_finish(&coder, n_bytes);
}

dd_status dd_wavelet_encode(const dd_wavelet_level *level, const dd_window_scale *scale,
                            const float *coefs, uint32_t len, int32_t *work,
                            uint8_t *payload, uint32_t capacity, uint32_t *n_bytes) {
  dd_source source;
  source.coefs = coefs;
  source.q = NULL;
  source.step = level->step;
  return encode(level, scale, &source, len, work, payload, capacity, n_bytes);
}

dd_status dd_wavelet_encode_integers(const dd_wavelet_level *level,
                                     const dd_window_scale *scale, const int32_t *q,
                                     uint32_t len, int32_t *work, uint8_t *payload,
                                     uint32_t capacity, uint32_t *n_bytes) {
  dd_source source;
  source.coefs = NULL;
  source.q = q;
  source.step = 1.0f;
  return encode(level, scale, &source, len, work, payload, capacity, n_bytes);
}
