/* Waits for changes of the IPv4 tables in the ways of the first generation. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <string.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "ws2_32.lib")

int main(int argc, char **argv)
{
    OVERLAPPED overlapped, other;
    HANDLE handle = NULL;
    DWORD result;
    int number;

    if (argc > 1 && strcmp(argv[1], "blocking") == 0) {
        printf("waiting\n");
        fflush(stdout);
        printf("%lu\n", NotifyRouteChange(NULL, NULL));
        return 0;
    }
    memset(&overlapped, 0, sizeof overlapped);
    memset(&other, 0, sizeof other);
    overlapped.hEvent = WSACreateEvent();
    for (number = 0; number < 2; number++) {
        WSAResetEvent(overlapped.hEvent);
        result = NotifyAddrChange(&handle, &overlapped);
        if (result != NO_ERROR && WSAGetLastError() != WSA_IO_PENDING) {
            printf("NotifyAddrChange: %d\n", WSAGetLastError());
            return 1;
        }
        printf("waiting\n");
        fflush(stdout);
        if (WaitForSingleObject(overlapped.hEvent, INFINITE) != WAIT_OBJECT_0)
            return 1;
        printf("changed\n");
        fflush(stdout);
    }
    /* Whoever changed the address says that its route is there, too. */
    getchar();
    printf("%d ", CancelIPChangeNotify(&overlapped));
    /* No event of its own: the handle tells. */
    NotifyRouteChange(&handle, &other);
    printf("%lu ", WaitForSingleObject(handle, 0));
    printf("%d ", CancelIPChangeNotify(&other));
    printf("%lu\n", WaitForSingleObject(handle, 0));
    WSACloseEvent(overlapped.hEvent);
    return 0;
}
