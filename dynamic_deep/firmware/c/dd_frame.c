/* SPDX-License-Identifier: Apache-2.0 */
#include "dd_frame.h"

#define SEQ_FACTOR 0xE8BA17u
#define TAG_LONG 0x07u

uint32_t dd_crc32(uint32_t crc, const uint8_t *bytes, uint32_t len) {
  static const uint32_t of_nibble[16] = {
      0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
      0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
      0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  crc = ~crc;
  for (uint32_t i = 0; i < len; i++) {
    crc ^= bytes[i];
    crc = crc >> 4 ^ of_nibble[crc & 15];
    crc = crc >> 4 ^ of_nibble[crc & 15];
  }
  return ~crc;
}

dd_status dd_header_seed(const uint8_t *header, uint32_t len, uint32_t *seed) {
  uint32_t stored = 0;
  *seed = 0;
  if (len < 8 || header[0] != 0xDD) return DD_RANGE;
  for (uint32_t i = 0; i < 4; i++) stored |= (uint32_t)header[len - 4 + i] << (8 * i);
  *seed = dd_crc32(0, header, len - 4);
  return *seed == stored ? DD_OK : DD_RANGE;
}

static uint32_t head_of(uint32_t level_id, uint32_t n, uint8_t head[5]) {
  uint32_t len = 2;
  uint64_t bits;
  if (n < 1u << 10) {
    bits = level_id << 1 | n << 6;
  } else if (level_id <= 1 && n < 1u << 13) {
    bits = 1u | level_id << 2 | n << 3;
  } else if (n < 1u << 16) {
    len = 3;
    bits = 3u | level_id << 3 | n << 8;
  } else {
    len = 5;
    bits = TAG_LONG | level_id << 8 | (uint64_t)n << 16;
  }
  for (uint32_t i = 0; i < len; i++) head[i] = (uint8_t)(bits >> (8 * i));
  return len;
}

uint32_t dd_frame_len(uint32_t level_id, uint32_t payload_len) {
  uint8_t head[5];
  return head_of(level_id, payload_len, head) + payload_len + 3;
}

dd_status dd_frame_write(uint32_t level_id, const uint8_t *payload,
                         uint32_t payload_len, uint32_t seq, uint32_t seed,
                         uint8_t *frame, uint32_t capacity, uint32_t *len) {
  uint8_t head[5];
  *len = 0;
  if (level_id > 31 || payload_len >= 1u << 24) return DD_RANGE;
  uint32_t at = head_of(level_id, payload_len, head);
  if (capacity < at + payload_len + 3) return DD_FULL;
  for (uint32_t i = 0; i < at; i++) frame[i] = head[i];
  for (uint32_t i = 0; i < payload_len; i++) frame[at + i] = payload[i];
  at += payload_len;
  uint32_t check = dd_crc32(seed, frame, at) + SEQ_FACTOR * seq;
  for (uint32_t i = 0; i < 3; i++) frame[at + i] = (uint8_t)(check >> (8 * i));
  *len = at + 3;
  return DD_OK;
}
