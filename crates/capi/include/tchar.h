/* Part of iphelper, MIT OR Apache-2.0. */
/* Names that are wide where UNICODE is defined. */
#ifndef _INC_TCHAR
#define _INC_TCHAR

#include <windows.h>

#define _T(text) TEXT(text)
#define _TEXT(text) TEXT(text)

#ifdef UNICODE
#define _tmain wmain
#define _tprintf wprintf
#define _ftprintf fwprintf
#define _stprintf_s swprintf_s
#define _tcslen wcslen
#define _tcscmp wcscmp
#define _tcsicmp _wcsicmp
#define _tcscpy wcscpy
#define _tcstoul wcstoul
#define _ttoi _wtoi
#else
#define _tmain main
#define _tprintf printf
#define _ftprintf fprintf
#define _stprintf_s sprintf_s
#define _tcslen strlen
#define _tcscmp strcmp
#define _tcsicmp _stricmp
#define _tcscpy strcpy
#define _tcstoul strtoul
#define _ttoi atoi
#endif

#endif
