/* SPDX-License-Identifier: Apache-2.0 */
/* What a device does beside the codec of dynamic_deep/firmware, as plainly as it can be
   done on a Cortex-M4: only to count instructions. */
#ifndef M4_KERNELS_H
#define M4_KERNELS_H

#include <stdint.h>

/* A convolution over time, channels last: kernel * in_channels bytes that lie in one
   piece make an output. weights: [out][kernel * in]. */
typedef struct {
  const int8_t *weights;
  const int32_t *bias, *multiplier;
  uint32_t in_channels, out_channels, kernel, stride, n_out;
  int32_t shift;
} m4_conv;

void m4_conv1d(const m4_conv *layer, const int8_t *x, int8_t *y);
void m4_depthwise(const m4_conv *layer, const int8_t *x, int8_t *y);
void m4_resample(const float *x, uint32_t n_out, const float *taps, uint32_t n_taps,
                 uint32_t up, uint32_t down, float *y);
uint32_t m4_rice(const int16_t *x, uint32_t n, uint8_t *out);
uint32_t m4_pack(const int16_t *x, uint32_t n, uint32_t bits, uint8_t *out);
void m4_dense(const float *weights, const float *x, uint32_t n_in, uint32_t n_out,
              float *y);
void m4_take(const uint8_t *fifo, uint32_t n, int16_t *ring, uint32_t at, uint32_t size);

#endif
