/* SPDX-License-Identifier: Apache-2.0 */
/* From the samples of a window to what the encoder takes. Samples are at 300 Hz; another
   rate must be brought to it first. */
#ifndef DD_WINDOW_H
#define DD_WINDOW_H

#include "dd_latent.h"

/* Measures a window: its standard deviation and its mean on coarse grids. */
dd_window_scale dd_measure(const int16_t *samples, uint32_t n, int32_t baseline);

/* The scale in ADC units: 2^(scale_idx / 4). */
float dd_scale_of(const dd_window_scale *scale);

/* The mean, less the baseline, in ADC units. A sample is normalised as
   ((float)(sample - baseline) - offset) / scale. */
float dd_offset_of(const dd_window_scale *scale);

/* Segment `idx` of a window as the int8 encoder takes it, DD_SEGMENT_LEN values. A
   window that ends within it goes on with its last sample. */
void dd_segment(const dd_window_scale *scale, const int16_t *samples, uint32_t n,
                int32_t baseline, uint32_t idx, int8_t *input);

/* Whether a window is flat, or has WFDB's mark of a missing sample: always lossless. */
int dd_only_lossless_fits(const int16_t *samples, uint32_t n);

#endif
