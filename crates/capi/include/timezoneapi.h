/* Part of iphelper, MIT OR Apache-2.0. */
/* A FILETIME, such as a connection's time of creation, as a date. */
#ifndef _TIMEZONEAPI_H_
#define _TIMEZONEAPI_H_

#include <minwindef.h>
#include <winerror.h>

#ifdef __cplusplus
extern "C" {
#endif
VOID WINAPI SetLastError(DWORD dwErrCode);
#ifdef __cplusplus
}
#endif

static __inline__ BOOL FileTimeToSystemTime(const FILETIME *file_time, LPSYSTEMTIME time)
{
    ULONG64 ticks = (ULONG64)file_time->dwHighDateTime << 32 | file_time->dwLowDateTime;
    DWORD days = (DWORD)(ticks / 864000000000U), milliseconds = (DWORD)(ticks / 10000U % 86400000U);
    DWORD day, era, year, month;
    if (ticks >> 63) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    /* Days since 1600-03-01: of 400 years, which end with a leap day, and within them of years that begin in March. */
    day = days + 306;
    era = day / 146097;
    day %= 146097;
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    time->wDay = (WORD)(day - (153 * month + 2) / 5 + 1);
    time->wMonth = (WORD)(month < 10 ? month + 3 : month - 9);
    time->wYear = (WORD)(1600 + 400 * era + year + (month >= 10));
    time->wDayOfWeek = (WORD)((days + 1) % 7);
    time->wHour = (WORD)(milliseconds / 3600000);
    time->wMinute = (WORD)(milliseconds / 60000 % 60);
    time->wSecond = (WORD)(milliseconds / 1000 % 60);
    time->wMilliseconds = (WORD)(milliseconds % 1000);
    return TRUE;
}

#endif
