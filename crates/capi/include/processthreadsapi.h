/* Part of iphelper, MIT OR Apache-2.0. */
/* Threads, which wait for what happens. CreateThread and GetExitCodeThread are in libiphlpapi. */
/* Includes this one in its place. */
#include <winbase.h>

#ifndef _PROCESSTHREADSAPI_H_
#define _PROCESSTHREADSAPI_H_

#ifdef __cplusplus
extern "C" {
#endif

typedef DWORD(WINAPI *PTHREAD_START_ROUTINE)(LPVOID lpThreadParameter);
typedef PTHREAD_START_ROUTINE LPTHREAD_START_ROUTINE;

#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000
#define STILL_ACTIVE 259

/* The handle is set when the thread has ended. No security descriptor, and none begins suspended. */
HANDLE WINAPI CreateThread(
    LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize, LPTHREAD_START_ROUTINE lpStartAddress,
    LPVOID lpParameter, DWORD dwCreationFlags, LPDWORD lpThreadId);
BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode);

/* Ends the program as a return from main does. */
static __inline__ VOID ExitProcess(UINT code)
{
    exit((int)code);
}

static __inline__ DWORD GetCurrentProcessId(VOID)
{
    return (DWORD)iphelper_host_getpid();
}

static __inline__ DWORD GetCurrentThreadId(VOID)
{
    return (DWORD)iphelper_host_gettid();
}

#ifdef __cplusplus
}
#endif

#endif
