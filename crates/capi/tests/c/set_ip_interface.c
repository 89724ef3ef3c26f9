/* Changes one property of an IP interface: set_ip_interface ALIAS 4|6 forwarding|mtu|dad|retransmit VALUE. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma comment(lib, "iphlpapi.lib")

int main(int argc, char **argv)
{
    MIB_IPINTERFACE_ROW row;
    WCHAR alias[IF_MAX_STRING_SIZE + 1];
    ULONG value;
    DWORD result;
    if (argc != 5) {
        printf("usage: set_ip_interface ALIAS 4|6 forwarding|mtu|dad|retransmit VALUE\n");
        return 2;
    }
    InitializeIpInterfaceEntry(&row);
    row.Family = strcmp(argv[2], "6") == 0 ? AF_INET6 : AF_INET;
    if (MultiByteToWideChar(CP_UTF8, 0, argv[1], -1, alias, sizeof alias / sizeof alias[0]) == 0
        || ConvertInterfaceAliasToLuid(alias, &row.InterfaceLuid) != NO_ERROR) {
        printf("no interface %s\n", argv[1]);
        return 1;
    }
    value = strtoul(argv[4], NULL, 10);
    if (strcmp(argv[3], "forwarding") == 0)
        row.ForwardingEnabled = (BOOLEAN)value;
    else if (strcmp(argv[3], "mtu") == 0)
        row.NlMtu = value;
    else if (strcmp(argv[3], "dad") == 0)
        row.DadTransmits = value;
    else if (strcmp(argv[3], "retransmit") == 0)
        row.RetransmitTime = value;
    else
        return 2;
    result = SetIpInterfaceEntry(&row);
    if (result == ERROR_ACCESS_DENIED)
        printf("run this as an administrator\n");
    if (result != NO_ERROR) {
        printf("SetIpInterfaceEntry: %lu\n", result);
        return 1;
    }
    result = GetIpInterfaceEntry(&row);
    if (result != NO_ERROR) {
        printf("GetIpInterfaceEntry: %lu\n", result);
        return 1;
    }
    printf("forwarding %u mtu %lu dad %lu retransmit %lu\n", row.ForwardingEnabled, row.NlMtu, row.DadTransmits,
        row.RetransmitTime);
    return 0;
}
