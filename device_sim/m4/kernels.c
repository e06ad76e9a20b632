/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#include <string.h>

static inline uint32_t word_at(const int8_t *p) {
  uint32_t word;
  memcpy(&word, p, 4);
  return word;
}

static inline uint32_t even_bytes(uint32_t x) {
  uint32_t y;
  __asm__("sxtb16 %0, %1" : "=r"(y) : "r"(x));
  return y;
}

static inline uint32_t odd_bytes(uint32_t x) {
  uint32_t y;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(y) : "r"(x));
  return y;
}

static inline int32_t add_products(uint32_t a, uint32_t b, int32_t sum) {
  int32_t y;
  __asm__("smlad %0, %1, %2, %3" : "=r"(y) : "r"(a), "r"(b), "r"(sum));
  return y;
}

static inline int8_t rescaled(int32_t sum, int32_t multiplier, int32_t shift) {
  int64_t product = (int64_t)sum * multiplier + ((int64_t)1 << (shift - 1));
  int32_t value = (int32_t)(product >> shift);
  return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/* Two outputs of two positions at once: each word is loaded and widened once for two. */
void m4_conv1d(const m4_conv *layer, const int8_t *x, int8_t *y) {
  uint32_t width = layer->kernel * layer->in_channels, words = width / 4;
  uint32_t hop = layer->stride * layer->in_channels, n = layer->out_channels;
  for (uint32_t next = 0; next < layer->n_out; next += 2) {
    uint32_t t = next + 1 < layer->n_out ? next : layer->n_out - 2; /* an odd one twice */
    const int8_t *at = x + t * hop;
    for (uint32_t c = 0; c + 1 < n; c += 2) {
      const int8_t *u = layer->weights + c * width, *v = u + width;
      const int8_t *p = at, *q = at + hop;
      int32_t s00 = layer->bias[c], s01 = layer->bias[c + 1], s10 = s00, s11 = s01;
      for (uint32_t k = words; k > 0; k--, p += 4, q += 4, u += 4, v += 4) {
        uint32_t a = word_at(p), b = word_at(q), d = word_at(u), e = word_at(v);
        uint32_t a0 = even_bytes(a), a1 = odd_bytes(a);
        uint32_t b0 = even_bytes(b), b1 = odd_bytes(b);
        uint32_t d0 = even_bytes(d), d1 = odd_bytes(d);
        uint32_t e0 = even_bytes(e), e1 = odd_bytes(e);
        s00 = add_products(a1, d1, add_products(a0, d0, s00));
        s01 = add_products(a1, e1, add_products(a0, e0, s01));
        s10 = add_products(b1, d1, add_products(b0, d0, s10));
        s11 = add_products(b1, e1, add_products(b0, e0, s11));
      }
      for (uint32_t k = 0; k < width % 4; k++) {
        s00 += p[k] * u[k];
        s01 += p[k] * v[k];
        s10 += q[k] * u[k];
        s11 += q[k] * v[k];
      }
      y[t * n + c] = rescaled(s00, layer->multiplier[c], layer->shift);
      y[t * n + c + 1] = rescaled(s01, layer->multiplier[c + 1], layer->shift);
      y[(t + 1) * n + c] = rescaled(s10, layer->multiplier[c], layer->shift);
      y[(t + 1) * n + c + 1] = rescaled(s11, layer->multiplier[c + 1], layer->shift);
    }
  }
}

void m4_depthwise(const m4_conv *layer, const int8_t *x, int8_t *y) {
  uint32_t n = layer->in_channels;
  for (uint32_t t = 0; t < layer->n_out; t++)
    for (uint32_t c = 0; c < n; c++) {
      int32_t sum = layer->bias[c];
      for (uint32_t k = 0; k < layer->kernel; k++)
        sum += x[(t * layer->stride + k) * n + c] * layer->weights[k * n + c];
      y[t * n + c] = rescaled(sum, layer->multiplier[c], layer->shift);
    }
}

void m4_resample(const float *x, uint32_t n_out, const float *taps, uint32_t n_taps,
                 uint32_t up, uint32_t down, float *y) {
  for (uint32_t i = 0, phase = 0; i < n_out; i++) {
    float sum = 0.0f;
    const float *p = x;
    for (uint32_t k = phase; k < n_taps; k += up) sum += taps[k] * *p++;
    y[i] = sum;
    for (phase += down; phase >= up; phase -= up) x++;
  }
}

/* Blocks of 256: the difference with the smallest sum, and a Rice parameter. */
uint32_t m4_rice(const int16_t *x, uint32_t n, uint8_t *out) {
  int32_t one = 0, two = 0, three = 0;
  uint32_t at = 0, word = 0, held = 0;
  for (uint32_t start = 0; start < n; start += 256) {
    uint32_t stop = start + 256 < n ? start + 256 : n, order = 0, best = 0;
    uint32_t sums[4] = {0, 0, 0, 0};
    int32_t a = one, b = two, c = three;
    for (uint32_t i = start; i < stop; i++) {
      int32_t v = x[i], e1 = v - a, e2 = e1 - b, e3 = e2 - c;
      sums[0] += (uint32_t)(v < 0 ? -v : v);
      sums[1] += (uint32_t)(e1 < 0 ? -e1 : e1);
      sums[2] += (uint32_t)(e2 < 0 ? -e2 : e2);
      sums[3] += (uint32_t)(e3 < 0 ? -e3 : e3);
      a = v;
      b = e1;
      c = e2;
    }
    for (best = sums[0]; order < 3 && sums[order + 1] < best; order++)
      best = sums[order + 1];
    uint32_t mean = 2 * best / (stop - start) + 1;
    uint32_t k = 31u - (uint32_t)__builtin_clz(mean);
    held += 7;
    word = word << 7 | order << 5 | k;
    for (uint32_t i = start; i < stop; i++) {
      int32_t v = x[i], e1 = v - one, e2 = e1 - two, e3 = e2 - three;
      int32_t e = order == 0 ? v : order == 1 ? e1 : order == 2 ? e2 : e3;
      one = v;
      two = e1;
      three = e2;
      uint32_t folded = (uint32_t)(e << 1) ^ (uint32_t)(e >> 31);
      uint32_t ones = folded >> k, length = k + 1;
      while (held >= 8) out[at++] = (uint8_t)(word >> (held -= 8));
      for (; ones > 0; ones--) {
        word = word << 1 | 1u;
        if (++held == 8) out[at++] = (uint8_t)word, held = 0;
      }
      word = word << length | (folded & ((1u << k) - 1));
      held += length;
    }
    while (held >= 8) out[at++] = (uint8_t)(word >> (held -= 8));
  }
  return at + (held > 0);
}

uint32_t m4_pack(const int16_t *x, uint32_t n, uint32_t bits, uint8_t *out) {
  uint32_t word = 0, held = 0, at = 0, mask = (1u << bits) - 1;
  for (uint32_t i = 0; i < n; i++) {
    word = word << bits | ((uint32_t)x[i] & mask);
    for (held += bits; held >= 8;) out[at++] = (uint8_t)(word >> (held -= 8));
  }
  return at + (held > 0);
}

void m4_dense(const float *weights, const float *x, uint32_t n_in, uint32_t n_out,
              float *y) {
  for (uint32_t j = 0; j < n_out; j++) {
    float sum = 0.0f;
    for (uint32_t i = 0; i < n_in; i++) sum += weights[j * n_in + i] * x[i];
    y[j] = sum > 0.0f ? sum : 0.0f;
  }
}

/* Samples of 24 bits of the front end's buffer into the ring. */
void m4_take(const uint8_t *fifo, uint32_t n, int16_t *ring, uint32_t at, uint32_t size) {
  for (uint32_t i = 0; i < n; i++, fifo += 3) {
    int32_t value = (int32_t)((uint32_t)fifo[0] << 24 | (uint32_t)fifo[1] << 16 |
                              (uint32_t)fifo[2] << 8);
    ring[at] = (int16_t)(value >> 14);
    if (++at == size) at = 0;
  }
}
