/* Echo requests over IPv6: waiting, and with an event. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <winternl.h>
#include <iphlpapi.h>
#include <icmpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char data[] = "how far is it?";

static int six(const char *text)
{
    struct sockaddr_in6 source, destination;
    HANDLE handle = Icmp6CreateFile(), event = CreateEvent(NULL, TRUE, FALSE, NULL);
    DWORD size = sizeof(ICMPV6_ECHO_REPLY) + sizeof data + 8 + sizeof(IO_STATUS_BLOCK), result;
    ICMPV6_ECHO_REPLY *reply = malloc(size);
    memset(&source, 0, sizeof source);
    memset(&destination, 0, sizeof destination);
    source.sin6_family = destination.sin6_family = AF_INET6;
    inet_pton(AF_INET6, text, &destination.sin6_addr);
    result = Icmp6SendEcho2(
        handle, NULL, NULL, NULL, &source, &destination, data, sizeof data, NULL, reply, size, 60000);
    printf("waiting: %lu status %lu data %s\n", result, result ? reply->Status : GetLastError(),
        result ? (const char *)(reply + 1) : "none");
    result = Icmp6SendEcho2(
        handle, event, NULL, NULL, &source, &destination, data, sizeof data, NULL, reply, size, 60000);
    if (result == ERROR_IO_PENDING || (result == 0 && GetLastError() == ERROR_IO_PENDING)) {
        if (WaitForMultipleObjects(1, &event, TRUE, INFINITE) != WAIT_OBJECT_0)
            return 1;
        result = Icmp6ParseReplies(reply, size);
    }
    printf("event: %lu status %lu data %s\n", result, result ? reply->Status : GetLastError(),
        result ? (const char *)(reply + 1) : "none");
    free(reply);
    return !IcmpCloseHandle(handle) || !CloseHandle(event);
}

int main(int argc, char **argv)
{
    return argc < 2 ? 2 : six(argv[1]);
}
