/* Lists adapters as programs for Windows do: a first guess of 15 KB, then what is asked for. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKING_BUFFER_SIZE 15000
#define MAX_TRIES 3

static const char *text_of(const SOCKET_ADDRESS *address, char *text, DWORD size)
{
    const void *bytes = address->lpSockaddr->sa_family == AF_INET
                            ? (const void *)&((SOCKADDR_IN *)address->lpSockaddr)->sin_addr
                            : (const void *)&((SOCKADDR_IN6 *)address->lpSockaddr)->sin6_addr;
    return inet_ntop(address->lpSockaddr->sa_family, bytes, text, size);
}

static int list_addresses(void)
{
    ULONG flags = GAA_FLAG_INCLUDE_PREFIX | GAA_FLAG_INCLUDE_GATEWAYS;
    PIP_ADAPTER_ADDRESSES addresses = NULL, adapter;
    ULONG size = WORKING_BUFFER_SIZE;
    DWORD result, tries = 0;
    char text[64];

    do {
        addresses = (PIP_ADAPTER_ADDRESSES)HeapAlloc(GetProcessHeap(), 0, size);
        if (addresses == NULL)
            return 1;
        result = GetAdaptersAddresses(AF_UNSPEC, flags, NULL, addresses, &size);
        if (result == ERROR_BUFFER_OVERFLOW) {
            HeapFree(GetProcessHeap(), 0, addresses);
            addresses = NULL;
        }
    } while (result == ERROR_BUFFER_OVERFLOW && ++tries < MAX_TRIES);
    if (result != NO_ERROR) {
        printf("failed: %lu\n", (unsigned long)result);
        return 1;
    }
    for (adapter = addresses; adapter != NULL; adapter = adapter->Next) {
        PIP_ADAPTER_UNICAST_ADDRESS unicast;
        PIP_ADAPTER_GATEWAY_ADDRESS gateway;
        PIP_ADAPTER_PREFIX prefix;
        unsigned prefixes = 0;
        const WCHAR *letter;

        printf("adapter ");
        for (letter = adapter->FriendlyName; *letter != 0; letter++)
            putchar((int)*letter);
        printf(" %s index %u length %u ipv4 %u dhcp %u\n", adapter->AdapterName, (unsigned)adapter->IfIndex,
               (unsigned)adapter->Length, (unsigned)adapter->Ipv4Enabled, (unsigned)adapter->Dhcpv4Enabled);
        for (unicast = adapter->FirstUnicastAddress; unicast != NULL; unicast = unicast->Next)
            printf("  unicast %s/%u\n", text_of(&unicast->Address, text, sizeof text),
                   (unsigned)unicast->OnLinkPrefixLength);
        for (gateway = adapter->FirstGatewayAddress; gateway != NULL; gateway = gateway->Next)
            printf("  gateway %s\n", text_of(&gateway->Address, text, sizeof text));
        for (prefix = adapter->FirstPrefix; prefix != NULL; prefix = prefix->Next)
            prefixes++;
        printf("  prefixes %u\n", prefixes);
    }
    HeapFree(GetProcessHeap(), 0, addresses);
    return 0;
}

static int list_first_generation(void)
{
    ULONG size = sizeof(IP_ADAPTER_INFO);
    PIP_ADAPTER_INFO info = (PIP_ADAPTER_INFO)malloc(size), adapter;
    PIP_ADAPTER_ORDER_MAP order;
    IP_INTERFACE_NAME_INFO *names;
    DWORD count;

    if (GetAdaptersInfo(info, &size) == ERROR_BUFFER_OVERFLOW) {
        free(info);
        info = (PIP_ADAPTER_INFO)malloc(size);
    }
    if (GetAdaptersInfo(info, &size) != NO_ERROR)
        return 1;
    for (adapter = info; adapter != NULL; adapter = adapter->Next)
        printf("info %u %s %s gateway %s\n", (unsigned)adapter->Index, adapter->IpAddressList.IpAddress.String,
               adapter->IpAddressList.IpMask.String, adapter->GatewayList.IpAddress.String);
    free(info);
    order = GetAdapterOrderMap();
    if (order == NULL)
        return 1;
    printf("order %u\n", (unsigned)order->NumAdapters);
    LocalFree(order);
    if (NhpAllocateAndGetInterfaceInfoFromStack(&names, &count, TRUE, GetProcessHeap(), 0) != NO_ERROR)
        return 1;
    printf("names %u\n", (unsigned)count);
    HeapFree(GetProcessHeap(), 0, names);
    printf("friendly %u\n", (unsigned)GetFriendlyIfIndex(0x01000005));
    return 0;
}

int main(void)
{
    return list_addresses() + list_first_generation();
}
