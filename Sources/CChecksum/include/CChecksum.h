// CRC-32C (Castagnoli) by the processor's own instruction: x86-64 with SSE 4.2, arm64 with the CRC extension.
#ifndef ROOST_CCHECKSUM_H
#define ROOST_CCHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor has the instruction. Asks the processor: keep the answer.
bool roost_crc32c_has_instruction(void);

/// The checksum's inner state (all ones at the start, inverted at the end) after `count` more bytes.
/// Only where roost_crc32c_has_instruction().
uint32_t roost_crc32c_advance(uint32_t state, const void *bytes, size_t count);

#endif
