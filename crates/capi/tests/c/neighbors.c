/* Neighbours, as arp does it: neighbors list | add INDEX ADDRESS MAC | delete INDEX ADDRESS | resolve INDEX ADDRESS. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "ws2_32.lib")

static const char *const states[] = {
    "unreachable", "incomplete", "probe", "delay", "stale", "reachable", "permanent"
};

static void print(const MIB_IPNET_ROW2 *row)
{
    char text[INET6_ADDRSTRLEN] = "";
    ULONG i;
    if (row->Address.si_family == AF_INET)
        inet_ntop(AF_INET, (void *)&row->Address.Ipv4.sin_addr, text, sizeof text);
    else
        inet_ntop(AF_INET6, (void *)&row->Address.Ipv6.sin6_addr, text, sizeof text);
    printf("%lu %s ", row->InterfaceIndex, text);
    for (i = 0; i < row->PhysicalAddressLength; i++)
        printf("%s%02x", i == 0 ? "" : ":", row->PhysicalAddress[i]);
    printf("%s %s%s%s\n", row->PhysicalAddressLength == 0 ? "-" : "", states[row->State],
        row->IsRouter ? " router" : "", row->IsUnreachable ? " failed" : "");
}

static int list(void)
{
    PMIB_IPNET_TABLE2 table;
    DWORD result = GetIpNetTable2(AF_UNSPEC, &table);
    ULONG i;
    if (result != NO_ERROR) {
        printf("GetIpNetTable2: %lu\n", result);
        return 1;
    }
    for (i = 0; i < table->NumEntries; i++)
        print(&table->Table[i]);
    FreeMibTable(table);
    return 0;
}

int main(int argc, char **argv)
{
    MIB_IPNET_ROW2 row;
    const char *name;
    DWORD result;
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    if (argc < 4) {
        printf("usage: neighbors list | add INDEX ADDRESS MAC | delete INDEX ADDRESS | resolve INDEX ADDRESS\n");
        return 2;
    }
    memset(&row, 0, sizeof row);
    row.InterfaceIndex = strtoul(argv[2], NULL, 10);
    if (inet_pton(AF_INET, argv[3], &row.Address.Ipv4.sin_addr) == 1) {
        row.Address.si_family = AF_INET;
    } else if (inet_pton(AF_INET6, argv[3], &row.Address.Ipv6.sin6_addr) == 1) {
        row.Address.si_family = AF_INET6;
    } else {
        printf("%s is no address\n", argv[3]);
        return 2;
    }
    if (strcmp(argv[1], "add") == 0 && argc == 5) {
        unsigned bytes[6];
        int i;
        if (sscanf(argv[4], "%x:%x:%x:%x:%x:%x", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4], &bytes[5]) != 6)
            return 2;
        for (i = 0; i < 6; i++)
            row.PhysicalAddress[i] = (UCHAR)bytes[i];
        row.PhysicalAddressLength = 6;
        name = "CreateIpNetEntry2";
        result = CreateIpNetEntry2(&row);
        if (result == ERROR_OBJECT_ALREADY_EXISTS) {
            name = "SetIpNetEntry2";
            result = SetIpNetEntry2(&row);
        }
        if (result == NO_ERROR) {
            name = "GetIpNetEntry2";
            result = GetIpNetEntry2(&row);
        }
    } else if (strcmp(argv[1], "delete") == 0) {
        name = "DeleteIpNetEntry2";
        result = DeleteIpNetEntry2(&row);
    } else if (strcmp(argv[1], "resolve") == 0) {
        name = "ResolveIpNetEntry2";
        result = ResolveIpNetEntry2(&row, NULL);
        if (result == NO_ERROR && row.Address.si_family == AF_INET) {
            UCHAR mac[8];
            ULONG length = sizeof mac;
            name = "SendARP";
            result = SendARP(row.Address.Ipv4.sin_addr.S_un.S_addr, 0, mac, &length);
            if (result == NO_ERROR
                && (length != row.PhysicalAddressLength || memcmp(mac, row.PhysicalAddress, length) != 0)) {
                printf("SendARP got another address\n");
                return 1;
            }
        }
    } else {
        return 2;
    }
    if (result != NO_ERROR) {
        printf("%s: %lu\n", name, result);
        return 1;
    }
    if (strcmp(argv[1], "delete") != 0)
        print(&row);
    return 0;
}
