/* SPDX-License-Identifier: Apache-2.0 */
/* The table of levels, and what each level's coder needs. Values: dd_levels.c, made
   from a bundle. */
#ifndef DD_LEVELS_H
#define DD_LEVELS_H

#include "dd_config.h"
#include "dd_types.h"

typedef enum {
  DD_LOSSLESS = 0,
  DD_NEAR_LOSSLESS = 1,
  DD_WAVELET = 2,
  DD_NEURAL = 3,
} dd_kind;

/* A linear context: one table for each scale, of signed symbols. */
typedef struct {
  uint32_t n_groups;
  const int16_t *bias;    /* [n_channels] */
  const int16_t *earlier; /* [3][n_channels][n_channels]: step, from, to */
  const int16_t *same;    /* [2][n_channels][n_channels]: step before, step after */
  const uint16_t *counts; /* [36][2 limit + 2] */
} dd_linear_context;

/* A context network: a hidden row a step, then a table of magnitudes and of signs. */
typedef struct {
  uint32_t n_taps, n_sizes, n_hidden, n_groups;
  const int16_t *bounds;      /* [n_groups + 1]: the first channel of each group */
  const int8_t *near;         /* [n_taps][n_channels][2 n_sizes][n_hidden] */
  const int16_t *first;       /* [2 n_groups][n_hidden] */
  const int8_t *out;          /* [2][n_hidden][n_channels][2] */
  const int32_t *out_bias;    /* [2][n_channels][2] */
  const uint16_t *magnitudes; /* [36][limit + 2] */
  const uint16_t *signs;      /* [16][2] */
} dd_context_net;

typedef struct {
  uint32_t n_bands, limit;
  float step; /* in units of the window's scale */
  const uint16_t *counts; /* [n_bands][2 limit + 2], or NULL, and then */
  const dd_context_net *net;
} dd_wavelet_level;

typedef struct {
  uint32_t n_channels, stride, limit;
  const dd_linear_context *linear; /* or NULL, and then */
  const dd_context_net *net;
  /* From the encoder's integers to a quantised latent:
     (|value - zero| * factor[channel] + offset) >> 20, with the sign of the difference. */
  int32_t zero;
  const uint32_t *factors; /* [n_channels] */
  uint32_t offset;
} dd_neural_level;

typedef struct {
  uint8_t id;
  uint8_t kind; /* dd_kind */
  const char *name;
  const dd_wavelet_level *wavelet;
  const dd_neural_level *neural;
} dd_level;

extern const dd_level dd_levels[DD_N_LEVELS];
extern const uint16_t dd_scale_counts[DD_N_SCALES];
extern const uint16_t dd_offset_counts[2 * DD_OFFSET_LIMIT + 2];

/* NULL if the bundle has no level of this id. */
const dd_level *dd_level_by_id(uint32_t id);

#endif
