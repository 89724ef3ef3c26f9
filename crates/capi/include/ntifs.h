/* Part of iphelper, MIT OR Apache-2.0. */
/* A driver's first header. Included before netioapi.h it chooses the flavour that returns NTSTATUS; link with libnetio. */
#ifndef _IPHELPER_NTIFS_
#define _IPHELPER_NTIFS_

#ifndef _KERNEL_MODE
#define _KERNEL_MODE 1
#endif

#include <ntdef.h>
#include <ntstatus.h>

#endif
