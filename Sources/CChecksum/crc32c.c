#include "CChecksum.h"

#include <string.h>

#if defined(__x86_64__)

#include <nmmintrin.h>

bool roost_crc32c_has_instruction(void) { return __builtin_cpu_supports("sse4.2"); }

#define ROOST_TARGET __attribute__((target("sse4.2")))
#define ROOST_STEP8(state, word) ((uint32_t)_mm_crc32_u64((state), (word)))
#define ROOST_STEP1(state, byte) _mm_crc32_u8((state), (byte))

#elif defined(__aarch64__) && defined(__linux__)

#include <arm_acle.h>
#include <sys/auxv.h>

// HWCAP_CRC32 of <asm/hwcap.h>: part of the kernel's interface, so it never changes.
bool roost_crc32c_has_instruction(void) { return (getauxval(AT_HWCAP) & (1UL << 7)) != 0; }

#define ROOST_TARGET __attribute__((target("crc")))
#define ROOST_STEP8(state, word) __crc32cd((state), (word))
#define ROOST_STEP1(state, byte) __crc32cb((state), (byte))

#endif

#if defined(ROOST_TARGET)

ROOST_TARGET uint32_t roost_crc32c_advance(uint32_t state, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, sizeof word);
        state = ROOST_STEP8(state, word);
    }
    for (; count > 0; count--, next++) state = ROOST_STEP1(state, *next);
    return state;
}

#else

bool roost_crc32c_has_instruction(void) { return false; }

uint32_t roost_crc32c_advance(uint32_t state, const void *bytes, size_t count) {
    (void)bytes, (void)count;
    __builtin_trap();
    return state;
}

#endif
