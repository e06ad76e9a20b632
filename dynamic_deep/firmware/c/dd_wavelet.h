/* SPDX-License-Identifier: Apache-2.0 */
/* The wavelet levels: six octaves of the CDF 9/7 wavelet, lifted in place. */
#ifndef DD_WAVELET_H
#define DD_WAVELET_H

#include "dd_latent.h"

/* Samples rounded up to whole blocks of 64: the length of dd_wavelet_transform's x. */
uint32_t dd_wavelet_len(uint32_t n_samples);

/* Transforms a normalised window in place, once for all wavelet levels.

   x: dd_wavelet_len(n) values; those beyond the n samples are filled in here.
   Afterwards the details of octave o stand at odd multiples of 2^(o - 1), and the
   approximation at multiples of 64. */
void dd_wavelet_transform(float *x, uint32_t n);

/* The payload of a wavelet level, from what dd_wavelet_transform left.

   work: DD_NET_WORK values to work with, one buffer for all levels. */
dd_status dd_wavelet_encode(const dd_wavelet_level *level, const dd_window_scale *scale,
                            const float *coefs, uint32_t len, int32_t *work,
                            uint8_t *payload, uint32_t capacity, uint32_t *n_bytes);

/* The same from quantised integers, subband after subband, the coarsest first. */
dd_status dd_wavelet_encode_integers(const dd_wavelet_level *level,
                                     const dd_window_scale *scale, const int32_t *q,
                                     uint32_t len, int32_t *work, uint8_t *payload,
                                     uint32_t capacity, uint32_t *n_bytes);

#endif
