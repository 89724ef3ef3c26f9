/* Closes one IPv4 connection: close_connection LOCAL PORT REMOTE PORT. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "ws2_32.lib")

static void print_error(const char *function, DWORD code)
{
    LPSTR text = NULL;
    DWORD length = FormatMessageA(
        FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, code,
        MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), (LPSTR)&text, 0, NULL);
    printf("%s: %lu: %s", function, code, length != 0 ? text : "no text\n");
    LocalFree(text);
}

int main(int argc, char **argv)
{
    MIB_TCPROW row;
    IN_ADDR local, remote;
    DWORD result;
    if (argc != 5 || inet_pton(AF_INET, argv[1], &local) != 1 || inet_pton(AF_INET, argv[3], &remote) != 1) {
        printf("usage: close_connection LOCAL PORT REMOTE PORT\n");
        return 2;
    }
    ZeroMemory(&row, sizeof(row));
    row.dwState = MIB_TCP_STATE_DELETE_TCB;
    row.dwLocalAddr = local.S_un.S_addr;
    row.dwLocalPort = htons((u_short)atoi(argv[2]));
    row.dwRemoteAddr = remote.S_un.S_addr;
    row.dwRemotePort = htons((u_short)atoi(argv[4]));
    SetLastError(NO_ERROR);
    result = SetTcpEntry(&row);
    if (result != NO_ERROR) {
        print_error("SetTcpEntry", result);
        /* Of a connection that does not exist, the code says no more than that something is missing. */
        if (GetLastError() == ERROR_NOT_FOUND)
            printf("there is no such connection\n");
        return 1;
    }
    printf("closed\n");
    return 0;
}
