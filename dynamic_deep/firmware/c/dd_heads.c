/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_heads.h"

#include <math.h>

#include "dd_heads_data.h"

const uint32_t dd_n_features = N_FEATURES, dd_n_head_levels = N_RATES;
const uint32_t dd_n_head_channels = N_FORECASTS / (N_RATES + 1);

static float dense(const int16_t *weights, float unit, float bias, const float *x,
                   uint32_t n) {
  float sum = 0.0f;
  for (uint32_t i = 0; i < n; i++) sum += (float)weights[i] * x[i];
  return sum * unit + bias;
}

static void pool(const float *features, uint32_t n_segments, float *pooled) {
  for (uint32_t f = 0; f < N_FEATURES; f++) {
    float sum = 0.0f, largest = features[f];
    for (uint32_t s = 0; s < n_segments; s++) {
      float value = features[s * N_FEATURES + f];
      sum += value;
      if (value > largest) largest = value;
    }
    pooled[f] = sum / (float)n_segments;
    pooled[N_FEATURES + f] = largest;
  }
}

/* The summary and the logarithms of the task's answer, as guessed. */
static void summarize(const float *pooled, float *joined) {
  float largest = -INFINITY, sum = 0.0f, *answer = joined + N_SUMMARY;
  for (uint32_t i = 0; i < N_SUMMARY; i++) {
    float value = dense(summary_weights[i], summary_units[i], summary_bias[i], pooled,
                        2 * N_FEATURES);
    joined[i] = value > 0.0f ? value : 0.0f;
  }
  for (uint32_t i = 0; i < N_CLASSES; i++) {
    answer[i] =
        dense(answer_weights[i], answer_units[i], answer_bias[i], joined, N_SUMMARY);
    if (answer[i] > largest) largest = answer[i];
  }
  for (uint32_t i = 0; i < N_CLASSES; i++) sum += expf(answer[i] - largest);
  for (uint32_t i = 0; i < N_CLASSES; i++) answer[i] -= largest + logf(sum);
}

static float softplus(float x) {
  return x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

void dd_forecast_window(const float *features, uint32_t n_segments,
                        const float *log_rates, float *center, float *spread) {
  float joined[N_SUMMARY + N_CLASSES + N_RATES];
  { /* gone before the hidden layer, which may take its place on the stack */
    float pooled[2 * N_FEATURES];
    pool(features, n_segments, pooled);
    summarize(pooled, joined);
  }
  float hidden[N_HIDDEN];
  for (uint32_t i = 0; i < N_RATES; i++) joined[N_SUMMARY + N_CLASSES + i] = log_rates[i];
  for (uint32_t i = 0; i < N_HIDDEN; i++) {
    float value = dense(hidden_weights[i], hidden_units[i], hidden_bias[i], joined,
                        N_SUMMARY + N_CLASSES + N_RATES);
    hidden[i] = value > 0.0f ? value : 0.0f;
  }
  for (uint32_t i = 0; i < N_FORECASTS; i++) {
    center[i] = dense(center_weights[i], center_units[i], center_bias[i], hidden, N_HIDDEN);
    spread[i] = LEAST_SPREAD + softplus(dense(spread_weights[i], spread_units[i],
                                              spread_bias[i], hidden, N_HIDDEN));
  }
}
