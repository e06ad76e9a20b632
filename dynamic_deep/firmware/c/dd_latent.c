/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_latent.h"

#include "dd_context.h"

#define CAP 8
#define N_TABLES 36

uint32_t dd_coded_steps(uint32_t n_samples, uint32_t stride) {
  uint32_t n_segments = (n_samples + DD_SEGMENT_LEN - 1) / DD_SEGMENT_LEN;
  uint32_t whole = n_segments * DD_SEGMENT_LEN / stride;
  uint32_t filled = (n_samples + stride - 1) / stride + 1;
  return whole < filled ? whole : filled;
}

void dd_put_value(dd_range_coder *coder, const uint16_t *counts, uint32_t limit,
                  int32_t value) {
  int32_t bound = (int32_t)limit;
  if (value > bound || value < -bound) value = bound + 1;
  dd_range_symbol(coder, counts, 2 * limit + 2, (uint32_t)(value + bound));
}

void dd_put_scale(dd_range_coder *coder, const dd_window_scale *scale) {
  int64_t offset = scale->offset_idx;
  dd_range_symbol(coder, dd_scale_counts, DD_N_SCALES, scale->scale_idx);
  if (offset >= -DD_OFFSET_LIMIT && offset <= DD_OFFSET_LIMIT) {
    dd_put_value(coder, dd_offset_counts, DD_OFFSET_LIMIT, (int32_t)offset);
  } else {
    dd_put_value(coder, dd_offset_counts, DD_OFFSET_LIMIT, DD_OFFSET_LIMIT + 1);
    dd_range_escape(coder, offset, DD_OFFSET_LIMIT);
  }
}

static int32_t capped(int16_t value) {
  int32_t size = value < 0 ? -value : value;
  return size < CAP ? size : CAP;
}

typedef struct {
  const dd_neural_level *level;
  const int16_t *y;
  uint32_t n_steps;
} dd_latent;

/* What the magnitudes of `from` to before `to` at a step add to a channel's scale. */
static int32_t heard(const dd_latent *latent, const int16_t *weights, int64_t step,
                     uint32_t from, uint32_t to, uint32_t channel) {
  int32_t sum = 0;
  uint32_t n = latent->level->n_channels;
  if (step < 0 || step >= (int64_t)latent->n_steps) return 0;
  for (uint32_t f = from; f < to; f++)
    sum += weights[f * n + channel] * capped(latent->y[(uint32_t)step * n + f]);
  return sum;
}

static const uint16_t *table_of(const dd_latent *latent, uint32_t step, uint32_t channel,
                                uint32_t first, uint32_t end) {
  const dd_linear_context *linear = latent->level->linear;
  uint32_t square = latent->level->n_channels * latent->level->n_channels;
  int64_t t = step;
  int32_t sum = linear->bias[channel];
  for (uint32_t d = 0; d < 3; d++)
    sum += heard(latent, linear->earlier + d * square, t + d - 1, 0, first, channel);
  if (step & 1) {
    sum += heard(latent, linear->same, t - 1, first, end, channel);
    sum += heard(latent, linear->same + square, t + 1, first, end, channel);
  }
  int64_t row = dd_floor_shift((int64_t)sum + 320, 4);
  if (row < 0) row = 0;
  if (row >= N_TABLES) row = N_TABLES - 1;
  return linear->counts + (uint32_t)row * (2 * latent->level->limit + 2);
}

static void put_pass(const dd_latent *latent, dd_range_coder *coder, uint32_t parity,
                     uint32_t first, uint32_t end) {
  const dd_neural_level *level = latent->level;
  uint32_t n = level->n_channels;
  int32_t bound = (int32_t)level->limit;
  for (uint32_t t = parity; t < latent->n_steps; t += 2)
    for (uint32_t c = first; c < end; c++)
      dd_put_value(coder, table_of(latent, t, c, first, end), level->limit,
                   latent->y[t * n + c]);
  for (uint32_t t = parity; t < latent->n_steps; t += 2)
    for (uint32_t c = first; c < end; c++) {
      int32_t value = latent->y[t * n + c];
      if (value > bound || value < -bound) dd_range_escape(coder, value, level->limit);
    }
}

static void put_linear(const dd_latent *latent, dd_range_coder *coder) {
  uint32_t n = latent->level->n_channels, n_groups = latent->level->linear->n_groups;
  for (uint32_t g = 0; g < n_groups; g++) {
    uint32_t first = (g * n + n_groups - 1) / n_groups;
    uint32_t end = ((g + 1) * n + n_groups - 1) / n_groups;
    put_pass(latent, coder, 0, first, end);
    put_pass(latent, coder, 1, first, end);
  }
}

static int32_t value_at(const void *source, uint32_t step, uint32_t channel) {
  const dd_latent *latent = source;
  return latent->y[step * latent->level->n_channels + channel];
}

static void put_net(const dd_latent *latent, int32_t *work, dd_range_coder *coder) {
  dd_symbols symbols;
  symbols.work = work;
  symbols.net = latent->level->net;
  symbols.n_channels = latent->level->n_channels;
  symbols.limit = latent->level->limit;
  symbols.n_steps = latent->n_steps;
  symbols.value_at = value_at;
  symbols.source = latent;
  dd_net_encode(&symbols, coder);
}

dd_status dd_neural_encode(const dd_neural_level *level, const dd_window_scale *scale,
                           const int16_t *y, uint32_t n_steps, int32_t *work,
                           uint8_t *payload, uint32_t capacity, uint32_t *len) {
  dd_range_coder coder;
  dd_latent latent;
  *len = 0;
  if (scale->scale_idx >= DD_N_SCALES || n_steps > DD_MAX_STEPS) return DD_RANGE;
  latent.level = level;
  latent.y = y;
  latent.n_steps = n_steps;
  dd_range_start(&coder, payload, capacity);
  dd_put_scale(&coder, scale);
  if (level->net != NULL)
    put_net(&latent, work, &coder);
  else
    put_linear(&latent, &coder);
  return dd_range_finish(&coder, len);
}

void dd_quantize(const dd_neural_level *level, const int8_t *output, uint32_t n,
                 int16_t *y) {
  for (uint32_t i = 0; i < n; i++) {
    int32_t units = output[i] - level->zero;
    uint32_t size = (uint32_t)(units < 0 ? -units : units);
    uint32_t steps = (size * level->factors[i % level->n_channels] + level->offset) >> 20;
    y[i] = (int16_t)(units < 0 ? -(int32_t)steps : (int32_t)steps);
  }
}
