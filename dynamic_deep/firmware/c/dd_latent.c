/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_latent.h"

#include "dd_context.h"

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

/* Values without a symbol of their own follow their pass. */
static void put_escapes(const dd_latent *latent, dd_range_coder *coder, uint32_t parity,
                        uint32_t first, uint32_t end) {
  uint32_t n = latent->level->n_channels;
  int32_t bound = (int32_t)latent->level->limit;
  for (uint32_t t = parity; t < latent->n_steps; t += 2)
    for (uint32_t c = first; c < end; c++) {
      int32_t value = latent->y[t * n + c];
      if (value > bound || value < -bound)
        dd_range_escape(coder, value, latent->level->limit);
    }
}

dd_status dd_neural_encode(const dd_neural_level *level, const dd_window_scale *scale,
                           const int16_t *y, uint32_t n_steps, uint8_t *payload,
                           uint32_t capacity, uint32_t *len) {
  dd_range_coder coder;
  dd_latent latent;
  uint32_t n = level->n_channels, n_groups = level->n_groups, number = 0;
  *len = 0;
  if (scale->scale_idx >= DD_N_SCALES) return DD_RANGE;
  latent.level = level;
  latent.y = y;
  latent.n_steps = n_steps;
  dd_range_start(&coder, payload, capacity);
  dd_put_scale(&coder, scale);
  for (uint32_t g = 0; g < n_groups; g++) {
    uint32_t first = (g * n + n_groups - 1) / n_groups;
    uint32_t end = ((g + 1) * n + n_groups - 1) / n_groups;
    if (first == end) continue;
    for (uint32_t parity = 0; parity < 2; parity++) {
      if (level->net != NULL)
        dd_net_pass(&latent, &coder, number, parity, first, end);
      else
        dd_linear_pass(&latent, &coder, parity, first, end);
      put_escapes(&latent, &coder, parity, first, end);
    }
    number++;
  }
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
