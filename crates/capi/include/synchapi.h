/* Part of iphelper, MIT OR Apache-2.0. */
/* Events, and waiting for them. */
/* Includes this one in its place. */
#include <winbase.h>

#ifndef _SYNCHAPI_H_
#define _SYNCHAPI_H_

#ifdef __cplusplus
extern "C" {
#endif

#define INFINITE 0xFFFFFFFF
#define WAIT_OBJECT_0 0x00000000
#define WAIT_TIMEOUT 258
#define WAIT_FAILED ((DWORD)0xFFFFFFFF)
#define WAIT_IO_COMPLETION 0x000000C0
#define MAXIMUM_WAIT_OBJECTS 64

static __inline__ int iphelper_timeout(DWORD milliseconds)
{
    return milliseconds == INFINITE ? -1 : milliseconds > 0x7FFFFFFF ? 0x7FFFFFFF : (int)milliseconds;
}

static __inline__ VOID Sleep(DWORD milliseconds)
{
    (void)fflush(NULL);
    (void)iphelper_host_poll(NULL, 0, iphelper_timeout(milliseconds));
}

/* Events. A handle is the number of an eventfd plus one, shifted by one; its lowest bit says "manual reset". */
#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

static __inline__ int iphelper_event(HANDLE handle)
{
    return (int)((ULONG_PTR)handle >> 1) - 1;
}

static __inline__ HANDLE CreateEventA(PVOID attributes, BOOL manual, BOOL initial, LPCSTR name)
{
    /* EFD_CLOEXEC and EFD_NONBLOCK. */
    int descriptor = attributes != NULL || name != NULL ? -1 : iphelper_host_eventfd(initial ? 1 : 0, 02004000);
    if (descriptor < 0) {
        SetLastError(attributes != NULL || name != NULL ? ERROR_NOT_SUPPORTED : ERROR_NO_SYSTEM_RESOURCES);
        return NULL;
    }
    return (HANDLE)((((ULONG_PTR)descriptor + 1) << 1) | (manual ? 1 : 0));
}

static __inline__ HANDLE CreateEventW(PVOID attributes, BOOL manual, BOOL initial, LPCWSTR name)
{
    return CreateEventA(attributes, manual, initial, name == NULL ? NULL : "");
}

#ifdef UNICODE
#define CreateEvent CreateEventW
#else
#define CreateEvent CreateEventA
#endif

static __inline__ BOOL SetEvent(HANDLE event)
{
    ULONG64 one = 1;
    return iphelper_host_write(iphelper_event(event), &one, sizeof one) == sizeof one;
}

static __inline__ BOOL ResetEvent(HANDLE event)
{
    ULONG64 count;
    (void)!iphelper_host_read(iphelper_event(event), &count, sizeof count);
    return TRUE;
}

/* Takes an event that was waited for: one that resets itself belongs to one waiter. */
static __inline__ BOOL iphelper_take(HANDLE event)
{
    ULONG64 count;
    return ((ULONG_PTR)event & 1) != 0
        || iphelper_host_read(iphelper_event(event), &count, sizeof count) == sizeof count;
}

/* Of this thread: the event that is set while it owes calls, and the calls. Of libiphlpapi. */
HANDLE iphelper_apc_event(VOID);
BOOL iphelper_call_apcs(VOID);

/* Waits for several events. A wait that a signal handler interrupted begins anew. */
static __inline__ DWORD WaitForMultipleObjectsEx(
    DWORD count, const HANDLE *events, BOOL all, DWORD milliseconds, BOOL alertable)
{
    struct iphelper_pollfd descriptors[MAXIMUM_WAIT_OBJECTS + 1];
    DWORD number, ready;
    int result;
    (void)fflush(NULL);
    if (count == 0 || count > MAXIMUM_WAIT_OBJECTS) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return WAIT_FAILED;
    }
    for (;;) {
        if (alertable && iphelper_call_apcs())
            return WAIT_IO_COMPLETION;
        for (number = 0; number <= count; number++) {
            HANDLE event = number < count ? events[number] : alertable ? iphelper_apc_event() : NULL;
            descriptors[number].descriptor = iphelper_event(event);
            descriptors[number].events = 1;
            descriptors[number].revents = 0;
        }
        result = iphelper_host_poll(descriptors, count + (alertable ? 1 : 0), 0);
        if (result == 0) {
            result = iphelper_host_poll(descriptors, count + (alertable ? 1 : 0), iphelper_timeout(milliseconds));
            if (result == 0)
                return WAIT_TIMEOUT;
        }
        if (result < 0)
            continue;
        ready = 0;
        for (number = 0; number < count; number++) {
            if (descriptors[number].descriptor < 0 || (descriptors[number].revents & ~1)) {
                SetLastError(ERROR_INVALID_HANDLE);
                return WAIT_FAILED;
            }
            if (!(descriptors[number].revents & 1))
                continue;
            ready++;
            if (!all && iphelper_take(events[number]))
                return WAIT_OBJECT_0 + number;
        }
        if (all && ready == count) {
            /* Another waiter may have been sooner with one of them: give the others back. */
            for (number = 0; number < count && iphelper_take(events[number]); number++)
                continue;
            if (number == count)
                return WAIT_OBJECT_0;
            while (number-- > 0)
                SetEvent(events[number]);
        } else if (all && ready > 0) {
            /* The ready ones would end each wait at once: wait for one of the others. */
            for (number = 0; number < count; number++)
                if (descriptors[number].revents & 1)
                    descriptors[number].descriptor = -1;
            result = iphelper_host_poll(descriptors, count + (alertable ? 1 : 0), iphelper_timeout(milliseconds));
            if (result == 0)
                return WAIT_TIMEOUT;
        }
    }
}

static __inline__ DWORD WaitForMultipleObjects(DWORD count, const HANDLE *events, BOOL all, DWORD milliseconds)
{
    return WaitForMultipleObjectsEx(count, events, all, milliseconds, FALSE);
}

static __inline__ DWORD WaitForSingleObjectEx(HANDLE event, DWORD milliseconds, BOOL alertable)
{
    return WaitForMultipleObjectsEx(1, &event, FALSE, milliseconds, alertable);
}

static __inline__ DWORD WaitForSingleObject(HANDLE event, DWORD milliseconds)
{
    return WaitForMultipleObjectsEx(1, &event, FALSE, milliseconds, FALSE);
}

/* An alertable sleep ends when a routine was called. */
static __inline__ DWORD SleepEx(DWORD milliseconds, BOOL alertable)
{
    DWORD result;
    if (!alertable) {
        Sleep(milliseconds);
        return 0;
    }
    if (iphelper_call_apcs())
        return WAIT_IO_COMPLETION;
    result = WaitForSingleObject(iphelper_apc_event(), milliseconds);
    return result == WAIT_OBJECT_0 && iphelper_call_apcs() ? WAIT_IO_COMPLETION : 0;
}

/* Closes an event. */
static __inline__ BOOL CloseHandle(HANDLE event)
{
    return iphelper_host_close(iphelper_event(event)) == 0;
}

#ifdef __cplusplus
}
#endif

#endif
