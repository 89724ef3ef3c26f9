/* Goes to a compartment and back, and counts interfaces at each place: compartment ID. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>

#pragma comment(lib, "iphlpapi.lib")

static int tell(const char *place)
{
    PMIB_IF_TABLE2 table;
    NET_IF_COMPARTMENT_ID id = GetCurrentThreadCompartmentId();
    DWORD result = GetIfTable2(&table);
    if (result != NO_ERROR) {
        printf("GetIfTable2: %lu\n", result);
        return 1;
    }
    printf("%s %lu %lu\n", place, (ULONG)id, table->NumEntries);
    FreeMibTable(table);
    return 0;
}

int main(int argc, char **argv)
{
    NET_IF_COMPARTMENT_ID home = GetCurrentThreadCompartmentId();
    DWORD result;
    if (argc != 2 || tell("home") != 0)
        return 2;
    result = SetCurrentThreadCompartmentId((NET_IF_COMPARTMENT_ID)strtoul(argv[1], NULL, 10));
    if (result != NO_ERROR) {
        printf("SetCurrentThreadCompartmentId: %lu\n", result);
        return 1;
    }
    if (tell("there") != 0)
        return 1;
    result = SetCurrentThreadCompartmentId(home);
    if (result != NO_ERROR) {
        printf("back: %lu\n", result);
        return 1;
    }
    return tell("home");
}
