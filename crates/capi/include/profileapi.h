/* Part of iphelper, MIT OR Apache-2.0. */
/* A clock that only goes forward, in steps of 100 ns. */
#ifndef _PROFILEAPI_H_
#define _PROFILEAPI_H_

#include <sysinfoapi.h>
#include <winnt.h>

static __inline__ BOOL QueryPerformanceFrequency(LARGE_INTEGER *frequency)
{
    frequency->QuadPart = 10000000;
    return TRUE;
}

static __inline__ BOOL QueryPerformanceCounter(LARGE_INTEGER *count)
{
    struct iphelper_timespec now = {0, 0};
    (void)iphelper_host_clock_gettime(1, &now);
    count->QuadPart = (LONGLONG)now.seconds * 10000000 + now.nanoseconds / 100;
    return TRUE;
}

#endif
