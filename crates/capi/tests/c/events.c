/* Events, which a callback sets and the program waits for. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>

static VOID NETIOAPI_API_ changed(PVOID context, PMIB_IPINTERFACE_ROW row, MIB_NOTIFICATION_TYPE type)
{
    if (row == NULL && type == MibInitialNotification)
        SetEvent((HANDLE)context);
}

int main(void)
{
    HANDLE automatic = CreateEvent(NULL, FALSE, FALSE, NULL), manual = CreateEvent(NULL, TRUE, TRUE, NULL);
    HANDLE registration = NULL;
    LONG number = 1;
    if (automatic == NULL || manual == NULL)
        return 1;
    printf("%lu %lu\n", WaitForSingleObject(automatic, 0), WaitForSingleObject(manual, 0));
    if (NotifyIpInterfaceChange(AF_UNSPEC, changed, automatic, TRUE, &registration) != NO_ERROR)
        return 1;
    printf("%lu\n", WaitForSingleObject(automatic, INFINITE));
    printf("%lu %lu\n", WaitForSingleObject(automatic, 10), WaitForSingleObject(manual, INFINITE));
    ResetEvent(manual);
    printf("%lu\n", WaitForSingleObject(manual, 0));
    printf("%lu\n", CancelMibChangeNotify2(registration));
    printf("%ld ", InterlockedIncrement(&number));
    printf("%ld ", InterlockedExchange(&number, 7));
    printf("%ld ", InterlockedCompareExchange(&number, 9, 7));
    printf("%ld\n", InterlockedDecrement(&number));
    return CloseHandle(automatic) && CloseHandle(manual) ? 0 : 1;
}
