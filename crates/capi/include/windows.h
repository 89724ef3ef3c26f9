/* Part of iphelper, MIT OR Apache-2.0. */
/* Windows' types and functions as far as IP Helper programs need them. Compile with -fshort-wchar. */
#ifndef _WINDOWS_
#define _WINDOWS_

#include <windef.h>

#include <guiddef.h>
#include <winbase.h>
#include <winerror.h>
#include <sysinfoapi.h>
#include <profileapi.h>
#include <winnt.h>

#ifndef WIN32_LEAN_AND_MEAN
#include <objbase.h>
#endif

#endif
