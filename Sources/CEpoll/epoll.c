#define _GNU_SOURCE
#include "CEpoll.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>

enum { most_events = 256 };

int cepoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int cepoll_set(int epoll, int descriptor, uint64_t number, int writing, int is_new) {
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data = {.u64 = number}};
    return epoll_ctl(epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event);
}

int cepoll_remove(int epoll, int descriptor) { return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL); }

int cepoll_wait(int epoll, struct cepoll_event *events, int capacity, uint64_t nanoseconds) {
    struct epoll_event ready[most_events];
    struct timespec time = {.tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)};
    int count = epoll_pwait2(epoll, ready, capacity < most_events ? capacity : most_events, &time, NULL);
    for (int position = 0; position < count; position++) {
        events[position].number = ready[position].data.u64;
        events[position].can_write = (ready[position].events & EPOLLOUT) != 0;
    }
    return count;
}
