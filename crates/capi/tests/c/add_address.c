/* Adds an address to an interface as the page of CreateUnicastIpAddressEntry does, waits until it can be used, and
   deletes it on demand. With a context alone: deletes the address that another run of AddIPAddress has added. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma comment(lib, "iphlpapi.lib")

static const char *const states[] = { "invalid", "tentative", "duplicate", "deprecated", "preferred" };

static void print(DWORD code, const char *what)
{
    printf("%s: %lu\n", what, (unsigned long)code);
    fflush(stdout);
}

static VOID NETIOAPI_API_ stable(PVOID context, PMIB_UNICASTIPADDRESS_TABLE table)
{
    (void)table->NumEntries;
    FreeMibTable(table);
    SetEvent((HANDLE)context);
}

/* add_address second-generation INTERFACE-INDEX ADDRESS LENGTH SKIP */
static int second(char **arguments)
{
    MIB_UNICASTIPADDRESS_ROW row;
    PMIB_UNICASTIPADDRESS_TABLE table = NULL;
    HANDLE handle = NULL, event = CreateEventA(NULL, TRUE, FALSE, NULL);
    DWORD code;

    InitializeUnicastIpAddressEntry(&row);
    row.InterfaceIndex = (NET_IFINDEX)atoi(arguments[0]);
    if (inet_pton(AF_INET, arguments[1], &row.Address.Ipv4.sin_addr) == 1)
        row.Address.si_family = AF_INET;
    else if (inet_pton(AF_INET6, arguments[1], &row.Address.Ipv6.sin6_addr) == 1)
        row.Address.si_family = AF_INET6;
    row.OnLinkPrefixLength = (UINT8)atoi(arguments[2]);
    row.SkipAsSource = (BOOLEAN)atoi(arguments[3]);
    code = CreateUnicastIpAddressEntry(&row);
    if (code != NO_ERROR) {
        print(code, "create");
        return 1;
    }
    code = NotifyStableUnicastIpAddressTable(AF_UNSPEC, &table, stable, event, &handle);
    if (code == ERROR_IO_PENDING)
        WaitForSingleObject(event, INFINITE);
    else if (code != NO_ERROR)
        return 1;
    else
        FreeMibTable(table);
    if (handle != NULL && CancelMibChangeNotify2(handle) != NO_ERROR)
        return 1;
    code = GetUnicastIpAddressEntry(&row);
    if (code != NO_ERROR) {
        print(code, "get");
        return 1;
    }
    printf("%s /%d skip %d origins %d %d\n", states[row.DadState], row.OnLinkPrefixLength, row.SkipAsSource,
        row.PrefixOrigin, row.SuffixOrigin);
    fflush(stdout);
    getchar();
    print(DeleteUnicastIpAddressEntry(&row), "delete");
    print(GetUnicastIpAddressEntry(&row), "get");
    return 0;
}

int main(int count, char **arguments)
{
    ULONG context, instance, size = 0, i;
    PMIB_IPADDRTABLE table;

    if (count == 6 && strcmp(arguments[1], "second-generation") == 0)
        return second(arguments + 2);
    if (count == 5 && strcmp(arguments[1], "add") == 0) {
        DWORD code = AddIPAddress(inet_addr(arguments[3]), inet_addr(arguments[4]), (DWORD)atoi(arguments[2]),
            &context, &instance);
        if (code != NO_ERROR) {
            print(code, "add");
            return 1;
        }
        printf("%lu\n", (unsigned long)context);
        return 0;
    }
    if (count == 3 && strcmp(arguments[1], "delete") == 0) {
        print(DeleteIPAddress((ULONG)strtoul(arguments[2], NULL, 10)), "delete");
        return 0;
    }
    if (GetIpAddrTable(NULL, &size, TRUE) != ERROR_INSUFFICIENT_BUFFER || (table = malloc(size)) == NULL
        || GetIpAddrTable(table, &size, TRUE) != NO_ERROR)
        return 1;
    for (i = 0; i < table->dwNumEntries; i++) {
        struct in_addr address, mask;
        address.s_addr = table->table[i].dwAddr;
        mask.s_addr = table->table[i].dwMask;
        printf("%lu %s", (unsigned long)table->table[i].dwIndex, inet_ntoa(address));
        printf(" %s\n", inet_ntoa(mask));
    }
    free(table);
    return 0;
}
