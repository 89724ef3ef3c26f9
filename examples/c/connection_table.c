/* Lists the TCP connections of this computer, IPv4 and IPv6, with the programs behind them. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "ws2_32.lib")

static const char *state_name(DWORD state)
{
    static const char *const names[] = { "?", "CLOSED", "LISTEN", "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT1",
        "FIN_WAIT2", "CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT", "DELETE_TCB" };
    return state < sizeof names / sizeof names[0] ? names[state] : "?";
}

/* The whole table; NULL if it cannot be had. It may grow between two calls, so ask until it fits. */
static void *read_table(ULONG family)
{
    DWORD size = 0, result;
    void *table = NULL;
    while ((result = GetExtendedTcpTable(table, &size, TRUE, family, TCP_TABLE_OWNER_MODULE_ALL, 0))
           == ERROR_INSUFFICIENT_BUFFER) {
        free(table);
        table = malloc(size);
        if (table == NULL)
            return NULL;
    }
    if (result != NO_ERROR) {
        printf("GetExtendedTcpTable: %lu\n", result);
        free(table);
        return NULL;
    }
    return table;
}

/* One row: the ends, the state, and the program if it can be told. */
static void print_row(const char *local, const char *remote, DWORD state, DWORD pid, DWORD found, const void *module)
{
    printf("%-22s %-22s %-11s", local, remote, state_name(state));
    if (pid != 0)
        printf(" %lu", pid);
    if (found == NO_ERROR)
        printf(" %ls", ((const TCPIP_OWNER_MODULE_BASIC_INFO *)module)->pModuleName);
    printf("\n");
}

static void print_end(char *text, size_t size, int family, const void *address, DWORD port)
{
    char host[INET6_ADDRSTRLEN];
    if (inet_ntop(family, (void *)(ULONG_PTR)address, host, sizeof host) == NULL)
        host[0] = 0;
    snprintf(text, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, ntohs((u_short)port));
}

static int list_ipv4(void)
{
    PMIB_TCPTABLE_OWNER_MODULE table = read_table(AF_INET);
    DWORD i;
    if (table == NULL)
        return 1;
    for (i = 0; i < table->dwNumEntries; i++) {
        PMIB_TCPROW_OWNER_MODULE row = &table->table[i];
        ULONGLONG module[1024];
        DWORD size = sizeof module, found;
        char local[64], remote[64];
        found = GetOwnerModuleFromTcpEntry(row, TCPIP_OWNER_MODULE_INFO_BASIC, module, &size);
        print_end(local, sizeof local, AF_INET, &row->dwLocalAddr, row->dwLocalPort);
        print_end(remote, sizeof remote, AF_INET, &row->dwRemoteAddr, row->dwRemotePort);
        print_row(local, remote, row->dwState, row->dwOwningPid, found, module);
    }
    free(table);
    return 0;
}

static int list_ipv6(void)
{
    PMIB_TCP6TABLE_OWNER_MODULE table = read_table(AF_INET6);
    DWORD i;
    if (table == NULL)
        return 1;
    for (i = 0; i < table->dwNumEntries; i++) {
        PMIB_TCP6ROW_OWNER_MODULE row = &table->table[i];
        ULONGLONG module[1024];
        DWORD size = sizeof module, found;
        char local[64], remote[64];
        found = GetOwnerModuleFromTcp6Entry(row, TCPIP_OWNER_MODULE_INFO_BASIC, module, &size);
        print_end(local, sizeof local, AF_INET6, row->ucLocalAddr, row->dwLocalPort);
        print_end(remote, sizeof remote, AF_INET6, row->ucRemoteAddr, row->dwRemotePort);
        print_row(local, remote, row->dwState, row->dwOwningPid, found, module);
    }
    free(table);
    return 0;
}

int __cdecl main(void)
{
    WSADATA data;
    int result;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    result = list_ipv4() | list_ipv6();
    WSACleanup();
    return result;
}
