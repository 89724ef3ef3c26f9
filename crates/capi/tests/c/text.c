/* Text as Windows programs print and copy it. */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

int main(void)
{
    const DWORD large = 4000000000u;
    const LONG negative = -5;
    const ULONG64 wide_number = 1099511627776ull;
    WCHAR wide[16], copied[4];
    char narrow[16];
    int written;

    /* long has 32 bits, I64 says 64. */
    printf("%lu %ld %lx %08lX %I64u %lld %I64x\n", large, negative, large, large, wide_number, -1ll, wide_number);
    printf("%hu %hd %hhu|%5d|%-5d|%05d|%+d|%x|%o\n", 65537, 40000, 257, 42, 42, 42, 42, 0xBEEF, 8);
    printf("%.2f|%8.3f|%e|%g|%.0f\n", 1.5, 3.14159, 12345.678, 0.0001, 2.0);
    printf("%s|%5s|%-5s|%.2s|%c|%%\n", "text", "ab", "ab", "abcdef", 'x');
    printf("%*d|%-*d|%.*s\n", 4, 7, 4, 7, 2, "abc");
    printf("%ls|%S|%ws|%.2ls|%6ls|%C\n", L"w\u00EFde", L"\u6F22\u5B57", L"ws", L"abcdef", L"\u00E4", L'\u00F6');

    /* In wide functions a plain %s is wide, and %S or %hs is narrow. */
    wprintf(L"%s|%ls|%hs|%S|%lu|%c\n", L"w\u00EFde", L"ls", "hs", "S", large, L'\u00FC');
    fputws(L"\u20AC and \xD83D\xDE00\n", stdout);

    written = swprintf(wide, sizeof wide / sizeof wide[0], L"%s-%d", L"wide", 12);
    printf("%d %ls %u\n", written, wide, (unsigned)wcslen(wide));
    written = snprintf(narrow, sizeof narrow, "%lu", large);
    printf("%d %d\n", written, (int)strlen(narrow));
    printf("%d %d %d\n", wcscmp(L"abc", L"abd") < 0, _wcsicmp(L"ETH0", L"eth0"), wcscmp(L"a", L"a"));
    printf("%ls %ls %ls\n", wcschr(L"a-b-c", L'-'), wcsrchr(L"a-b-c", L'-'), wcsstr(L"a-b-c", L"b-"));
    printf("%lu %ld %d\n", wcstoul(L"0x1F", NULL, 16), wcstol(L"-12x", NULL, 10), _wtoi(L"77"));
    written = (int)mbstowcs(wide, "eth0", 16);
    printf("%d %ls\n", written, wide);
    written = (int)wcstombs(narrow, L"wlan0", sizeof narrow);
    printf("%d %s\n", written, narrow);
    wcscpy_s(wide, 16, L"wide");
    wcscat_s(wide, 16, L"r");
    wcsncpy(copied, wide, 3);
    copied[3] = 0;
    printf("%ls %ls\n", wide, copied);
    written = MultiByteToWideChar(CP_UTF8, 0, "h\xC3\xB6he", -1, wide, 16);
    printf("%d ", written);
    written = WideCharToMultiByte(CP_UTF8, 0, wide, -1, narrow, sizeof narrow, NULL, NULL);
    printf("%d %s\n", written, narrow);
    written = MultiByteToWideChar(CP_UTF8, 0, "toolong", -1, wide, 3);
    printf("%d %lu\n", written, GetLastError());
    return 0;
}
