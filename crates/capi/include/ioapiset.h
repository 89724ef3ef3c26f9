/* Part of iphelper, MIT OR Apache-2.0. */
/* What an operation in the background came to. Of libiphlpapi. */
/* Includes this one in its place. */
#include <winbase.h>

#ifndef _IOAPISET_H_
#define _IOAPISET_H_

#ifdef __cplusplus
extern "C" {
#endif

/*
 * TRUE when the operation is done and went well. While it goes on: FALSE with ERROR_IO_INCOMPLETE, or a wait for the event of
 * the OVERLAPPED, without one for the handle of the function that began it.
 */
BOOL WINAPI GetOverlappedResult(
    HANDLE hFile, LPOVERLAPPED lpOverlapped, LPDWORD lpNumberOfBytesTransferred, BOOL bWait);
BOOL WINAPI GetOverlappedResultEx(
    HANDLE hFile, LPOVERLAPPED lpOverlapped, LPDWORD lpNumberOfBytesTransferred, DWORD dwMilliseconds,
    BOOL bAlertable);

/* Takes a request of NotifyAddrChange or NotifyRouteChange back, which alone can be. Requests of all kinds: not supported. */
BOOL WINAPI CancelIPChangeNotify(LPOVERLAPPED notifyOverlapped);
static __inline__ BOOL CancelIoEx(HANDLE file, LPOVERLAPPED overlapped)
{
    (void)file;
    if (overlapped != NULL && CancelIPChangeNotify(overlapped))
        return TRUE;
    SetLastError(overlapped != NULL ? ERROR_NOT_FOUND : ERROR_NOT_SUPPORTED);
    return FALSE;
}

/* Whether it is done: its status, of 32 bits, is not STATUS_PENDING any more. */
#define HasOverlappedIoCompleted(overlapped) ((DWORD) * (volatile ULONG_PTR *)&(overlapped)->Internal != 0x00000103)

#ifdef __cplusplus
}
#endif

#endif
