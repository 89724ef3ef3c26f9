/* Echo requests in each way: waiting, with an event, with a routine. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <icmpapi.h>
#include <stdio.h>
#include <stdlib.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "ws2_32.lib")

static char data[] = "how far is it?";

static VOID NTAPI done(PVOID context, PVOID block, ULONG reserved)
{
    (void)block;
    (void)reserved;
    ++*(int *)context;
}

static void tell(const char *how, DWORD count, const ICMP_ECHO_REPLY *reply)
{
    WCHAR text[100];
    DWORD size = 99;
    struct in_addr address;
    if (count == 0) {
        DWORD status = GetLastError();
        if (GetIpErrorString(status, text, &size) != NO_ERROR)
            size = 0;
        printf("%s: none, %lu, %s\n", how, status, size > 0 ? "known" : "unknown");
        return;
    }
    address.s_addr = reply->Address;
    printf("%s: %lu from %s status %lu data %.*s\n", how, count, inet_ntoa(address), reply->Status,
        (int)reply->DataSize, (const char *)reply->Data);
}

static int four(const char *text, UCHAR ttl)
{
    IP_OPTION_INFORMATION options = { 0 };
    IPAddr address = inet_addr(text);
    HANDLE handle = IcmpCreateFile(), event = CreateEvent(NULL, FALSE, FALSE, NULL);
    DWORD size = sizeof(ICMP_ECHO_REPLY) + sizeof data + 8, result;
    void *buffer = malloc(size);
    int calls = 0;
    if (handle == INVALID_HANDLE_VALUE) {
        printf("IcmpCreateFile: %lu\n", GetLastError());
        return 1;
    }
    options.Ttl = ttl;
    tell("waiting", IcmpSendEcho(handle, address, data, sizeof data - 1, &options, buffer, size, 60000), buffer);

    result = IcmpSendEcho2(
        handle, event, NULL, NULL, address, data, sizeof data - 1, &options, buffer, size, 60000);
    if (result == 0 && GetLastError() == ERROR_IO_PENDING) {
        if (WaitForSingleObject(event, INFINITE) != WAIT_OBJECT_0)
            return 1;
        result = IcmpParseReplies(buffer, size);
    }
    tell("event", result, buffer);

    result = IcmpSendEcho2(
        handle, NULL, (FARPROC)(void *)done, &calls, address, data, sizeof data - 1, &options, buffer, size, 60000);
    if (result == 0 && GetLastError() == ERROR_IO_PENDING) {
        Sleep(100);
        printf("calls before: %d ", calls);
        while (SleepEx(INFINITE, TRUE) != WAIT_IO_COMPLETION)
            continue;
        printf("after: %d, then %lu\n", calls, WaitForSingleObjectEx(event, 10, TRUE));
        result = IcmpParseReplies(buffer, size);
    }
    tell("routine", result, buffer);
    free(buffer);
    return !IcmpCloseHandle(handle) || !CloseHandle(event);
}

int main(int argc, char **argv)
{
    WSADATA start;
    if (argc < 3 || WSAStartup(MAKEWORD(2, 2), &start) != 0)
        return 2;
    return four(argv[1], (UCHAR)atoi(argv[2]));
}
