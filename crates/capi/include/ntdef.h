/* Part of iphelper, MIT OR Apache-2.0. */
/* Types of drivers. */
#ifndef _NTDEF_
#define _NTDEF_

#include <winnt.h>

typedef LONG NTSTATUS, *PNTSTATUS;

#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#define NT_INFORMATION(status) ((ULONG)(status) >> 30 == 1)
#define NT_WARNING(status) ((ULONG)(status) >> 30 == 2)
#define NT_ERROR(status) ((ULONG)(status) >> 30 == 3)

#endif
