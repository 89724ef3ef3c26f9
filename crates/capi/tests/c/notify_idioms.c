/* The ways in which programs wait for NotifyAddrChange and NotifyRouteChange, and what they ask of the OVERLAPPED. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <process.h>
#include <stdio.h>
#include <string.h>

#pragma comment(lib, "iphlpapi.lib")
#pragma comment(lib, "ws2_32.lib")

static ULONG contexts[64], instances[64];
static int changes;

/* One more address on the interface 1. */
static void change(void)
{
    char text[32];
    sprintf(text, "192.0.2.%d", changes + 1);
    if (AddIPAddress(inet_addr(text), inet_addr("255.255.255.255"), 1, &contexts[changes], &instances[changes])
        != NO_ERROR)
        printf("AddIPAddress failed\n");
    changes++;
}

static void arm(HANDLE *handle, OVERLAPPED *overlapped)
{
    DWORD result = NotifyAddrChange(handle, overlapped);
    if (result != ERROR_IO_PENDING)
        printf("NotifyAddrChange: %lu\n", result);
}

/* A manual event that nobody resets: each request does. */
static void never_reset(void)
{
    OVERLAPPED overlapped;
    HANDLE handle = NULL;
    int number;
    memset(&overlapped, 0, sizeof overlapped);
    overlapped.hEvent = CreateEvent(NULL, TRUE, TRUE, NULL);
    for (number = 0; number < 3; number++) {
        arm(&handle, &overlapped);
        printf("%lu ", WaitForSingleObject(overlapped.hEvent, 30));
        change();
        printf("%lu ", WSAWaitForMultipleEvents(1, &overlapped.hEvent, TRUE, WSA_INFINITE, TRUE));
        printf("%lu ", WaitForSingleObject(overlapped.hEvent, 0));
    }
    printf("never reset\n");
    CloseHandle(overlapped.hEvent);
}

/* No event: the handle is waited for, and some programs close it, though they should not. */
static void handle_alone(void)
{
    OVERLAPPED overlapped, other;
    HANDLE handle = INVALID_HANDLE_VALUE;
    DWORD bytes = 7;
    int number;
    for (number = 0; number < 2; number++) {
        memset(&overlapped, 0, sizeof overlapped);
        memset(&other, 0, sizeof other);
        arm(&handle, &overlapped);
        /* The end of another request shows at the same handle, and ends no wait for this one. */
        arm(&handle, &other);
        CancelIPChangeNotify(&other);
        printf("%d ", GetOverlappedResultEx(handle, &overlapped, &bytes, 30, FALSE));
        printf("%lu %lu ", GetLastError(), bytes);
        change();
        printf("%d ", GetOverlappedResult(handle, &overlapped, &bytes, TRUE));
        printf("%lu ", bytes);
        CloseHandle(handle);
    }
    printf("handle alone\n");
}

/* What the status of an operation means. */
static void statuses(void)
{
    static const DWORD values[] = { 0, 0x00000103, 0x00000105, 0x80000005, 0xC0000001, 0xC0000008, 0xC0000022, 0xC0000120,
        0xC0000225, 0xC0FFFFFF };
    OVERLAPPED overlapped;
    HANDLE handle = NULL;
    unsigned number;
    DWORD bytes;
    memset(&overlapped, 0, sizeof overlapped);
    for (number = 0; number < sizeof values / sizeof values[0]; number++) {
        BOOL result;
        overlapped.Internal = values[number];
        overlapped.InternalHigh = number + 1;
        bytes = 99;
        SetLastError(0);
        result = GetOverlappedResult(handle, &overlapped, &bytes, FALSE);
        printf("%d:%d:%lu:%lu ", HasOverlappedIoCompleted(&overlapped), result, GetLastError(), bytes);
    }
    arm(&handle, &overlapped);
    printf("%lx ", (DWORD)overlapped.Internal);
    printf("%d ", CancelIPChangeNotify(&overlapped));
    printf("%lx %d statuses\n", (DWORD)overlapped.Internal, HasOverlappedIoCompleted(&overlapped));
}

static HANDLE called;
static OVERLAPPED registered;
static HANDLE registered_handle;

static VOID CALLBACK on_change(PVOID context, BOOLEAN timed_out)
{
    arm(&registered_handle, &registered);
    ++*(int *)context;
    if (!timed_out)
        SetEvent(called);
}

static VOID CALLBACK on_time(PVOID context, BOOLEAN timed_out)
{
    if (timed_out)
        SetEvent((HANDLE)context);
}

/* A function of a thread pool, which asks for the next change itself. */
static void registered_wait(void)
{
    HANDLE wait = NULL;
    int calls = 0, number;
    memset(&registered, 0, sizeof registered);
    called = CreateEvent(NULL, FALSE, FALSE, NULL);
    registered.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
    if (!RegisterWaitForSingleObject(&wait, registered.hEvent, on_change, &calls, INFINITE, WT_EXECUTEDEFAULT))
        printf("RegisterWaitForSingleObject: %lu\n", GetLastError());
    arm(&registered_handle, &registered);
    for (number = 0; number < 3; number++) {
        change();
        printf("%lu ", WaitForSingleObject(called, INFINITE));
    }
    printf("%d ", UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
    CancelIPChangeNotify(&registered);
    printf("%lu %d ", WaitForSingleObject(called, 0), calls);
    if (!RegisterWaitForSingleObject(&wait, registered.hEvent, on_time, called, 1, WT_EXECUTEONLYONCE))
        printf("RegisterWaitForSingleObject: %lu\n", GetLastError());
    /* The cancel above has set the event, which is one call that does not count. */
    printf("%lu ", WaitForSingleObject(called, 30));
    printf("%d ", UnregisterWait(wait));
    printf("%d ", UnregisterWait(wait));
    printf("%lu ", GetLastError());
    if (!RegisterWaitForSingleObject(&wait, registered.hEvent, on_time, called, 1, WT_EXECUTEDEFAULT))
        printf("RegisterWaitForSingleObject: %lu\n", GetLastError());
    printf("%lu registered wait\n", WaitForSingleObject(called, INFINITE));
    UnregisterWaitEx(wait, INVALID_HANDLE_VALUE);
    CloseHandle(called);
    CloseHandle(registered.hEvent);
}

static HANDLE stop, seen;
/* Changes of addresses, and 100 for one of routes. */
static volatile DWORD count;

static DWORD WINAPI watch(LPVOID context)
{
    OVERLAPPED address, route;
    HANDLE handle, events[3];
    DWORD woken;
    (void)context;
    memset(&address, 0, sizeof address);
    memset(&route, 0, sizeof route);
    events[0] = stop;
    events[1] = address.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
    events[2] = route.hEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
    arm(&handle, &address);
    if (NotifyRouteChange(&handle, &route) != ERROR_IO_PENDING)
        return 99;
    SetEvent(seen);
    /* An address brings a route of its own. */
    while ((woken = WaitForMultipleObjects(3, events, FALSE, INFINITE)) != WAIT_OBJECT_0) {
        if (woken == WAIT_OBJECT_0 + 1) {
            count += 1;
            arm(&handle, &address);
        } else if (woken == WAIT_OBJECT_0 + 2) {
            count += 100;
        } else {
            return 98;
        }
        SetEvent(seen);
    }
    CancelIPChangeNotify(&address);
    CancelIPChangeNotify(&route);
    CloseHandle(events[1]);
    CloseHandle(events[2]);
    return count;
}

static unsigned WINAPI told(void *context)
{
    return *(unsigned *)context;
}

/* A thread that watches both tables until it is told to end. */
static void thread(void)
{
    HANDLE handle;
    DWORD id = 0, code = 0;
    unsigned number = 42;
    stop = CreateEvent(NULL, TRUE, FALSE, NULL);
    seen = CreateEvent(NULL, FALSE, FALSE, NULL);
    handle = CreateThread(NULL, 0, watch, NULL, 0, &id);
    WaitForSingleObject(seen, INFINITE);
    printf("%d ", GetExitCodeThread(handle, &code));
    printf("%lu ", code);
    change();
    WaitForSingleObject(seen, INFINITE);
    change();
    while (count < 101)
        WaitForSingleObject(seen, INFINITE);
    printf("%lu ", WaitForSingleObject(handle, 30));
    SetEvent(stop);
    WaitForSingleObject(handle, INFINITE);
    printf("%d ", GetExitCodeThread(handle, &code));
    printf("%d %d ", code % 100 >= 1 && code % 100 <= 2 && code >= 100 && code < 200, id != 0);
    printf("%d ", CloseHandle(handle));
    handle = (HANDLE)_beginthreadex(NULL, 0, told, &number, 0, NULL);
    WaitForSingleObject(handle, INFINITE);
    GetExitCodeThread(handle, &code);
    printf("%lu thread\n", code);
    CloseHandle(handle);
    CloseHandle(stop);
    CloseHandle(seen);
}

/* An event that is closed while the request waits, and a handle of no event. */
static void closed_events(void)
{
    OVERLAPPED overlapped;
    HANDLE handle = NULL, later;
    DWORD result;
    memset(&overlapped, 0, sizeof overlapped);
    overlapped.hEvent = WSACreateEvent();
    arm(&handle, &overlapped);
    WSACloseEvent(overlapped.hEvent);
    /* On Linux it has the number of the closed one. */
    later = CreateEvent(NULL, TRUE, FALSE, NULL);
    change();
    while (!HasOverlappedIoCompleted(&overlapped))
        Sleep(1);
    printf("%lu %d ", WaitForSingleObject(later, 30), CancelIPChangeNotify(&overlapped));
    CloseHandle(later);
    SetLastError(0);
    result = NotifyAddrChange(&handle, &overlapped);
    printf("%lu %lu %d ", result, GetLastError(), WSAGetLastError() == WSA_IO_PENDING);
    printf("%d ", SetEvent(later));
    printf("%lu ", GetLastError());
    printf("%d %d %lu ", ResetEvent(NULL), CloseHandle(later), WaitForSingleObject(later, 0));
    printf("%lu closed events\n", GetLastError());
}

static DWORD WINAPI read_line(LPVOID context)
{
    char line[16];
    return fgets(line, sizeof line, (FILE *)context) == NULL;
}

/* A thread that waits for input holds nobody else up. */
static void beside_input(void)
{
    HANDLE reader = CreateThread(NULL, 0, read_line, stdin, 0, NULL);
    Sleep(30);
    printf("%lu beside input\n", WaitForSingleObject(reader, 30));
    WaitForSingleObject(reader, INFINITE);
    CloseHandle(reader);
}

int main(void)
{
    WSADATA start;
    int number;
    WSAStartup(MAKEWORD(2, 2), &start);
    never_reset();
    handle_alone();
    statuses();
    registered_wait();
    thread();
    closed_events();
    beside_input();
    for (number = 0; number < changes; number++)
        DeleteIPAddress(contexts[number]);
    return 0;
}
