#define _GNU_SOURCE
#include "CFileBirth.h"

#include <fcntl.h>
#include <sys/stat.h>

int64_t cfilebirth(int descriptor) {
    struct statx status;
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0) return -1;
    if ((status.stx_mask & STATX_BTIME) == 0) return 0;
    return status.stx_btime.tv_sec * INT64_C(1000000000) + status.stx_btime.tv_nsec;
}
