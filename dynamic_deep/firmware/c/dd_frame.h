/* SPDX-License-Identifier: Apache-2.0 */
/* A payload as a frame of a .ddc file (docs/format.md, "Frame"). */
#ifndef DD_FRAME_H
#define DD_FRAME_H

#include "dd_types.h"

#define DD_FRAME_OVERHEAD 8 /* bytes beside the payload, at most */

/* CRC-32 of zlib; goes on from `crc`, 0 at first. */
uint32_t dd_crc32(uint32_t crc, const uint8_t *bytes, uint32_t len);

/* What the checks of a file's frames go on from. `header`: the whole header of the file
   with its CRC, as the gateway or `dynamic_deep` made it; DD_RANGE if it is damaged. */
dd_status dd_header_seed(const uint8_t *header, uint32_t len, uint32_t *seed);

/* Bytes of the frame of a payload. */
uint32_t dd_frame_len(uint32_t level_id, uint32_t payload_len);

/* Writes a frame. seq: window_idx * n_leads + lead. The payload must not overlap. */
dd_status dd_frame_write(uint32_t level_id, const uint8_t *payload,
                         uint32_t payload_len, uint32_t seq, uint32_t seed,
                         uint8_t *frame, uint32_t capacity, uint32_t *len);

#endif
