/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads of wavelet and neural levels: integers in, bytes out (docs/format.md). */
#ifndef DD_LATENT_H
#define DD_LATENT_H

#include "dd_levels.h"
#include "dd_range.h"

typedef struct {
  uint32_t scale_idx; /* quarter octaves of ADC units, below 128 */
  int64_t offset_idx; /* sixteenths of the scale, from the lead's baseline */
} dd_window_scale;

/* Steps of a latent that are coded of a window of n samples at 300 Hz. */
uint32_t dd_coded_steps(uint32_t n_samples, uint32_t stride);

/* The payload of a neural level.

   y: the quantised latent, [n_steps][n_channels]; n_steps of dd_coded_steps, at most
   DD_MAX_STEPS.
   work: DD_NET_WORK values to work with, one buffer for all levels. */
dd_status dd_neural_encode(const dd_neural_level *level, const dd_window_scale *scale,
                           const int16_t *y, uint32_t n_steps, int32_t *work,
                           uint8_t *payload, uint32_t capacity, uint32_t *len);

/* Turns the int8 output of the encoder for one segment into its part of a latent:
   n values, channels running fastest. */
void dd_quantize(const dd_neural_level *level, const int8_t *output, uint32_t n,
                 int16_t *y);

/* Begins a lossy payload with the window's scale and offset. */
void dd_put_scale(dd_range_coder *coder, const dd_window_scale *scale);

/* One integer by one table; one beyond the limit is escaped, and its bits follow by
   dd_range_escape after all symbols that are read at once. */
void dd_put_value(dd_range_coder *coder, const uint16_t *counts, uint32_t limit,
                  int32_t value);

#endif
