/* Adds a route, changes its metric, deletes it, and lists the table; as a VPN client would. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma comment(lib, "iphlpapi.lib")

static int list(void)
{
    PMIB_IPFORWARD_TABLE2 table = NULL;
    ULONG i;
    DWORD result = GetIpForwardTable2(AF_INET, &table);
    if (result != NO_ERROR) {
        printf("GetIpForwardTable2: %lu\n", result);
        return 1;
    }
    for (i = 0; i < table->NumEntries; i++) {
        const MIB_IPFORWARD_ROW2 *row = &table->Table[i];
        char prefix[INET_ADDRSTRLEN], hop[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &row->DestinationPrefix.Prefix.Ipv4.sin_addr, prefix, sizeof prefix);
        inet_ntop(AF_INET, &row->NextHop.Ipv4.sin_addr, hop, sizeof hop);
        printf("%s/%u via %s dev %lu metric %lu protocol %d origin %d\n", prefix,
            row->DestinationPrefix.PrefixLength, hop, row->InterfaceIndex, row->Metric, (int)row->Protocol,
            (int)row->Origin);
    }
    FreeMibTable(table);
    return 0;
}

/* routes list | add INDEX PREFIX LENGTH HOP METRIC | set ... | delete ... */
int main(int argc, char **argv)
{
    MIB_IPFORWARD_ROW2 row;
    DWORD result;
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    if (argc != 7)
        return 2;
    InitializeIpForwardEntry(&row);
    row.InterfaceIndex = (NET_IFINDEX)atoi(argv[2]);
    row.DestinationPrefix.Prefix.si_family = AF_INET;
    inet_pton(AF_INET, argv[3], &row.DestinationPrefix.Prefix.Ipv4.sin_addr);
    row.DestinationPrefix.PrefixLength = (UINT8)atoi(argv[4]);
    row.NextHop.si_family = AF_INET;
    inet_pton(AF_INET, argv[5], &row.NextHop.Ipv4.sin_addr);
    row.Metric = (ULONG)atoi(argv[6]);
    row.Protocol = MIB_IPPROTO_NETMGMT;
    if (strcmp(argv[1], "add") == 0)
        result = CreateIpForwardEntry2(&row);
    else if (strcmp(argv[1], "set") == 0)
        result = SetIpForwardEntry2(&row);
    else
        result = DeleteIpForwardEntry2(&row);
    printf("%lu\n", result);
    return result == NO_ERROR ? 0 : 1;
}
