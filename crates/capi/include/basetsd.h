/* Part of iphelper, MIT OR Apache-2.0. */
/* Integer types of fixed and of pointer size. */
#ifndef _BASETSD_H_
#define _BASETSD_H_

#include <stddef.h>

/* Windows aligns 64-bit members to eight bytes on every processor, gcc on 32-bit x86 to four. */
#define IPHELPER_ALIGN8 __attribute__((aligned(8)))

#ifdef __cplusplus
extern "C" {
#endif

typedef signed char INT8, *PINT8;
typedef signed short INT16, *PINT16;
typedef signed int INT32, *PINT32, LONG32, *PLONG32;
typedef long long IPHELPER_ALIGN8 INT64, *PINT64, LONG64, *PLONG64;
typedef unsigned char UINT8, *PUINT8;
typedef unsigned short UINT16, *PUINT16;
typedef unsigned int UINT32, *PUINT32, ULONG32, *PULONG32, DWORD32, *PDWORD32;
typedef unsigned long long IPHELPER_ALIGN8 UINT64, *PUINT64, ULONG64, *PULONG64, DWORD64, *PDWORD64;

typedef ptrdiff_t INT_PTR, *PINT_PTR, LONG_PTR, *PLONG_PTR, SSIZE_T, *PSSIZE_T;
typedef size_t UINT_PTR, *PUINT_PTR, ULONG_PTR, *PULONG_PTR, DWORD_PTR, *PDWORD_PTR, SIZE_T, *PSIZE_T;

#ifdef __cplusplus
}
#endif

#endif
