/* SPDX-License-Identifier: Apache-2.0 */
/* The range coder (docs/format.md, "Range coder"): symbols in, the fewest bytes out. */
#ifndef DD_RANGE_H
#define DD_RANGE_H

#include "dd_types.h"

typedef struct {
  uint64_t low, range;
  uint8_t *out;
  uint32_t len, capacity;
  dd_status status; /* DD_FULL once the buffer was too small: the message is lost */
} dd_range_coder;

/* capacity: of `out`; a message needs up to 8 bytes more than it comes to. */
void dd_range_start(dd_range_coder *coder, uint8_t *out, uint32_t capacity);

/* counts: a table of n integers that sum to 65,536. */
void dd_range_symbol(dd_range_coder *coder, const uint16_t *counts, uint32_t n,
                     uint32_t symbol);

/* n_bits: 0 to 32 of `value`, the lowest ones. */
void dd_range_bits(dd_range_coder *coder, uint32_t value, uint32_t n_bits);

/* The integers that lie outside of a table: |value| > limit. */
void dd_range_escape(dd_range_coder *coder, int64_t value, uint32_t limit);

/* Ends the message; *len becomes its bytes. */
dd_status dd_range_finish(dd_range_coder *coder, uint32_t *len);

#endif
