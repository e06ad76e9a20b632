/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_context.h"

#include "dd_latent.h"

#define CAP 8
#define N_TABLES 36
#define N_SIGNS 16
#define N_CLASSES 4
#define MAX_HIDDEN 64
#define HIDDEN_CAP 255
#define ROW_BITS 10

static int32_t capped(int16_t value) {
  int32_t size = value < 0 ? -value : value;
  return size < CAP ? size : CAP;
}

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
  const dd_linear_context *context = latent->level->linear;
  uint32_t square = latent->level->n_channels * latent->level->n_channels;
  int64_t t = step;
  int32_t sum = context->bias[channel];
  for (uint32_t d = 0; d < 3; d++)
    sum += heard(latent, context->earlier + d * square, t + d - 1, 0, first, channel);
  if (step & 1) {
    sum += heard(latent, context->same, t - 1, first, end, channel);
    sum += heard(latent, context->same + square, t + 1, first, end, channel);
  }
  int64_t row = dd_floor_shift((int64_t)sum + 320, 4);
  if (row < 0) row = 0;
  if (row >= N_TABLES) row = N_TABLES - 1;
  return context->counts + (uint32_t)row * (2 * latent->level->limit + 2);
}

void dd_linear_pass(const dd_latent *latent, dd_range_coder *coder, uint32_t parity,
                    uint32_t first, uint32_t end) {
  uint32_t n = latent->level->n_channels;
  for (uint32_t t = parity; t < latent->n_steps; t += 2)
    for (uint32_t c = first; c < end; c++)
      dd_put_value(coder, table_of(latent, t, c, first, end), latent->level->limit,
                   latent->y[t * n + c]);
}

/* -2 and less, -1, 1, 2 and more; the value is not 0. */
static uint32_t class_of(int32_t value) {
  if (value < 0) return value < -1 ? 0u : 1u;
  return value > 1 ? 3u : 2u;
}

/* What is heard at a step of the channels before `end`, by one tap. */
static void hear_tap(const dd_latent *latent, uint32_t tap, uint32_t step, uint32_t end,
                     int32_t *row) {
  const dd_context_net *net = latent->level->net;
  uint32_t n = latent->level->n_channels;
  const int16_t *values = latent->y + step * n;
  for (uint32_t c = 0; c < end; c++) {
    if (values[c] == 0) continue;
    uint32_t at = (tap * n + c) * N_CLASSES + class_of(values[c]);
    const int8_t *said = net->near + at * net->n_hidden;
    for (uint32_t j = 0; j < net->n_hidden; j++) row[j] += said[j];
  }
}

/* The hidden row of a step at a pass: [n_hidden], each from 0 to HIDDEN_CAP. */
static void hear(const dd_latent *latent, uint32_t group, uint32_t step, uint32_t first,
                 uint32_t end, int32_t *row) {
  const dd_context_net *net = latent->level->net;
  const int16_t *start = net->first + (2 * group + (step & 1)) * net->n_hidden;
  for (uint32_t j = 0; j < net->n_hidden; j++) row[j] = start[j];
  for (uint32_t tap = 0; tap < net->n_taps; tap++) {
    int64_t at = (int64_t)step + tap - net->n_taps / 2;
    if (at < 0 || at >= (int64_t)latent->n_steps) continue;
    /* Of its own group an odd step knows the even ones. */
    uint32_t known = (step & 1) && !(at & 1) ? end : first;
    hear_tap(latent, tap, (uint32_t)at, known, row);
  }
  for (uint32_t j = 0; j < net->n_hidden; j++) {
    if (row[j] < 0) row[j] = 0;
    if (row[j] > HIDDEN_CAP) row[j] = HIDDEN_CAP;
  }
}

/* kind: 0 for the table of a magnitude, 1 for that of a sign, counted from -8. */
static int64_t index_of(const dd_latent *latent, const int32_t *row, uint32_t parity,
                        uint32_t channel, uint32_t kind) {
  const dd_context_net *net = latent->level->net;
  uint32_t n = latent->level->n_channels;
  int32_t sum = net->out_bias[(parity * n + channel) * 2 + kind];
  const int8_t *out = net->out + (parity * net->n_hidden * n + channel) * 2 + kind;
  for (uint32_t j = 0; j < net->n_hidden; j++) sum += row[j] * out[j * n * 2];
  return dd_floor_shift(sum, ROW_BITS);
}

static uint32_t within(int64_t index, uint32_t n) {
  if (index < 0) return 0;
  return index < (int64_t)n ? (uint32_t)index : n - 1;
}

static uint32_t size_of(int16_t value) {
  return (uint32_t)(value < 0 ? -value : value);
}

static void put_size(const dd_latent *latent, dd_range_coder *coder, const int32_t *row,
                     uint32_t step, uint32_t channel) {
  uint32_t limit = latent->level->limit;
  uint32_t size = size_of(latent->y[step * latent->level->n_channels + channel]);
  int64_t index = index_of(latent, row, step & 1, channel, 0);
  const uint16_t *counts =
      latent->level->net->magnitudes + within(index, N_TABLES) * (limit + 2);
  dd_range_symbol(coder, counts, limit + 2, size > limit ? limit + 1 : size);
}

static void put_sign(const dd_latent *latent, dd_range_coder *coder, const int32_t *row,
                     uint32_t step, uint32_t channel) {
  int16_t value = latent->y[step * latent->level->n_channels + channel];
  if (value == 0 || size_of(value) > latent->level->limit) return;
  int64_t index = index_of(latent, row, step & 1, channel, 1) + N_SIGNS / 2;
  dd_range_symbol(coder, latent->level->net->signs + within(index, N_SIGNS) * 2, 2,
                  value > 0);
}

void dd_net_pass(const dd_latent *latent, dd_range_coder *coder, uint32_t group,
                 uint32_t parity, uint32_t first, uint32_t end) {
  int32_t row[MAX_HIDDEN];
  for (uint32_t t = parity; t < latent->n_steps; t += 2) {
    hear(latent, group, t, first, end, row);
    for (uint32_t c = first; c < end; c++) put_size(latent, coder, row, t, c);
  }
  for (uint32_t t = parity; t < latent->n_steps; t += 2) {
    const int16_t *values = latent->y + t * latent->level->n_channels;
    uint32_t c = first;
    while (c < end && values[c] == 0) c++;
    if (c == end) continue; /* no sign to be coded */
    hear(latent, group, t, first, end, row);
    for (; c < end; c++) put_sign(latent, coder, row, t, c);
  }
}
