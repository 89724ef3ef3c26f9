/* Prints changes of routes and of addresses until a line comes in, or the input ends. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>

#pragma comment(lib, "iphlpapi.lib")

static const char *const types[] = { "changed", "added", "deleted", "watching" };

static const char *text(const SOCKADDR_INET *address, char *buffer)
{
    const void *bytes = address->si_family == AF_INET6 ? (const void *)&address->Ipv6.sin6_addr
                                                       : (const void *)&address->Ipv4.sin_addr;
    return inet_ntop(address->si_family, bytes, buffer, INET6_ADDRSTRLEN);
}

static VOID NETIOAPI_API_ route_changed(PVOID context, PMIB_IPFORWARD_ROW2 row, MIB_NOTIFICATION_TYPE type)
{
    char destination[INET6_ADDRSTRLEN], hop[INET6_ADDRSTRLEN];
    (void)context;
    if (row == NULL)
        printf("routes: %s\n", types[type]);
    else
        printf("route %s/%d by %s interface %lu %s\n", text(&row->DestinationPrefix.Prefix, destination),
            row->DestinationPrefix.PrefixLength, text(&row->NextHop, hop), row->InterfaceIndex, types[type]);
    fflush(stdout);
}

static VOID NETIOAPI_API_ address_changed(PVOID context, PMIB_UNICASTIPADDRESS_ROW row, MIB_NOTIFICATION_TYPE type)
{
    char address[INET6_ADDRSTRLEN];
    (void)context;
    if (row == NULL)
        printf("addresses: %s\n", types[type]);
    else
        printf("address %s interface %lu %s\n", text(&row->Address, address), row->InterfaceIndex, types[type]);
    fflush(stdout);
}

int main(void)
{
    HANDLE routes = NULL, addresses = NULL;
    if (NotifyRouteChange2(AF_UNSPEC, route_changed, NULL, TRUE, &routes) != NO_ERROR
        || NotifyUnicastIpAddressChange(AF_UNSPEC, address_changed, NULL, TRUE, &addresses) != NO_ERROR)
        return 1;
    getchar();
    return CancelMibChangeNotify2(routes) != NO_ERROR || CancelMibChangeNotify2(addresses) != NO_ERROR;
}
