/* SPDX-License-Identifier: Apache-2.0 */
/* Symbols by tables that a context network chooses from those before. */
#ifndef DD_CONTEXT_H
#define DD_CONTEXT_H

#include "dd_levels.h"
#include "dd_range.h"

/* Integers in steps and channels.

   work: the hidden map, DD_NET_WORK values; whatever is in it is overwritten. */
typedef struct {
  const dd_context_net *net;
  int32_t *work;
  uint32_t n_channels, limit, n_steps;
  int32_t (*value_at)(const void *source, uint32_t step, uint32_t channel);
  const void *source;
} dd_symbols;

/* All of them, pass by pass: magnitudes, signs, then what has no symbol of its own. */
void dd_net_encode(const dd_symbols *symbols, dd_range_coder *coder);

#endif
