/* Part of iphelper, MIT OR Apache-2.0. */
/* What an operation in the background came to. */
/* Includes this one in its place. */
#include <winbase.h>

#ifndef _IOAPISET_H_
#define _IOAPISET_H_

#ifdef __cplusplus
extern "C" {
#endif

/*
 * TRUE when the operation is done and went well. While it goes on: FALSE with ERROR_IO_INCOMPLETE, or a wait. The event of
 * the OVERLAPPED tells its end, or the handle of the function that began it.
 */
static __inline__ BOOL GetOverlappedResultEx(
    HANDLE file, LPOVERLAPPED overlapped, LPDWORD transferred, DWORD milliseconds, BOOL alertable)
{
    DWORD status;
    while ((status = (DWORD) * (volatile ULONG_PTR *)&overlapped->Internal) == 0x00000103) {
        DWORD result;
        if (milliseconds == 0) {
            SetLastError(ERROR_IO_INCOMPLETE);
            return FALSE;
        }
        result = WaitForSingleObjectEx(
            overlapped->hEvent != NULL ? overlapped->hEvent : file, milliseconds, alertable);
        if (result != WAIT_OBJECT_0) {
            if (result != WAIT_FAILED)
                SetLastError(result);
            return FALSE;
        }
    }
    if (transferred != NULL)
        *transferred = (DWORD)overlapped->InternalHigh;
    if (status == 0)
        return TRUE;
    SetLastError(status == 0xC0000120 ? ERROR_OPERATION_ABORTED : ERROR_GEN_FAILURE);
    return FALSE;
}

static __inline__ BOOL GetOverlappedResult(HANDLE file, LPOVERLAPPED overlapped, LPDWORD transferred, BOOL wait)
{
    return GetOverlappedResultEx(file, overlapped, transferred, wait ? INFINITE : 0, FALSE);
}

#ifdef __cplusplus
}
#endif

#endif
