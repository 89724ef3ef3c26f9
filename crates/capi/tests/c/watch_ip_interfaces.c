/* Prints changes of IP interfaces until a line comes in, or the input ends. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>

#pragma comment(lib, "iphlpapi.lib")

static LONG volatile calls;

static VOID NETIOAPI_API_ changed(PVOID context, PMIB_IPINTERFACE_ROW row, MIB_NOTIFICATION_TYPE type)
{
    static const char *const types[] = { "changed", "added", "deleted", "watching" };
    const char *program = context;
    InterlockedIncrement(&calls);
    if (row == NULL) {
        printf("%s: %s\n", program, types[type]);
    } else {
        MIB_IPINTERFACE_ROW now = *row;
        printf("%s: ipv%d interface %lu %s", program, row->Family == AF_INET6 ? 6 : 4, row->InterfaceIndex, types[type]);
        if (GetIpInterfaceEntry(&now) == NO_ERROR)
            printf(" mtu %lu forwarding %u", now.NlMtu, now.ForwardingEnabled);
        printf("\n");
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    HANDLE handle = NULL;
    DWORD result = NotifyIpInterfaceChange(AF_UNSPEC, changed, argc > 1 ? argv[1] : argv[0], TRUE, &handle);
    if (result != NO_ERROR) {
        printf("NotifyIpInterfaceChange: %lu\n", result);
        return 1;
    }
    getchar();
    result = CancelMibChangeNotify2(handle);
    if (result != NO_ERROR) {
        printf("CancelMibChangeNotify2: %lu\n", result);
        return 1;
    }
    printf("%ld calls\n", InterlockedExchangeAdd(&calls, 0));
    return 0;
}
