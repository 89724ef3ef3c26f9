/* Makes this host a router and ends without taking that back: it is taken back at the end. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>

#pragma comment(lib, "iphlpapi.lib")

int main(void)
{
    HANDLE handle = NULL;
    OVERLAPPED overlapped;
    DWORD result, index, i;
    SOCKADDR_IN6 destinations[2];
    PSOCKADDR_IN6_PAIR pairs = NULL;
    ULONG count = 0;
    ZeroMemory(&overlapped, sizeof(overlapped));
    result = EnableRouter(&handle, &overlapped);
    if (result != ERROR_IO_PENDING) {
        printf("EnableRouter: %lu\n", result);
        return 1;
    }
    result = GetBestInterface(htonl(0x7f000001), &index);
    printf("127.0.0.1 is on interface %lu\n", result == NO_ERROR ? index : 0);
    ZeroMemory(destinations, sizeof(destinations));
    for (i = 0; i < 2; i++)
        destinations[i].sin6_family = AF_INET6;
    destinations[0].sin6_addr.s6_addr[0] = 0x20; /* 2000::, which nothing leads to */
    destinations[1].sin6_addr.s6_addr[15] = 1;
    destinations[1].sin6_port = htons(80);
    result = CreateSortedAddressPairs(NULL, 0, destinations, 2, 0, &pairs, &count);
    printf("%lu pairs, the first to port %u\n", result == NO_ERROR ? count : 0,
        result == NO_ERROR ? (unsigned)ntohs(pairs[0].DestinationAddress->sin6_port) : 0);
    FreeMibTable(pairs);
    fflush(stdout);
    (void)getchar();
    return 0;
}
