/* SPDX-License-Identifier: Apache-2.0 */
/* Runs each piece of code on real windows and prints the ticks that it took. data.h is
   written by m4_data.py; the firmware's own code comes from an export. */
#include "data.h"
#include "dd_lossless.h"
#include "dd_wavelet.h"
#include "dd_window.h"
#include "kernels.h"

void print(const char *text);
void print_count(const char *name, uint32_t ticks);
uint32_t ticks_now(void);

#define START uint32_t start = ticks_now()
#define STOP(name) print_count(name, (ticks_now() - start) & 0xFFFFFFu)

static float signal[N_SAMPLES + 64], room[N_SAMPLES + 64], taps[N_TAPS];
static int8_t maps[2][4 * N_SEGMENT], weights[16384];
static int32_t numbers[64], net_work[DD_NET_WORK];
static int16_t small[N_SAMPLES];
static uint8_t bytes[2 * N_SAMPLES + 4096];
static dd_lossless_work work;

/* Reference: a loop of known length, to know what a tick is. */
static void known(void) {
  START;
  uint32_t n = 1000000;
  __asm__ volatile("1: subs %0, %0, #1\n bne 1b" : "+r"(n)::"cc");
  STOP("known");
}

static void network(void) {
  for (uint32_t i = 0; i < 64; i++) numbers[i] = 1 << 20;
  for (uint32_t i = 0; i < sizeof weights; i++) weights[i] = (int8_t)(i * 37);
  for (uint32_t i = 0; i < sizeof maps[0]; i++) maps[0][i] = (int8_t)(i * 11);
  START;
  for (uint32_t i = 0; i < N_LAYERS; i++) {
    m4_conv layer = {weights,          numbers,          numbers,       LAYERS[i][0],
                     LAYERS[i][1],     LAYERS[i][2],     LAYERS[i][3],  LAYERS[i][4],
                     26};
    if (LAYERS[i][5])
      m4_depthwise(&layer, maps[i % 2], maps[1 - i % 2]);
    else
      m4_conv1d(&layer, maps[i % 2], maps[1 - i % 2]);
  }
  STOP("network");
}

#define COUNT(name, call)                                                            \
  do {                                                                               \
    START;                                                                           \
    call;                                                                            \
    STOP(name);                                                                      \
  } while (0)

static void signals(void) {
  for (uint32_t i = 0; i < N_SAMPLES; i++) signal[i] = SAMPLES[0][i];
  for (uint32_t i = 0; i < N_TAPS; i++) taps[i] = 1.0f / N_TAPS;
  COUNT("acquire_per_sample", m4_take(bytes, N_SAMPLES, small, 0, N_SAMPLES));
  COUNT("resample_per_tap", m4_resample(signal, N_RESAMPLED, taps, N_TAPS, 5, 6, room));
  COUNT("head_per_mac", m4_dense(room, signal, 192, 32, room + 8192));
  COUNT("pack_per_byte", m4_pack(SAMPLES[0], N_SAMPLES, 12, bytes));
}

static void to_scale(dd_window_scale *scale) {
  *scale = dd_measure(SAMPLES[0], N_SAMPLES, 0);
  for (uint32_t i = 0; i < N_SAMPLES / N_SEGMENT; i++)
    dd_segment(scale, SAMPLES[0], N_SAMPLES, 0, i, maps[0]);
}

static void levels(void) {
  uint32_t len;
  dd_window_scale scale;
  const dd_neural_level *neural = dd_level_by_id(LATENT_LEVEL)->neural;
  const dd_wavelet_level *wavelet = dd_level_by_id(WAVELET_LEVEL)->wavelet;
  COUNT("scale_per_sample", to_scale(&scale));
  COUNT("quantize_per_value", dd_quantize(neural, maps[0], QUANTIZED, small));
  COUNT("neural", dd_neural_encode(neural, &scale, LATENT, N_STEPS, net_work, bytes,
                                   sizeof bytes, &len));
  print_count("neural_bytes", len);
  float unit = dd_scale_of(&scale), offset = dd_offset_of(&scale);
  for (uint32_t i = 0; i < N_SAMPLES; i++) signal[i] = (SAMPLES[0][i] - offset) / unit;
  COUNT("wavelet_per_sample", dd_wavelet_transform(signal, N_SAMPLES));
  COUNT("coefficient", dd_wavelet_encode(wavelet, &scale, signal, N_SAMPLES, net_work,
                                         bytes, sizeof bytes, &len));
}

static void lossless(void) {
  uint32_t len;
  for (uint32_t w = 0; w < N_WINDOWS; w++) {
    COUNT("rice_per_sample", len = m4_rice(SAMPLES[w], N_SAMPLES, bytes));
    dd_samples samples = {SAMPLES[w], 0, N_SAMPLES};
    START;
    dd_lossless_encode(&work, &samples, 0, bytes, sizeof bytes, &len);
    STOP("lossless_per_sample");
    print_count("lossless_bytes", len);
  }
}

static void symbols(void) {
  uint32_t len;
  dd_range_coder coder;
  START;
  dd_range_start(&coder, bytes, sizeof bytes);
  for (uint32_t i = 0; i < N_SYMBOLS; i++)
    dd_range_symbol(&coder, COUNTS[ROWS[i]], WIDTH, COLUMNS[i]);
  dd_range_finish(&coder, &len);
  STOP("symbol");
}

int main(void) {
  known();
  network();
  signals();
  levels();
  lossless();
  symbols();
  return 0;
}
