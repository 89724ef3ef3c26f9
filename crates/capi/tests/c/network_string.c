/* Takes a network string apart and puts it together again: network_string STRING */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windns.h>
#include <iphlpapi.h>
#include <mstcpip.h>
#include <stdio.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "ntdll.lib")

int __cdecl main(int argc, char **argv)
{
    WCHAR string[256];
    char text[INET6_ADDRSTRLEN];
    ULONG length = sizeof text;
    NET_ADDRESS_INFO info;
    USHORT port;
    BYTE prefix;
    DWORD result;
    LONG status = 0;

    if (argc != 2 || MultiByteToWideChar(CP_UTF8, 0, argv[1], -1, string, 256) == 0) {
        printf("usage: network_string STRING\n");
        return 2;
    }
    result = ParseNetworkString(string, NET_STRING_ANY_ADDRESS | NET_STRING_ANY_SERVICE | NET_STRING_IP_NETWORK,
        &info, &port, &prefix);
    if (result != NO_ERROR) {
        printf("ParseNetworkString: %lu\n", result);
        return 1;
    }
    switch (info.Format) {
    case NET_ADDRESS_IPV4:
        status = RtlIpv4AddressToStringExA(&info.Ipv4Address.sin_addr, info.Ipv4Address.sin_port, text, &length);
        printf("IPv4 %s", text);
        break;
    case NET_ADDRESS_IPV6:
        status = RtlIpv6AddressToStringExA(&info.Ipv6Address.sin6_addr, htonl(info.Ipv6Address.sin6_scope_id),
            info.Ipv6Address.sin6_port, text, &length);
        printf("IPv6 %s", text);
        break;
    default:
        printf("name %ls", info.NamedAddress.Address);
        break;
    }
    if (status != 0)
        return 1;
    if (port != 0)
        printf(" port %u", port);
    if (prefix != 255)
        printf(" prefix %u", prefix);
    printf("\n");
    return 0;
}
