// When a file was made, which Swift's Glibc module leaves out. Plain integers only: a header of the system's would bring
// types along that belong to Glibc's module.
#ifndef ROOST_CFILEBIRTH_H
#define ROOST_CFILEBIRTH_H

#include <stdint.h>

// Nanoseconds since 1970; 0 if the file system does not tell; -1 with errno on failure.
int64_t cfilebirth(int descriptor);

#endif
