/* Part of iphelper, MIT OR Apache-2.0. */
/* What came of an operation, and who is told. */
#ifndef _WINTERNL_
#define _WINTERNL_

#include <ntdef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _IO_STATUS_BLOCK {
    __extension__ union {
        NTSTATUS Status;
        PVOID Pointer;
    };
    ULONG_PTR Information;
} IO_STATUS_BLOCK, *PIO_STATUS_BLOCK;

typedef VOID(NTAPI *PIO_APC_ROUTINE)(PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock, ULONG Reserved);
#define PIO_APC_ROUTINE_DEFINED

#ifdef __cplusplus
}
#endif

#endif
