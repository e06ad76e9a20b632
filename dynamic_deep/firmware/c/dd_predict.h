/* SPDX-License-Identifier: Apache-2.0 */
/* The predictor of the lossless level: coefficients by weighted least squares. */
#ifndef DD_PREDICT_H
#define DD_PREDICT_H

#include "dd_lossless.h"

/* Takes in a block of `n` samples: work->differences holds DD_ORDER before it and its
   own, work->errors two before it and its own. Renews work->coefs. */
dd_status dd_predict_update(dd_lossless_work *work, uint32_t n, uint32_t shift);

#endif
