/* Reserves, looks up or gives up TCP ports: port_reservation create|lookup|delete START COUNT. */
#include <winsock2.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "ws2_32.lib")

int main(int argc, char **argv)
{
    ULONG64 token = 0;
    ULONG result;
    USHORT start, count;
    if (argc != 4) {
        printf("usage: port_reservation create|lookup|delete START COUNT\n");
        return 2;
    }
    start = htons((USHORT)strtoul(argv[2], NULL, 10));
    count = (USHORT)strtoul(argv[3], NULL, 10);
    if (strcmp(argv[1], "create") == 0)
        result = CreatePersistentTcpPortReservation(start, count, &token);
    else if (strcmp(argv[1], "lookup") == 0)
        result = LookupPersistentTcpPortReservation(start, count, &token);
    else
        result = DeletePersistentTcpPortReservation(start, count);
    if (result != NO_ERROR) {
        printf("failed: %lu\n", result);
        return 1;
    }
    printf("%016llx\n", (unsigned long long)token);
    return 0;
}
