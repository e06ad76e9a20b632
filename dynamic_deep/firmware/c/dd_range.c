/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_range.h"

#define TABLE_BITS 16u
#define PRECISION 24u

void dd_range_start(dd_range_coder *coder, uint8_t *out, uint32_t capacity) {
  coder->low = 0;
  coder->range = UINT64_MAX;
  coder->out = out;
  coder->len = 0;
  coder->capacity = capacity;
  coder->status = DD_OK;
}

/* One more at the end of the bytes written. The interval never leaves [0, 1), so a
   carry never runs out of the first byte. */
static void carry(dd_range_coder *coder) {
  uint32_t at = coder->len;
  while (at > 0 && ++coder->out[--at] == 0) {
  }
}

static void narrow(dd_range_coder *coder, uint32_t left, uint32_t width) {
  if (coder->status != DD_OK) return;
  uint64_t unit = coder->range >> PRECISION;
  uint64_t low = coder->low + unit * left;
  if (low < coder->low) carry(coder);
  coder->low = low;
  coder->range = unit * width;
  if (coder->range >> 32) return;
  if (coder->capacity - coder->len < 4) {
    coder->status = DD_FULL;
    return;
  }
  for (uint32_t shift = 64; shift > 32; shift -= 8)
    coder->out[coder->len++] = (uint8_t)(coder->low >> (shift - 8));
  coder->low <<= 32;
  coder->range <<= 32;
}

static uint32_t left_of(uint32_t sum, uint32_t n, uint32_t symbol) {
  uint64_t share = (uint64_t)sum * ((1u << PRECISION) - n);
  return (uint32_t)(share >> TABLE_BITS) + symbol;
}

void dd_range_symbol(dd_range_coder *coder, const uint16_t *counts, uint32_t n,
                     uint32_t symbol) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < symbol; i++) sum += counts[i];
  uint32_t left = left_of(sum, n, symbol);
  uint32_t right = left_of(sum + counts[symbol], n, symbol + 1);
  narrow(coder, left, right - left);
}

void dd_range_bits(dd_range_coder *coder, uint32_t value, uint32_t n_bits) {
  while (n_bits > 0) {
    uint32_t width = n_bits < 8 ? n_bits : 8;
    uint32_t n = 1u << width, symbol = value & (n - 1);
    uint32_t count = (1u << TABLE_BITS) >> width;
    uint32_t left = left_of(symbol * count, n, symbol);
    narrow(coder, left, left_of((symbol + 1) * count, n, symbol + 1) - left);
    value >>= width;
    n_bits -= width;
  }
}

void dd_range_escape(dd_range_coder *coder, int64_t value, uint32_t limit) {
  uint64_t excess = dd_magnitude(value) - limit;
  uint32_t n_bits = dd_bit_length(excess);
  uint32_t n_low = n_bits < 16 ? n_bits : 16;
  dd_range_bits(coder, (value < 0 ? 1u : 0u) | n_bits << 1, 7);
  dd_range_bits(coder, (uint32_t)(excess & 0xFFFF), n_low);
  dd_range_bits(coder, (uint32_t)(excess >> 16), n_bits - n_low);
}

dd_status dd_range_finish(dd_range_coder *coder, uint32_t *len) {
  *len = 0;
  if (coder->status != DD_OK) return coder->status;
  uint32_t kept;
  uint64_t up = 0; /* from low to the first fraction of so few bytes */
  for (kept = 0; kept < 8; kept++) {
    uint64_t mask = UINT64_MAX >> (8 * kept);
    up = (~coder->low + 1u) & mask;
    if (kept == 0 && coder->low == 0) up = 0;
    if (up < coder->range) break;
  }
  if (kept == 8) up = 0;
  uint64_t point = coder->low + up;
  if (point < coder->low) carry(coder);
  if (coder->capacity - coder->len < kept) return coder->status = DD_FULL;
  for (uint32_t i = 0; i < kept; i++)
    coder->out[coder->len++] = (uint8_t)(point >> (56 - 8 * i));
  while (coder->len > 0 && coder->out[coder->len - 1] == 0) coder->len--;
  *len = coder->len;
  return DD_OK;
}
