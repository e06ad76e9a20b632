/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_policy.h"

#include <math.h>

#define LEAST_ERROR 1e-3f
#define MAX_ODDS 0.5f
#define LOSSLESS_GAIN 4.4f

float dd_odds(const dd_bound *bound, const dd_forecast *forecast, uint32_t level) {
  float within = 1.0f;
  for (uint32_t i = 0; i < bound->n_tasks; i++) {
    uint32_t at = level * forecast->n_channels + bound->channels[i];
    float limit = bound->limits[i] > LEAST_ERROR ? bound->limits[i] : LEAST_ERROR;
    float z = (forecast->center[at] - logf(limit)) / forecast->spread[at];
    if (z > 30.0f) z = 30.0f;
    if (z < -30.0f) z = -30.0f;
    within *= 1.0f - 1.0f / (1.0f + expf(-z));
  }
  return 1.0f - within;
}

uint32_t dd_cheapest(const dd_bound *bound, const dd_forecast *forecast,
                     const uint32_t *frame_bytes, uint32_t raw_bytes, float price) {
  uint32_t best = DD_FALLBACK;
  float least = (float)raw_bytes / LOSSLESS_GAIN;
  for (uint32_t level = forecast->n_levels; level-- > 0;) {
    float odds = dd_odds(bound, forecast, level);
    float cost = (float)frame_bytes[level] + price * odds;
    if (odds > MAX_ODDS || cost > least) continue;
    least = cost;
    best = level;
  }
  return best;
}
