/* Lists what IP knows of each interface. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>

#pragma comment(lib, "iphlpapi.lib")

static const char *yes(BOOLEAN value)
{
    return value ? "yes" : "no";
}

int main(void)
{
    PMIB_IPINTERFACE_TABLE table = NULL;
    ULONG i;
    DWORD result = GetIpInterfaceTable(AF_UNSPEC, &table);
    if (result != NO_ERROR) {
        printf("GetIpInterfaceTable: %lu\n", result);
        return 1;
    }
    for (i = 0; i < table->NumEntries; i++) {
        const MIB_IPINTERFACE_ROW *row = &table->Table[i];
        WCHAR alias[IF_MAX_STRING_SIZE + 1];
        MIB_IF_ROW2 link;
        if (ConvertInterfaceLuidToAlias(&row->InterfaceLuid, alias, sizeof alias / sizeof alias[0]) != NO_ERROR)
            continue;
        ZeroMemory(&link, sizeof(link));
        link.InterfaceLuid = row->InterfaceLuid;
        if (GetIfEntry2(&link) != NO_ERROR)
            continue;
        printf("%s %lu %ls type %lu mtu %lu forwarding %s dad %lu metric %lu reachable %lu retransmit %lu connected %s "
               "link %s\n",
            row->Family == AF_INET6 ? "ipv6" : "ipv4", row->InterfaceIndex, alias, link.Type, row->NlMtu,
            yes(row->ForwardingEnabled), row->DadTransmits, row->Metric, row->BaseReachableTime, row->RetransmitTime,
            yes(row->Connected), link.OperStatus == IfOperStatusUp ? "up" : "down");
    }
    FreeMibTable(table);
    return 0;
}
