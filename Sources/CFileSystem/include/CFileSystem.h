// What Linux tells and does of files and Swift's Glibc module leaves out. Plain integers only: a header of the system's
// would bring types along that belong to Glibc's module.
#ifndef ROOST_CFILESYSTEM_H
#define ROOST_CFILESYSTEM_H

#include <stdint.h>

// When the file was made, in nanoseconds since 1970; 0 if the file system does not tell; -1 with errno on failure.
int64_t cfilesystem_birth(int descriptor);

// Has the disk begin to write what the page cache holds of these bytes, and waits for none of it. 0, or -1 with errno.
int cfilesystem_write_behind(int descriptor, int64_t offset, int64_t count);

#endif
