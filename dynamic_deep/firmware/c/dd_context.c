/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_context.h"

#define N_TABLES 36
#define N_SIGNS 16
#define MAX_HIDDEN 64
#define HIDDEN_CAP 255
#define ROW_BITS 10

/* Channels of a group, at even or odd steps. */
typedef struct {
  uint32_t group, parity, first, end;
} dd_pass;

static uint32_t size_of(int32_t value) {
  return (uint32_t)(value < 0 ? -value : value);
}

/* By the bits of the magnitude, the last class open; the value is not 0. */
static uint32_t class_of(int32_t value, uint32_t n_sizes) {
  uint32_t size = 0;
  for (uint32_t rest = size_of(value); rest && size < n_sizes; rest >>= 1) size++;
  return value < 0 ? n_sizes - size : n_sizes + size - 1;
}

/* Adds what the symbols of a pass say to the rows about them. Row r of the map is that
   of step r - n_taps / 2. */
static void hear(const dd_symbols *symbols, const dd_pass *pass) {
  const dd_context_net *net = symbols->net;
  uint32_t n_hidden = net->n_hidden, n_classes = 2 * net->n_sizes;
  for (uint32_t t = pass->parity; t < symbols->n_steps; t += 2)
    for (uint32_t c = pass->first; c < pass->end; c++) {
      int32_t value = symbols->value_at(symbols->source, t, c);
      if (value == 0) continue;
      uint32_t kind = class_of(value, net->n_sizes);
      for (uint32_t tap = 0; tap < net->n_taps; tap++) {
        uint32_t at = (tap * symbols->n_channels + c) * n_classes + kind;
        int32_t *row = symbols->work + (t + net->n_taps - 1 - tap) * n_hidden;
        for (uint32_t j = 0; j < n_hidden; j++) row[j] += net->near[at * n_hidden + j];
      }
    }
}

/* The hidden row of a step at a pass: [n_hidden], each from 0 to HIDDEN_CAP. */
static void row_of(const dd_symbols *symbols, const dd_pass *pass, uint32_t step,
                   int32_t *row) {
  const dd_context_net *net = symbols->net;
  const int16_t *start = net->first + (2 * pass->group + pass->parity) * net->n_hidden;
  const int32_t *heard = symbols->work + (step + net->n_taps / 2) * net->n_hidden;
  for (uint32_t j = 0; j < net->n_hidden; j++) {
    row[j] = heard[j] + start[j];
    if (row[j] < 0) row[j] = 0;
    if (row[j] > HIDDEN_CAP) row[j] = HIDDEN_CAP;
  }
}

/* kind: 0 for the table of a magnitude, 1 for that of a sign, counted from -8. */
static int64_t index_of(const dd_symbols *symbols, const int32_t *row, uint32_t parity,
                        uint32_t channel, uint32_t kind) {
  const dd_context_net *net = symbols->net;
  uint32_t n = symbols->n_channels;
  int32_t sum = net->out_bias[(parity * n + channel) * 2 + kind];
  const int8_t *out = net->out + (parity * net->n_hidden * n + channel) * 2 + kind;
  for (uint32_t j = 0; j < net->n_hidden; j++) sum += row[j] * out[j * n * 2];
  return dd_floor_shift(sum, ROW_BITS);
}

static uint32_t within(int64_t index, uint32_t n) {
  if (index < 0) return 0;
  return index < (int64_t)n ? (uint32_t)index : n - 1;
}

static void put_sizes(const dd_symbols *symbols, dd_range_coder *coder,
                      const dd_pass *pass) {
  int32_t row[MAX_HIDDEN];
  uint32_t limit = symbols->limit;
  for (uint32_t t = pass->parity; t < symbols->n_steps; t += 2) {
    row_of(symbols, pass, t, row);
    for (uint32_t c = pass->first; c < pass->end; c++) {
      uint32_t size = size_of(symbols->value_at(symbols->source, t, c));
      uint32_t table = within(index_of(symbols, row, pass->parity, c, 0), N_TABLES);
      dd_range_symbol(coder, symbols->net->magnitudes + table * (limit + 2), limit + 2,
                      size > limit ? limit + 1 : size);
    }
  }
}

static void put_signs(const dd_symbols *symbols, dd_range_coder *coder,
                      const dd_pass *pass) {
  int32_t row[MAX_HIDDEN];
  for (uint32_t t = pass->parity; t < symbols->n_steps; t += 2) {
    int has_row = 0; /* most steps have no sign to be coded */
    for (uint32_t c = pass->first; c < pass->end; c++) {
      int32_t value = symbols->value_at(symbols->source, t, c);
      if (value == 0 || size_of(value) > symbols->limit) continue;
      if (!has_row) row_of(symbols, pass, t, row);
      has_row = 1;
      int64_t index = index_of(symbols, row, pass->parity, c, 1) + N_SIGNS / 2;
      dd_range_symbol(coder, symbols->net->signs + within(index, N_SIGNS) * 2, 2,
                      value > 0);
    }
  }
}

static void put_escapes(const dd_symbols *symbols, dd_range_coder *coder,
                        const dd_pass *pass) {
  for (uint32_t t = pass->parity; t < symbols->n_steps; t += 2)
    for (uint32_t c = pass->first; c < pass->end; c++) {
      int32_t value = symbols->value_at(symbols->source, t, c);
      if (size_of(value) > symbols->limit) dd_range_escape(coder, value, symbols->limit);
    }
}

void dd_net_encode(const dd_symbols *symbols, dd_range_coder *coder) {
  dd_pass pass;
  const dd_context_net *net = symbols->net;
  uint32_t n_rows = symbols->n_steps + net->n_taps - 1;
  for (uint32_t i = 0; i < n_rows * net->n_hidden; i++) symbols->work[i] = 0;
  for (pass.group = 0; pass.group < net->n_groups; pass.group++) {
    pass.first = (uint32_t)net->bounds[pass.group];
    pass.end = (uint32_t)net->bounds[pass.group + 1];
    for (pass.parity = 0; pass.parity < 2; pass.parity++) {
      put_sizes(symbols, coder, &pass);
      put_signs(symbols, coder, &pass);
      put_escapes(symbols, coder, &pass);
      hear(symbols, &pass);
    }
  }
}
