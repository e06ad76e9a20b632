/* SPDX-License-Identifier: Apache-2.0 */
/* The error heads: what task errors each level would come to, foretold on the device. */
#ifndef DD_HEADS_H
#define DD_HEADS_H

#include "dd_types.h"

/* Foretells the errors of a window.

   features: of each segment that the window fills at least by half, in real numbers:
   the encoder's last output, less its zero, times dd_feature_unit;
   [n_segments][dd_n_features].
   log_rates: natural logarithm of the payload's bits a sample at 300 Hz, one for each
   level of dd_head_levels, in that order.
   center, spread: [1 + number of levels][channels], the raw window first. */
void dd_forecast_window(const float *features, uint32_t n_segments,
                        const float *log_rates, float *center, float *spread);

extern const uint32_t dd_n_features, dd_n_head_levels, dd_n_head_channels;
extern const uint8_t dd_head_levels[]; /* ids of levels */
extern const float dd_feature_unit;

#endif
