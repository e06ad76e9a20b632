/* SPDX-License-Identifier: Apache-2.0 */
/* The symbols of a latent, pass by pass, by tables that follow from those before. */
#ifndef DD_CONTEXT_H
#define DD_CONTEXT_H

#include "dd_levels.h"
#include "dd_range.h"

typedef struct {
  const dd_neural_level *level;
  const int16_t *y; /* [n_steps][n_channels] */
  uint32_t n_steps;
} dd_latent;

/* The symbols of the channels from `first` to before `end` at even or odd steps. The
   tables of a linear context hold signed symbols. */
void dd_linear_pass(const dd_latent *latent, dd_range_coder *coder, uint32_t parity,
                    uint32_t first, uint32_t end);

/* The same by a context network: magnitudes, then signs. group: its number among those
   with channels. */
void dd_net_pass(const dd_latent *latent, dd_range_coder *coder, uint32_t group,
                 uint32_t parity, uint32_t first, uint32_t end);

#endif
