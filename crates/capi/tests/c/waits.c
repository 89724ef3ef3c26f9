/* Several events, and what an operation in the background came to. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <string.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "ws2_32.lib")

int main(void)
{
    HANDLE events[2], handle = NULL;
    OVERLAPPED overlapped;
    DWORD bytes = 7;
    BOOL result;
    events[0] = CreateEvent(NULL, FALSE, FALSE, NULL);
    events[1] = CreateEvent(NULL, TRUE, FALSE, NULL);
    printf("%lu ", WaitForMultipleObjects(2, events, FALSE, 0));
    SetEvent(events[1]);
    printf("%lu ", WaitForMultipleObjects(2, events, FALSE, INFINITE));
    printf("%lu ", WaitForMultipleObjects(2, events, TRUE, 20));
    SetEvent(events[0]);
    printf("%lu ", WaitForMultipleObjects(2, events, TRUE, INFINITE));
    printf("%lu ", WaitForSingleObject(events[0], 0));
    printf("%lu ", SleepEx(1, TRUE));
    printf("%lu\n", WaitForSingleObjectEx(events[1], INFINITE, TRUE));

    memset(&overlapped, 0, sizeof overlapped);
    overlapped.hEvent = events[0];
    if (NotifyAddrChange(&handle, &overlapped) != ERROR_IO_PENDING)
        return 1;
    result = GetOverlappedResult(handle, &overlapped, &bytes, FALSE);
    printf("%d %lu waiting\n", result, GetLastError());
    fflush(stdout);
    result = GetOverlappedResult(handle, &overlapped, &bytes, TRUE);
    printf("%d %lu\n", result, bytes);
    if (NotifyAddrChange(&handle, &overlapped) != ERROR_IO_PENDING)
        return 1;
    CancelIPChangeNotify(&overlapped);
    result = GetOverlappedResult(handle, &overlapped, &bytes, TRUE);
    printf("%d %lu\n", result, GetLastError());
    return CloseHandle(events[0]) && CloseHandle(events[1]) ? 0 : 1;
}
