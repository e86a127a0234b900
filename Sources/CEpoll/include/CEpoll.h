// Linux's readiness notification, which Swift's Glibc module leaves out. Plain integers only: a header of the system's
// would bring types along that belong to Glibc's module.
#ifndef ROOST_CEPOLL_H
#define ROOST_CEPOLL_H

#include <stdint.h>

// What one descriptor is ready for.
struct cepoll_event {
    uint64_t number;  // as given to cepoll_set
    uint32_t can_write;
};

// All return -1 and set errno on failure.
int cepoll_create(void);
// Watches a descriptor for reading, and for writing too if `writing` is not 0. `is_new` is not 0 the first time.
int cepoll_set(int epoll, int descriptor, uint64_t number, int writing, int is_new);
int cepoll_remove(int epoll, int descriptor);
// Waits for at most so many nanoseconds and gives the number of events.
int cepoll_wait(int epoll, struct cepoll_event *events, int capacity, uint64_t nanoseconds);

#endif
