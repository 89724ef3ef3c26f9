/* Part of iphelper, MIT OR Apache-2.0. */
/* The time of day, and since the start of the host. */
#ifndef _SYSINFOAPI_H_
#define _SYSINFOAPI_H_

#include <minwindef.h>
#include <timezoneapi.h>

/* The host's functions and structures without its header, whose names could meet the program's. */
struct iphelper_timespec {
    long seconds, nanoseconds;
};
struct iphelper_tm {
    int second, minute, hour, day, month, year, weekday, yearday, summer;
    long offset;
    const char *zone;
};
extern int iphelper_host_clock_gettime(int, struct iphelper_timespec *) __asm__("clock_gettime");
extern struct iphelper_tm *iphelper_host_localtime_r(const long *, struct iphelper_tm *) __asm__("localtime_r");

static __inline__ VOID GetSystemTimeAsFileTime(LPFILETIME time)
{
    struct iphelper_timespec now = {0, 0};
    ULONG64 ticks;
    (void)iphelper_host_clock_gettime(0, &now);
    ticks = ((ULONG64)now.seconds + 11644473600U) * 10000000U + (ULONG64)now.nanoseconds / 100U;
    time->dwLowDateTime = (DWORD)ticks;
    time->dwHighDateTime = (DWORD)(ticks >> 32);
}

static __inline__ VOID GetSystemTime(LPSYSTEMTIME time)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    (void)FileTimeToSystemTime(&now, time);
}

static __inline__ VOID GetLocalTime(LPSYSTEMTIME time)
{
    struct iphelper_timespec now = {0, 0};
    struct iphelper_tm local;
    (void)iphelper_host_clock_gettime(0, &now);
    if (iphelper_host_localtime_r(&now.seconds, &local) == NULL) {
        GetSystemTime(time);
        return;
    }
    time->wYear = (WORD)(local.year + 1900);
    time->wMonth = (WORD)(local.month + 1);
    time->wDayOfWeek = (WORD)local.weekday;
    time->wDay = (WORD)local.day;
    time->wHour = (WORD)local.hour;
    time->wMinute = (WORD)local.minute;
    time->wSecond = (WORD)local.second;
    time->wMilliseconds = (WORD)(now.nanoseconds / 1000000);
}

/* Milliseconds since the host started, those asleep among them. */
static __inline__ ULONG64 GetTickCount64(VOID)
{
    struct iphelper_timespec now = {0, 0};
    (void)iphelper_host_clock_gettime(7, &now);
    return (ULONG64)now.seconds * 1000U + (ULONG64)now.nanoseconds / 1000000U;
}

static __inline__ DWORD GetTickCount(VOID)
{
    return (DWORD)GetTickCount64();
}

#endif
