/* Part of iphelper, MIT OR Apache-2.0. */
/* Threads as the C runtime of Windows begins them. */
#ifndef _INC_PROCESS
#define _INC_PROCESS

#include <winbase.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned(WINAPI *_beginthreadex_proc_type)(void *);

/* 0 where none could be made. The caller closes the handle. */
static __inline__ uintptr_t _beginthreadex(
    void *security, unsigned size, _beginthreadex_proc_type routine, void *argument, unsigned flags, unsigned *id)
{
    return (uintptr_t)CreateThread((LPSECURITY_ATTRIBUTES)security, size, routine, argument, flags, id);
}

#define _getpid iphelper_host_getpid

#ifdef __cplusplus
}
#endif

#endif
