/* SPDX-License-Identifier: Apache-2.0 */
/* Which level a window gets: the error heads' forecast, and the price of a violation.
   In floating point: what it decides is sent with the frame, and no decoder repeats it. */
#ifndef DD_POLICY_H
#define DD_POLICY_H

#include "dd_types.h"

#define DD_FALLBACK UINT32_MAX

/* Each task has a limit of its own; a window breaks the bound if any task does. */
typedef struct {
  uint32_t n_tasks;
  const uint8_t *channels; /* [n_tasks]: columns of the forecast */
  const float *limits;     /* [n_tasks]: task errors that are accepted */
} dd_bound;

typedef struct {
  uint32_t n_levels, n_channels;
  const float *center; /* [n_levels][n_channels]: median of the error's logarithm */
  const float *spread; /* the same: scale of a logistic around it */
} dd_forecast;

/* How likely a level is to break the bound, 0 to 1. */
float dd_odds(const dd_bound *bound, const dd_forecast *forecast, uint32_t level);

/* The index of the level to send, or DD_FALLBACK.

   frame_bytes: of each level's frame. raw_bytes: of the window's samples as stored.
   price: bytes that a certain violation is worth, as a calibration gives it on the host
   (`dynamic-deep levels`, `Calibration.price`). */
uint32_t dd_cheapest(const dd_bound *bound, const dd_forecast *forecast,
                     const uint32_t *frame_bytes, uint32_t raw_bytes, float price);

#endif
