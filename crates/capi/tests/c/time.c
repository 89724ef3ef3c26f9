/* Times of Windows: a FILETIME as a date, the clock, and a GUID's text, all from windows.h. */
#include <windows.h>
#include <stdio.h>

static void show(ULONG64 ticks)
{
    FILETIME file;
    SYSTEMTIME time;
    file.dwLowDateTime = (DWORD)ticks;
    file.dwHighDateTime = (DWORD)(ticks >> 32);
    SetLastError(0);
    if (FileTimeToSystemTime(&file, &time))
        printf("%u-%02u-%02u %u %02u:%02u:%02u.%03u\n", time.wYear, time.wMonth, time.wDay, time.wDayOfWeek, time.wHour,
            time.wMinute, time.wSecond, time.wMilliseconds);
    else
        printf("%lu\n", GetLastError());
}

int main(void)
{
    static const GUID guid = {0x01020304, 0x0506, 0x0708, {9, 10, 11, 12, 13, 14, 15, 16}};
    OLECHAR text[39];
    FILETIME now;
    SYSTEMTIME utc, local;
    ULONG64 start = GetTickCount64();
    show(0);
    show(116444736000000000U);
    show(125963423999999999U);
    show(133536384000000000U);
    show(133537248001230000U);
    show(0x7FFFFFFFFFFFFFFFU);
    show(0x8000000000000000U);
    Sleep(20);
    printf("%d\n", GetTickCount64() - start >= 20 && GetTickCount64() - start < 60000 && GetTickCount() != 0);
    GetSystemTimeAsFileTime(&now);
    GetSystemTime(&utc);
    GetLocalTime(&local);
    printf("%d %d\n", now.dwHighDateTime > 0x01D00000, utc.wYear >= 2024 && local.wYear >= 2024);
    printf("%d %ls\n", StringFromGUID2(&guid, text, 39), text);
    return 0;
}
