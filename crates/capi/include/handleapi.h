/* Part of iphelper, MIT OR Apache-2.0. */
/* Handles of events and threads. Of libiphlpapi. */
/* Includes this one in its place. */
#include <winbase.h>

#ifndef _APISETHANDLE_
#define _APISETHANDLE_

#ifdef __cplusplus
extern "C" {
#endif

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

/* A handle that a function of IP Helper lends, as NotifyAddrChange does, is left open. */
BOOL WINAPI CloseHandle(HANDLE hObject);

#ifdef __cplusplus
}
#endif

#endif
