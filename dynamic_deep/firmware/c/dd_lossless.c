/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_lossless.h"

#include "dd_predict.h"

#define MAX_SAMPLES (1u << 20)
#define MAX_ERROR ((1u << 30) - 1)
#define MAX_SHIFT 24u
#define CLIP 32767
#define MAX_SYMBOL 47
#define N_FIRST 512u
#define FIRST_BLOCK 32u
#define N_PROBED 1024u
#define FINE_MIN (-((int64_t)1 << 35))
#define FINE_MAX ((((int64_t)1 << 31) - 1) * 16)

typedef struct {
  uint32_t table, dropped;
} dd_context;

static void put_number(dd_range_coder *coder, uint64_t value) {
  uint32_t n_bits = dd_bit_length(value), n_low = n_bits < 32 ? n_bits : 32;
  dd_range_bits(coder, n_bits, 6);
  dd_range_bits(coder, (uint32_t)value, n_low);
  dd_range_bits(coder, (uint32_t)(value >> 32), n_bits - n_low);
}

static dd_context next_context(dd_lossless_work *work, const int32_t *weights,
                               int64_t step, int64_t error, int64_t difference) {
  static const int8_t rates[4] = {1, 3, 1, 3};
  static const int8_t edges[5] = {-97, -55, -21, 17, 54};
  int64_t sizes[2], largest = 0, level = weights[4];
  int32_t logs[4];
  dd_context context = {0, 0};
  sizes[0] = error * 16 / step;
  sizes[1] = difference * 256 / step;
  for (uint32_t k = 0; k < 4; k++) {
    int64_t *mean = &work->means[k];
    *mean += dd_floor_shift(sizes[k / 2] - *mean, (uint32_t)rates[k]);
    if (*mean > largest) largest = *mean;
  }
  uint32_t n_bits = dd_bit_length((uint64_t)largest);
  uint32_t octaves = n_bits > 16 ? n_bits - 16 : 0;
  for (uint32_t k = 0; k < 4; k++) {
    logs[k] = dd_logs[work->means[k] >> (4 + octaves)];
    level += (int64_t)weights[k] * logs[k];
  }
  level = dd_floor_shift(level, 10) + 3 * (int64_t)octaves;
  if (level >= 15) {
    int64_t dropped = (level - 15) / 3 + 1;
    level -= 3 * dropped;
    context.dropped = (uint32_t)(dropped < 24 ? dropped : 24);
  }
  if (level < 0) level = 0;
  uint32_t trend = 0;
  while (trend < 5 && edges[trend] <= logs[0] - logs[1]) trend++;
  context.table = ((uint32_t)level * 6 + trend) * 3;
  return context;
}

static void put_error(dd_range_coder *coder, const uint16_t *counts, int64_t error,
                      uint32_t dropped) {
  int64_t kept = dd_floor_shift(error, dropped);
  if (kept >= -MAX_SYMBOL && kept <= MAX_SYMBOL) {
    dd_range_symbol(coder, counts, DD_N_ERRORS, (uint32_t)(kept + MAX_SYMBOL));
  } else {
    dd_range_symbol(coder, counts, DD_N_ERRORS, DD_N_ERRORS - 1);
    dd_range_bits(coder, kept < 0 ? 1u : 0u, 1);
    put_number(coder, dd_magnitude(kept) - MAX_SYMBOL - 1);
  }
  uint64_t mask = ((uint64_t)1 << dropped) - 1;
  dd_range_bits(coder, (uint32_t)((uint64_t)error & mask), dropped);
}

/* The prior that predicts the first seconds best, and the bits that the statistics
   lose. Only the bit lengths of the median error and of a difference that a hundredth
   exceeds count, so that nothing need be sorted. */
static uint32_t choose_profile(const dd_samples *samples, int64_t *past,
                               uint32_t *shift) {
  uint32_t profile = 0, n = samples->n - 1, lengths[40] = {0};
  uint32_t n_probed = n < N_PROBED ? n : N_PROBED;
  uint64_t best = UINT64_MAX;
  uint32_t median_bits = 0, large_bits = 0, seen = 0;
  *shift = 0;
  if (n == 0) return 0;
  for (uint32_t p = 0; p < DD_N_PROFILES; p++) {
    uint32_t bins[72] = {0};
    uint64_t cost = 0;
    for (uint32_t k = 0; k < DD_ORDER; k++) past[k] = 0;
    for (uint32_t i = 0; i < n_probed; i++) {
      int64_t sum = 0;
      int64_t moved = (int64_t)dd_sample(samples, i + 1) - dd_sample(samples, i);
      for (uint32_t k = 0; k < DD_ORDER; k++) sum += dd_prior_coefs[p][k] * past[k];
      uint64_t error = dd_magnitude(moved - dd_floor_shift(sum, 20));
      cost += dd_bit_length(4 * error + 1);
      bins[dd_bit_length(error)]++;
      for (uint32_t k = 0; k + 1 < DD_ORDER; k++) past[k] = past[k + 1];
      past[DD_ORDER - 1] = moved;
    }
    if (cost >= best) continue;
    best = cost;
    profile = p;
    median_bits = 0;
    for (seen = bins[0]; seen <= n_probed / 2; seen += bins[median_bits]) median_bits++;
  }
  for (uint32_t i = 0; i < n; i++)
    lengths[dd_bit_length(
        dd_magnitude((int64_t)dd_sample(samples, i + 1) - dd_sample(samples, i)))]++;
  for (seen = lengths[0]; seen <= (uint32_t)((uint64_t)n * 99 / 100);
       seen += lengths[large_bits])
    large_bits++;
  if (large_bits > 13) *shift = large_bits - 13;
  if (median_bits > 6 && median_bits - 6 > *shift) *shift = median_bits - 6;
  if (*shift > MAX_SHIFT) *shift = MAX_SHIFT;
  return profile;
}

static void put_header(dd_range_coder *coder, uint32_t profile, uint32_t max_error,
                       uint32_t shift, int32_t first) {
  dd_range_bits(coder, profile, 1);
  dd_range_bits(coder, max_error ? 1u : 0u, 1);
  if (max_error) put_number(coder, max_error);
  dd_range_bits(coder, shift ? 1u : 0u, 1);
  if (shift) dd_range_bits(coder, shift, 5);
  dd_range_bits(coder, first < 0 ? 1u : 0u, 1);
  put_number(coder, dd_magnitude(first));
}

static int64_t clipped(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

typedef struct {
  const uint16_t (*counts)[DD_N_ERRORS];
  const int32_t *weights;
  int64_t step, limit, last;
  uint32_t max_error;
  dd_context context;
} dd_loop;

/* One sample: predict, code the error, and follow what the decoder will see. */
static void put_sample(dd_lossless_work *work, dd_loop *loop, dd_range_coder *coder,
                       int64_t target, uint32_t at) {
  static const uint8_t nearness[9] = {0, 0, 1, 1, 1, 2, 2, 2, 2};
  int64_t sum = 0;
  for (uint32_t k = 0; k < DD_ORDER; k++)
    sum += work->coefs[k] * work->differences[at + k];
  int64_t fine = loop->last * 16 + dd_floor_shift(sum, 16);
  fine = clipped(fine, FINE_MIN, FINE_MAX);
  int64_t base = dd_floor_shift(fine + 8, 4), lean = fine - base * 16;
  int64_t error = target - base;
  if (loop->max_error) {
    int64_t size = (int64_t)(dd_magnitude(error) + loop->max_error) / loop->step;
    error = error >= 0 ? size : -size;
  }
  if (lean < 0) error = -error;
  uint32_t table = loop->context.table + nearness[(lean < 0 ? -lean : lean) / loop->step];
  put_error(coder, loop->counts[table], error, loop->context.dropped);
  int64_t value = base + (lean >= 0 ? loop->step : -loop->step) * error;
  value = clipped(value, INT32_MIN, INT32_MAX);
  int64_t moved = value - loop->last;
  int64_t size = (int64_t)dd_magnitude(value * 16 - fine);
  loop->context = next_context(work, loop->weights, loop->step, size,
                               (int64_t)dd_magnitude(moved));
  work->differences[at + DD_ORDER] = clipped(moved, -loop->limit, loop->limit);
  work->errors[at + 2] = size;
  loop->last = value;
}

static dd_status run(dd_lossless_work *work, dd_loop *loop, dd_range_coder *coder,
                     const dd_samples *samples, uint32_t shift) {
  uint32_t n = samples->n - 1, start = 0;
  int64_t kept[DD_ORDER], last_errors[2] = {0, 0};
  for (uint32_t k = 0; k < DD_ORDER; k++) kept[k] = 0;
  while (start < n) {
    uint32_t size = start < N_FIRST ? FIRST_BLOCK : DD_BLOCK;
    uint32_t end = start < N_FIRST && n > N_FIRST ? N_FIRST : n;
    if (end - start < size) size = end - start;
    for (uint32_t k = 0; k < DD_ORDER; k++) work->differences[k] = kept[k];
    work->errors[0] = last_errors[0];
    work->errors[1] = last_errors[1];
    for (uint32_t i = 0; i < size; i++)
      put_sample(work, loop, coder, dd_sample(samples, start + i + 1), i);
    start += size;
    if (start == n) break;
    /* The update shifts both in place; the next block wants them whole. */
    for (uint32_t k = 0; k < DD_ORDER; k++) kept[k] = work->differences[size + k];
    last_errors[0] = work->errors[size];
    last_errors[1] = work->errors[size + 1];
    dd_status status = dd_predict_update(work, size, shift);
    if (status != DD_OK) return status;
  }
  return DD_OK;
}

dd_status dd_lossless_encode(dd_lossless_work *work, const dd_samples *samples,
                             uint32_t max_error, uint8_t *payload, uint32_t capacity,
                             uint32_t *len) {
  dd_range_coder coder;
  dd_loop loop;
  uint32_t shift;
  *len = 0;
  if (samples->n < 1 || samples->n > MAX_SAMPLES || max_error > MAX_ERROR)
    return DD_RANGE;
#ifdef DD_NO_NEAR_LOSSLESS
  if (max_error) return DD_RANGE;
#endif
  uint32_t profile = choose_profile(samples, work->differences, &shift);
  int32_t first = dd_sample(samples, 0);
  dd_range_start(&coder, payload, capacity);
  put_header(&coder, profile, max_error, shift, first);
  loop.counts = dd_error_counts[profile];
#ifndef DD_NO_NEAR_LOSSLESS
  if (max_error) loop.counts = dd_near_counts[profile];
#endif
  loop.weights = dd_scale_coefs[profile];
  loop.step = 2 * (int64_t)max_error + 1;
  loop.limit = (int64_t)CLIP << shift;
  loop.last = first;
  loop.max_error = max_error;
  for (uint32_t k = 0; k < DD_N_MOMENTS; k++) work->moments[k] = dd_priors[profile][k];
  for (uint32_t k = 0; k < DD_ORDER; k++) work->coefs[k] = dd_prior_coefs[profile][k];
  for (uint32_t k = 0; k < 4; k++) work->means[k] = 512;
  loop.context = next_context(work, loop.weights, loop.step, 32, 2);
  dd_status status = run(work, &loop, &coder, samples, shift);
  if (status != DD_OK) return status;
  return dd_range_finish(&coder, len);
}
