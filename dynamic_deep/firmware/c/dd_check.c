/* SPDX-License-Identifier: Apache-2.0 */
/* Host program: repeats every record of a file of reference vectors.

     dd_check vectors.bin

   Exit status: 0 all equal, 1 one differs, 2 the file can't be read. It allocates; the
   codec does not. Layout of the file: README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dd_frame.h"
#include "dd_lossless.h"
#include "dd_wavelet.h"
#include "dd_window.h"

enum { LOSSLESS, NEURAL, WAVELET, SEGMENTS, OUTPUT };

typedef struct {
  uint8_t kind, level_id;
  uint32_t seq, seed, max_error, n_samples, n_values, n_frame;
  int32_t baseline;
  dd_window_scale scale;
  int32_t *samples, *values;
  uint8_t *frame;
} record;

static uint64_t number(FILE *file, int n_bytes) {
  uint64_t value = 0;
  for (int i = 0; i < n_bytes; i++) {
    int byte = fgetc(file);
    if (byte == EOF) exit(2);
    value |= (uint64_t)(unsigned)byte << (8 * i);
  }
  return value;
}

static int32_t *integers(FILE *file, uint32_t n) {
  int32_t *values = malloc(sizeof *values * (n + 1));
  if (!values) exit(2);
  for (uint32_t i = 0; i < n; i++) values[i] = (int32_t)(uint32_t)number(file, 4);
  return values;
}

static record next_record(FILE *file) {
  record r;
  r.kind = (uint8_t)number(file, 1);
  r.level_id = (uint8_t)number(file, 1);
  number(file, 2);
  r.seq = (uint32_t)number(file, 4);
  r.seed = (uint32_t)number(file, 4);
  r.max_error = (uint32_t)number(file, 4);
  r.baseline = (int32_t)(uint32_t)number(file, 4);
  r.scale.scale_idx = (uint32_t)number(file, 4);
  r.scale.offset_idx = (int64_t)number(file, 8);
  r.n_samples = (uint32_t)number(file, 4);
  r.n_values = (uint32_t)number(file, 4);
  r.n_frame = (uint32_t)number(file, 4);
  r.samples = integers(file, r.n_samples);
  r.values = integers(file, r.n_values);
  r.frame = malloc(r.n_frame + 1);
  if (!r.frame || fread(r.frame, 1, r.n_frame, file) != r.n_frame) exit(2);
  return r;
}

static int16_t *narrowed(const int32_t *values, uint32_t n) {
  int16_t *small = malloc(sizeof *small * (n + 1));
  if (!small) exit(2);
  for (uint32_t i = 0; i < n; i++) small[i] = (int16_t)values[i];
  return small;
}

static int fits_16(const int32_t *values, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    if (values[i] < INT16_MIN || values[i] > INT16_MAX) return 0;
  return 1;
}

static dd_status payload_of(const record *r, uint8_t *payload, uint32_t capacity,
                            uint32_t *len) {
  static dd_lossless_work work;
  static int32_t net_work[DD_NET_WORK];
  const dd_level *level = dd_level_by_id(r->level_id);
  dd_status status = DD_RANGE;
  if (r->kind == LOSSLESS) {
    int is_small = fits_16(r->samples, r->n_samples);
    int16_t *small = is_small ? narrowed(r->samples, r->n_samples) : NULL;
    dd_samples samples;
    samples.s16 = small;
    samples.s32 = is_small ? NULL : r->samples;
    samples.n = r->n_samples;
    status = dd_lossless_encode(&work, &samples, r->max_error, payload, capacity, len);
    free(small);
  } else if (level && r->kind == NEURAL) {
    int16_t *y = narrowed(r->values, r->n_values);
    uint32_t n_steps = r->n_values / level->neural->n_channels;
    status = dd_neural_encode(level->neural, &r->scale, y, n_steps, net_work, payload,
                              capacity, len);
    free(y);
  } else if (level && r->kind == WAVELET) {
    status = dd_wavelet_encode_integers(level->wavelet, &r->scale, r->values,
                                        r->n_values, net_work, payload, capacity, len);
  }
  return status;
}

static int frame_differs(const record *r) {
  uint32_t capacity = 1024 + 16 * (r->n_samples + r->n_values), payload_len, len;
  uint8_t *payload = malloc(capacity), *frame = malloc(capacity + DD_FRAME_OVERHEAD);
  if (!payload || !frame) exit(2);
  int differs =
      payload_of(r, payload, capacity, &payload_len) != DD_OK ||
      dd_frame_write(r->level_id, payload, payload_len, r->seq, r->seed, frame,
                     capacity + DD_FRAME_OVERHEAD, &len) != DD_OK ||
      len != r->n_frame || len != dd_frame_len(r->level_id, payload_len) ||
      memcmp(frame, r->frame, len) != 0;
  free(payload);
  free(frame);
  return differs;
}

static int segments_differ(const record *r) {
  int16_t *x = narrowed(r->samples, r->n_samples);
  dd_window_scale scale = dd_measure(x, r->n_samples, r->baseline);
  int differs = scale.scale_idx != r->scale.scale_idx ||
                scale.offset_idx != r->scale.offset_idx;
  for (uint32_t idx = 0; idx * DD_SEGMENT_LEN < r->n_values; idx++) {
    int8_t input[DD_SEGMENT_LEN];
    dd_segment(&scale, x, r->n_samples, r->baseline, idx, input);
    for (uint32_t i = 0; i < DD_SEGMENT_LEN; i++)
      if (input[i] != r->values[idx * DD_SEGMENT_LEN + i]) differs = 1;
  }
  free(x);
  return differs;
}

static int output_differs(const record *r) {
  const dd_level *level = dd_level_by_id(r->level_id);
  int8_t *output = malloc(r->n_samples + 1);
  int16_t *y = malloc(sizeof *y * (r->n_samples + 1));
  if (!output || !y) exit(2);
  int differs = !level || r->n_samples != r->n_values;
  for (uint32_t i = 0; i < r->n_samples; i++) output[i] = (int8_t)r->samples[i];
  if (!differs) dd_quantize(level->neural, output, r->n_samples, y);
  for (uint32_t i = 0; !differs && i < r->n_values; i++) differs = y[i] != r->values[i];
  free(output);
  free(y);
  return differs;
}

int main(int argc, char **argv) {
  int n_wrong = 0;
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!file || number(file, 4) != 0x31564444u) return 2;
  uint32_t n = (uint32_t)number(file, 4);
  for (uint32_t i = 0; i < n; i++) {
    record r = next_record(file);
    int differs = r.kind == SEGMENTS ? segments_differ(&r)
                  : r.kind == OUTPUT ? output_differs(&r)
                                     : frame_differs(&r);
    if (differs) printf("record %u, kind %u, level %u differs\n", i, r.kind, r.level_id);
    n_wrong += differs;
    free(r.samples);
    free(r.values);
    free(r.frame);
  }
  fclose(file);
  printf("%u records, %d differ\n", n, n_wrong);
  return n_wrong != 0;
}
