/* Part of iphelper, MIT OR Apache-2.0. */
/*
 * printf and its family as Windows programs know them.
 *
 * The host's own would misread such programs: there "long" has 32 bits, so %lu formats a DWORD; a wide string has 16-bit
 * characters; %s is wide in wprintf; %S is the other kind; %I64u is a 64-bit number. These functions read formats so, and
 * write UTF-8. Define IPHELPER_NO_STDIO before the first header to keep the host's functions.
 */
#ifndef IPHELPER_STDIO_H
#define IPHELPER_STDIO_H

/* The C++ library takes these names away again when its headers are read, so that is done before they are given. */
#ifdef __cplusplus
extern "C++" {
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string>
}
#endif

#include <minwindef.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IPHELPER_UNUSED __attribute__((unused))

/* Text that grows. After a failed allocation it stays as it is and says so. */
struct iphelper_text {
    char *bytes;
    size_t used, room;
    int failed;
};

static IPHELPER_UNUSED void iphelper_append(struct iphelper_text *text, const char *bytes, size_t count)
{
    if (text->room - text->used <= count) {
        size_t room = (text->used + count + 64) * 2;
        char *grown = (char *)realloc(text->bytes, room);
        if (grown == NULL) {
            text->failed = 1;
            return;
        }
        text->bytes = grown;
        text->room = room;
    }
    memcpy(text->bytes + text->used, bytes, count);
    text->used += count;
    text->bytes[text->used] = 0;
}

/* Appends one character as UTF-8; half of a surrogate pair becomes U+FFFD. */
static IPHELPER_UNUSED void iphelper_append_character(struct iphelper_text *text, uint32_t character)
{
    char bytes[4];
    size_t count = 0;
    if (character >= 0xD800 && character <= 0xDFFF)
        character = 0xFFFD;
    if (character < 0x80) {
        bytes[count++] = (char)character;
    } else if (character < 0x800) {
        bytes[count++] = (char)(0xC0 | character >> 6);
        bytes[count++] = (char)(0x80 | (character & 0x3F));
    } else if (character < 0x10000) {
        bytes[count++] = (char)(0xE0 | character >> 12);
        bytes[count++] = (char)(0x80 | (character >> 6 & 0x3F));
        bytes[count++] = (char)(0x80 | (character & 0x3F));
    } else {
        bytes[count++] = (char)(0xF0 | character >> 18);
        bytes[count++] = (char)(0x80 | (character >> 12 & 0x3F));
        bytes[count++] = (char)(0x80 | (character >> 6 & 0x3F));
        bytes[count++] = (char)(0x80 | (character & 0x3F));
    }
    iphelper_append(text, bytes, count);
}

/* Appends a 16-bit string of at most `limit` units as UTF-8. */
static IPHELPER_UNUSED void iphelper_append_wide(struct iphelper_text *text, const WCHAR *wide, size_t limit)
{
    size_t at = 0;
    while (at < limit && wide[at] != 0) {
        uint32_t unit = (uint16_t)wide[at++];
        if (unit >= 0xD800 && unit <= 0xDBFF && at < limit) {
            uint32_t low = (uint16_t)wide[at];
            if (low >= 0xDC00 && low <= 0xDFFF) {
                at++;
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            }
        }
        iphelper_append_character(text, unit);
    }
}

/* Reads one character of a UTF-8 string, and how many bytes it has; a wrong byte is U+FFFD. */
static IPHELPER_UNUSED uint32_t iphelper_next_character(const char *bytes, size_t *count)
{
    const unsigned char *at = (const unsigned char *)bytes;
    size_t more = at[0] >= 0xF0 ? 3 : at[0] >= 0xE0 ? 2 : at[0] >= 0xC0 ? 1 : 0;
    uint32_t character = more == 0 ? at[0] : at[0] & (0x3Fu >> more);
    size_t position;
    *count = 1;
    if (more == 0)
        return at[0] < 0x80 ? at[0] : 0xFFFD;
    for (position = 1; position <= more; position++) {
        if ((at[position] & 0xC0) != 0x80)
            return 0xFFFD;
        character = character << 6 | (at[position] & 0x3F);
    }
    *count = more + 1;
    return character > 0x10FFFF ? 0xFFFD : character;
}

/* Writes UTF-8 as a 16-bit string into `room` units, the terminator among them; gives the units it has in whole. */
static IPHELPER_UNUSED size_t iphelper_to_wide(WCHAR *wide, size_t room, const char *bytes)
{
    size_t units = 0;
    while (*bytes != 0) {
        size_t count, have;
        uint32_t character = iphelper_next_character(bytes, &count);
        have = character < 0x10000 ? 1 : 2;
        if (wide != NULL && units + have < room) {
            if (have == 1) {
                wide[units] = (WCHAR)character;
            } else {
                wide[units] = (WCHAR)(0xD800 + ((character - 0x10000) >> 10));
                wide[units + 1] = (WCHAR)(0xDC00 + ((character - 0x10000) & 0x3FF));
            }
        } else if (wide != NULL && units < room) {
            wide[units] = 0;
        }
        units += have;
        bytes += count;
    }
    if (wide != NULL && units < room)
        wide[units] = 0;
    else if (wide != NULL && room > 0)
        wide[room - 1] = 0;
    return units;
}

static IPHELPER_UNUSED size_t iphelper_strnlen(const char *string, size_t limit)
{
    size_t length = 0;
    while (length < limit && string[length] != 0)
        length++;
    return length;
}

/* Pads `count` bytes of text to `width` characters; a character of UTF-8 has one byte that does not begin with 10. */
static IPHELPER_UNUSED void iphelper_append_padded(
    struct iphelper_text *text, const char *bytes, size_t count, int width, int left)
{
    size_t at, characters = 0;
    for (at = 0; at < count; at++)
        characters += (bytes[at] & 0xC0) != 0x80;
    for (at = characters; !left && at < (size_t)width; at++)
        iphelper_append(text, " ", 1);
    iphelper_append(text, bytes, count);
    for (at = characters; left && at < (size_t)width; at++)
        iphelper_append(text, " ", 1);
}

/* Formats by Windows' rules; `wide` is whether the function is one for wide strings. */
static IPHELPER_UNUSED void iphelper_format(struct iphelper_text *text, int wide, const char *format, va_list *arguments)
{
    enum { NORMAL, CHARACTER, SHORT, LONG32, LONG64, POINTER } size;
    char spec[48], number[512];
    while (*format != 0) {
        const char *start = format;
        size_t used = 0;
        int width = 0, precision = -1, left = 0, string_is_wide = wide, sized = 0, kind;
        if (*format != '%') {
            while (*format != 0 && *format != '%')
                format++;
            iphelper_append(text, start, (size_t)(format - start));
            continue;
        }
        format++;
        spec[used++] = '%';
        while (*format != 0 && strchr("-+ #0", *format) != NULL) {
            left |= *format == '-';
            if (used < 8)
                spec[used++] = *format;
            format++;
        }
        if (*format == '*') {
            width = va_arg(*arguments, int);
            if (width < 0) {
                left = 1;
                spec[used++] = '-';
                width = -width;
            }
            format++;
        } else {
            while (*format >= '0' && *format <= '9' && width < 10000)
                width = width * 10 + (*format++ - '0');
        }
        if (*format == '.') {
            format++;
            precision = 0;
            if (*format == '*') {
                precision = va_arg(*arguments, int);
                format++;
            } else {
                while (*format >= '0' && *format <= '9' && precision < 10000)
                    precision = precision * 10 + (*format++ - '0');
            }
        }
        size = NORMAL;
        for (;;) {
            if (format[0] == 'h') {
                size = format[1] == 'h' ? CHARACTER : SHORT;
                format += size == CHARACTER ? 2 : 1;
                string_is_wide = 0;
                sized = 1;
            } else if (format[0] == 'l') {
                size = format[1] == 'l' ? LONG64 : LONG32;
                format += size == LONG64 ? 2 : 1;
                string_is_wide = 1;
                sized = 1;
            } else if (format[0] == 'w') {
                format++;
                string_is_wide = 1;
                sized = 1;
            } else if (format[0] == 'I' && format[1] == '6' && format[2] == '4') {
                size = LONG64;
                format += 3;
            } else if (format[0] == 'I' && format[1] == '3' && format[2] == '2') {
                size = LONG32;
                format += 3;
            } else if (format[0] == 'I' || format[0] == 'z' || format[0] == 't') {
                size = POINTER;
                format++;
            } else if (format[0] == 'j') {
                size = LONG64;
                format++;
            } else {
                break;
            }
        }
        kind = *format;
        if (kind == 0) {
            iphelper_append(text, start, (size_t)(format - start));
            return;
        }
        format++;
        if (kind == 'S' || kind == 'C') {
            /* The other kind than the function's own, unless a size says which. */
            if (!sized)
                string_is_wide = !wide;
            kind = kind == 'S' ? 's' : 'c';
        }
        if (kind == '%') {
            iphelper_append(text, "%", 1);
        } else if (kind == 's' || kind == 'c') {
            struct iphelper_text part = { NULL, 0, 0, 0 };
            if (kind == 'c') {
                int character = va_arg(*arguments, int);
                if (string_is_wide) {
                    iphelper_append_character(&part, (uint16_t)character);
                } else {
                    char byte = (char)character;
                    iphelper_append(&part, &byte, 1);
                }
            } else if (string_is_wide) {
                const WCHAR *string = va_arg(*arguments, const WCHAR *);
                if (string != NULL)
                    iphelper_append_wide(&part, string, precision < 0 ? (size_t)-1 : (size_t)precision);
                else
                    iphelper_append(&part, "(null)", 6);
            } else {
                const char *string = va_arg(*arguments, const char *);
                if (string == NULL)
                    string = "(null)";
                iphelper_append(&part, string, iphelper_strnlen(string, precision < 0 ? (size_t)-1 : (size_t)precision));
            }
            iphelper_append_padded(text, part.bytes != NULL ? part.bytes : "", part.used, width, left);
            text->failed |= part.failed;
            free(part.bytes);
        } else if (kind == 'p') {
            used = (size_t)snprintf(number, sizeof number, "%0*llX", (int)sizeof(void *) * 2,
                (unsigned long long)(uintptr_t)va_arg(*arguments, void *));
            iphelper_append_padded(text, number, used, width, left);
        } else if (strchr("diouxX", kind) != NULL) {
            long long value;
            int is_signed = kind == 'd' || kind == 'i';
            if (size == LONG64)
                value = va_arg(*arguments, long long);
            else if (size == POINTER)
                value = is_signed ? (long long)va_arg(*arguments, ptrdiff_t) : (long long)va_arg(*arguments, size_t);
            else if (is_signed)
                value = va_arg(*arguments, int);
            else
                value = (long long)va_arg(*arguments, unsigned int);
            if (size == SHORT)
                value = is_signed ? (long long)(short)value : (long long)(unsigned short)value;
            if (size == CHARACTER)
                value = is_signed ? (long long)(signed char)value : (long long)(unsigned char)value;
            memcpy(spec + used, "*.*ll", 5);
            spec[used + 5] = (char)kind;
            spec[used + 6] = 0;
            if (width > 400)
                width = 400;
            if (precision > 400)
                precision = 400;
            used = (size_t)snprintf(number, sizeof number, spec, width, precision, value);
            iphelper_append(text, number, used);
        } else if (strchr("aAeEfFgG", kind) != NULL) {
            double value = va_arg(*arguments, double);
            int needed;
            memcpy(spec + used, "*.*", 3);
            spec[used + 3] = (char)kind;
            spec[used + 4] = 0;
            needed = snprintf(number, sizeof number, spec, width, precision, value);
            if (needed >= (int)sizeof number) {
                char *large = (char *)malloc((size_t)needed + 1);
                if (large != NULL) {
                    snprintf(large, (size_t)needed + 1, spec, width, precision, value);
                    iphelper_append(text, large, (size_t)needed);
                    free(large);
                } else {
                    text->failed = 1;
                }
            } else if (needed > 0) {
                iphelper_append(text, number, (size_t)needed);
            }
        } else {
            /* Not a conversion: as it stands. %n is none, as in Windows' own library. */
            iphelper_append(text, start, (size_t)(format - start));
        }
    }
}

static IPHELPER_UNUSED void iphelper_format_wide(struct iphelper_text *text, const WCHAR *format, va_list *arguments)
{
    struct iphelper_text narrow = { NULL, 0, 0, 0 };
    iphelper_append_wide(&narrow, format, (size_t)-1);
    if (narrow.bytes != NULL)
        iphelper_format(text, 1, narrow.bytes, arguments);
    text->failed |= narrow.failed;
    free(narrow.bytes);
}

/* Hands the text to a stream, and frees it. */
static IPHELPER_UNUSED int iphelper_print(FILE *stream, struct iphelper_text *text)
{
    int result = (int)text->used;
    if (text->failed || fwrite(text->bytes != NULL ? text->bytes : "", 1, text->used, stream) != text->used)
        result = -1;
    free(text->bytes);
    return result;
}

/* Copies the text to a buffer, cut to its size, and frees it. */
static IPHELPER_UNUSED int iphelper_store(char *buffer, size_t size, struct iphelper_text *text)
{
    int result = text->failed ? -1 : (int)text->used;
    if (size > 0) {
        size_t count = text->used < size ? text->used : size - 1;
        if (count > 0)
            memcpy(buffer, text->bytes, count);
        buffer[count] = 0;
    }
    free(text->bytes);
    return result;
}

static IPHELPER_UNUSED int iphelper_store_wide(WCHAR *buffer, size_t size, struct iphelper_text *text)
{
    size_t units = iphelper_to_wide(buffer, size, text->bytes != NULL ? text->bytes : "");
    int result = text->failed || units >= size ? -1 : (int)units;
    free(text->bytes);
    return result;
}

static IPHELPER_UNUSED int iphelper_vfprintf(FILE *stream, const char *format, va_list arguments)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    va_list copy;
    va_copy(copy, arguments);
    iphelper_format(&text, 0, format, &copy);
    va_end(copy);
    return iphelper_print(stream, &text);
}

static IPHELPER_UNUSED int iphelper_vfwprintf(FILE *stream, const WCHAR *format, va_list arguments)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    va_list copy;
    va_copy(copy, arguments);
    iphelper_format_wide(&text, format, &copy);
    va_end(copy);
    return iphelper_print(stream, &text);
}

static IPHELPER_UNUSED int iphelper_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    va_list copy;
    va_copy(copy, arguments);
    iphelper_format(&text, 0, format, &copy);
    va_end(copy);
    return iphelper_store(buffer, size, &text);
}

static IPHELPER_UNUSED int iphelper_vswprintf(WCHAR *buffer, size_t size, const WCHAR *format, va_list arguments)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    va_list copy;
    va_copy(copy, arguments);
    iphelper_format_wide(&text, format, &copy);
    va_end(copy);
    return iphelper_store_wide(buffer, size, &text);
}

#define IPHELPER_VARIADIC(call)      \
    int result;                      \
    va_list arguments;               \
    va_start(arguments, format);     \
    result = call;                   \
    va_end(arguments);               \
    return result

static IPHELPER_UNUSED int iphelper_printf(const char *format, ...)
{
    IPHELPER_VARIADIC(iphelper_vfprintf(stdout, format, arguments));
}

static IPHELPER_UNUSED int iphelper_fprintf(FILE *stream, const char *format, ...)
{
    IPHELPER_VARIADIC(iphelper_vfprintf(stream, format, arguments));
}

static IPHELPER_UNUSED int iphelper_snprintf(char *buffer, size_t size, const char *format, ...)
{
    IPHELPER_VARIADIC(iphelper_vsnprintf(buffer, size, format, arguments));
}

static IPHELPER_UNUSED int iphelper_sprintf(char *buffer, const char *format, ...)
{
    IPHELPER_VARIADIC(iphelper_vsnprintf(buffer, (size_t)-1 / 2, format, arguments));
}

static IPHELPER_UNUSED int iphelper_wprintf(const WCHAR *format, ...)
{
    IPHELPER_VARIADIC(iphelper_vfwprintf(stdout, format, arguments));
}

static IPHELPER_UNUSED int iphelper_fwprintf(FILE *stream, const WCHAR *format, ...)
{
    IPHELPER_VARIADIC(iphelper_vfwprintf(stream, format, arguments));
}

static IPHELPER_UNUSED int iphelper_swprintf(WCHAR *buffer, size_t size, const WCHAR *format, ...)
{
    IPHELPER_VARIADIC(iphelper_vswprintf(buffer, size, format, arguments));
}

static IPHELPER_UNUSED int iphelper_fputws(const WCHAR *string, FILE *stream)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    iphelper_append_wide(&text, string, (size_t)-1);
    return iphelper_print(stream, &text);
}

static IPHELPER_UNUSED int iphelper_fputwc(WCHAR unit, FILE *stream)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    iphelper_append_character(&text, (uint16_t)unit);
    return iphelper_print(stream, &text) < 0 ? -1 : (uint16_t)unit;
}

/* A line of UTF-8, of at most `room` units with its terminator. What does not fit is dropped. */
static IPHELPER_UNUSED WCHAR *iphelper_fgetws(WCHAR *line, int room, FILE *stream)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    int byte;
    while ((byte = fgetc(stream)) != EOF) {
        char narrow = (char)byte;
        iphelper_append(&text, &narrow, 1);
        if (byte == '\n')
            break;
    }
    if (text.bytes == NULL || room <= 0) {
        free(text.bytes);
        return NULL;
    }
    iphelper_to_wide(line, (size_t)room, text.bytes);
    free(text.bytes);
    return line;
}

static IPHELPER_UNUSED int iphelper_putws(const WCHAR *string)
{
    int written = iphelper_fputws(string, stdout);
    return written < 0 || fputc('\n', stdout) == EOF ? -1 : written;
}

/* 16-bit strings: the host's functions would take them for 32-bit ones. */
static IPHELPER_UNUSED size_t iphelper_wcsnlen(const WCHAR *string, size_t limit)
{
    size_t length = 0;
    while (length < limit && string[length] != 0)
        length++;
    return length;
}

static IPHELPER_UNUSED size_t iphelper_wcslen(const WCHAR *string)
{
    return iphelper_wcsnlen(string, (size_t)-1);
}

static IPHELPER_UNUSED int iphelper_wcsncmp(const WCHAR *a, const WCHAR *b, size_t count)
{
    for (; count > 0; count--, a++, b++)
        if (*a != *b || *a == 0)
            return (int)(uint16_t)*a - (int)(uint16_t)*b;
    return 0;
}

static IPHELPER_UNUSED int iphelper_wcscmp(const WCHAR *a, const WCHAR *b)
{
    return iphelper_wcsncmp(a, b, (size_t)-1);
}

/* Letters of ASCII alone are the same in both cases. */
static IPHELPER_UNUSED int iphelper_wcsicmp(const WCHAR *a, const WCHAR *b)
{
    for (;; a++, b++) {
        int left = (uint16_t)*a, right = (uint16_t)*b;
        if (left >= 'A' && left <= 'Z')
            left += 'a' - 'A';
        if (right >= 'A' && right <= 'Z')
            right += 'a' - 'A';
        if (left != right || left == 0)
            return left - right;
    }
}

static IPHELPER_UNUSED WCHAR *iphelper_wcscpy(WCHAR *target, const WCHAR *source)
{
    size_t at = 0;
    do
        target[at] = source[at];
    while (source[at++] != 0);
    return target;
}

static IPHELPER_UNUSED WCHAR *iphelper_wcsncpy(WCHAR *target, const WCHAR *source, size_t count)
{
    size_t at;
    for (at = 0; at < count && source[at] != 0; at++)
        target[at] = source[at];
    for (; at < count; at++)
        target[at] = 0;
    return target;
}

static IPHELPER_UNUSED WCHAR *iphelper_wcscat(WCHAR *target, const WCHAR *source)
{
    iphelper_wcscpy(target + iphelper_wcslen(target), source);
    return target;
}

static IPHELPER_UNUSED WCHAR *iphelper_wcschr(const WCHAR *string, WCHAR wanted)
{
    for (;; string++) {
        if (*string == wanted)
            return (WCHAR *)(uintptr_t)string;
        if (*string == 0)
            return NULL;
    }
}

static IPHELPER_UNUSED WCHAR *iphelper_wcsstr(const WCHAR *string, const WCHAR *wanted)
{
    size_t length = iphelper_wcslen(wanted);
    for (;; string++) {
        if (iphelper_wcsncmp(string, wanted, length) == 0)
            return (WCHAR *)(uintptr_t)string;
        if (*string == 0)
            return NULL;
    }
}

static IPHELPER_UNUSED WCHAR *iphelper_wcsrchr(const WCHAR *string, WCHAR wanted)
{
    const WCHAR *at = string + iphelper_wcslen(string);
    for (;; at--) {
        if (*at == wanted)
            return (WCHAR *)(uintptr_t)at;
        if (at == string)
            return NULL;
    }
}

static IPHELPER_UNUSED WCHAR *iphelper_wcsdup(const WCHAR *string)
{
    size_t size = (iphelper_wcslen(string) + 1) * sizeof *string;
    WCHAR *copy = (WCHAR *)malloc(size);
    return copy == NULL ? NULL : (WCHAR *)memcpy(copy, string, size);
}

static IPHELPER_UNUSED WCHAR *iphelper_wmemcpy(WCHAR *target, const WCHAR *source, size_t count)
{
    return (WCHAR *)memcpy(target, source, count * sizeof *target);
}

static IPHELPER_UNUSED WCHAR *iphelper_wmemset(WCHAR *target, WCHAR unit, size_t count)
{
    size_t at;
    for (at = 0; at < count; at++)
        target[at] = unit;
    return target;
}

/* Narrow strings are UTF-8. */
static IPHELPER_UNUSED size_t iphelper_mbstowcs(WCHAR *wide, const char *narrow, size_t room)
{
    size_t units = iphelper_to_wide(NULL, 0, narrow);
    WCHAR *whole;
    if (wide == NULL)
        return units;
    whole = (WCHAR *)malloc((units + 1) * sizeof *whole);
    if (whole == NULL)
        return (size_t)-1;
    iphelper_to_wide(whole, units + 1, narrow);
    memcpy(wide, whole, (units < room ? units + 1 : room) * sizeof *whole);
    free(whole);
    return units < room ? units : room;
}

static IPHELPER_UNUSED size_t iphelper_wcstombs(char *narrow, const WCHAR *wide, size_t room)
{
    struct iphelper_text text = { NULL, 0, 0, 0 };
    size_t count;
    iphelper_append_wide(&text, wide, (size_t)-1);
    count = text.failed ? (size_t)-1 : text.used;
    if (narrow != NULL && !text.failed) {
        count = text.used < room ? text.used : room;
        if (text.used > 0)
            memcpy(narrow, text.bytes, count);
        if (count < room)
            narrow[count] = 0;
    }
    free(text.bytes);
    return count;
}

/* Copies that fail where the target is too small, instead of writing behind it. */
static IPHELPER_UNUSED int iphelper_copy_checked(void *target, size_t room, const void *source, size_t size, size_t unit)
{
    if (target == NULL || room == 0)
        return EINVAL;
    if (source == NULL || size > room) {
        memset(target, 0, unit);
        return source == NULL ? EINVAL : ERANGE;
    }
    memcpy(target, source, size);
    return 0;
}

static IPHELPER_UNUSED int iphelper_strcpy_s(char *target, size_t room, const char *source)
{
    return iphelper_copy_checked(target, room, source, source != NULL ? strlen(source) + 1 : 0, 1);
}

static IPHELPER_UNUSED int iphelper_wcscpy_s(WCHAR *target, size_t room, const WCHAR *source)
{
    size_t size = source != NULL ? (iphelper_wcslen(source) + 1) * sizeof *source : 0;
    return iphelper_copy_checked(target, room * sizeof *target, source, size, sizeof *target);
}

static IPHELPER_UNUSED int iphelper_strcat_s(char *target, size_t room, const char *source)
{
    size_t used = target != NULL ? iphelper_strnlen(target, room) : room;
    return used >= room ? EINVAL : iphelper_strcpy_s(target + used, room - used, source);
}

static IPHELPER_UNUSED int iphelper_wcscat_s(WCHAR *target, size_t room, const WCHAR *source)
{
    size_t used = target != NULL ? iphelper_wcsnlen(target, room) : room;
    return used >= room ? EINVAL : iphelper_wcscpy_s(target + used, room - used, source);
}

/* The number that the ASCII characters at the string's beginning are. */
static IPHELPER_UNUSED unsigned long long iphelper_wcstoull(const WCHAR *string, WCHAR **end, int base)
{
    char digits[128];
    char *stop;
    size_t count = 0;
    unsigned long long number;
    while (count < sizeof digits - 1 && string[count] != 0 && (uint16_t)string[count] < 0x80) {
        digits[count] = (char)string[count];
        count++;
    }
    digits[count] = 0;
    number = strtoull(digits, &stop, base);
    if (end != NULL)
        *end = (WCHAR *)(uintptr_t)(string + (stop - digits));
    return number;
}

static IPHELPER_UNUSED ULONG iphelper_wcstoul(const WCHAR *string, WCHAR **end, int base)
{
    unsigned long long number = iphelper_wcstoull(string, end, base);
    return number > 0xFFFFFFFF && number < 0xFFFFFFFF00000000 ? 0xFFFFFFFF : (ULONG)number;
}

static IPHELPER_UNUSED LONG iphelper_wcstol(const WCHAR *string, WCHAR **end, int base)
{
    long long number = (long long)iphelper_wcstoull(string, end, base);
    return number > 0x7FFFFFFF ? 0x7FFFFFFF : number < -0x7FFFFFFFLL - 1 ? -0x7FFFFFFF - 1 : (LONG)number;
}

static IPHELPER_UNUSED int iphelper_wtoi(const WCHAR *string)
{
    return (int)iphelper_wcstoull(string, NULL, 10);
}

/* `int wmain(int argc, WCHAR **argv)`: a main that widens the arguments for it. */
static IPHELPER_UNUSED int iphelper_run_wmain(int (*program)(int, WCHAR **), int argc, char **argv)
{
    WCHAR **wide = (WCHAR **)calloc((size_t)argc + 1, sizeof *wide);
    int position, result;
    for (position = 0; wide != NULL && position < argc; position++) {
        size_t room = iphelper_to_wide(NULL, 0, argv[position]) + 1;
        wide[position] = (WCHAR *)calloc(room, sizeof **wide);
        if (wide[position] == NULL)
            return 3;
        iphelper_to_wide(wide[position], room, argv[position]);
    }
    result = wide == NULL ? 3 : program(argc, wide);
    for (position = 0; wide != NULL && position < argc; position++)
        free(wide[position]);
    free(wide);
    return result;
}

#define wmain(...)                                                     \
    iphelper_wmain(__VA_ARGS__);                                       \
    int main(int argc, char **argv)                                    \
    {                                                                  \
        return iphelper_run_wmain(iphelper_wmain, argc, argv);         \
    }                                                                  \
    int iphelper_wmain(__VA_ARGS__)

#ifndef IPHELPER_NO_STDIO
#define printf iphelper_printf
#define fprintf iphelper_fprintf
#define sprintf iphelper_sprintf
#define snprintf iphelper_snprintf
#define vprintf(format, arguments) iphelper_vfprintf(stdout, format, arguments)
#define vfprintf iphelper_vfprintf
#define vsnprintf iphelper_vsnprintf
#define printf_s iphelper_printf
#define fprintf_s iphelper_fprintf
#define sprintf_s iphelper_snprintf
#define _snprintf iphelper_snprintf
#define wprintf iphelper_wprintf
#define fwprintf iphelper_fwprintf
#define swprintf iphelper_swprintf
#define vwprintf(format, arguments) iphelper_vfwprintf(stdout, format, arguments)
#define vfwprintf iphelper_vfwprintf
#define vswprintf iphelper_vswprintf
#define wprintf_s iphelper_wprintf
#define fwprintf_s iphelper_fwprintf
#define swprintf_s iphelper_swprintf
#define _snwprintf iphelper_swprintf
#define fputws iphelper_fputws
#define fputwc iphelper_fputwc
#define putwchar(unit) iphelper_fputwc(unit, stdout)
#define fgetws iphelper_fgetws
#define _putws iphelper_putws
#define mbstowcs iphelper_mbstowcs
#define wcstombs iphelper_wcstombs
#define strcpy_s iphelper_strcpy_s
#define strcat_s iphelper_strcat_s
#define wcscpy_s iphelper_wcscpy_s
#define wcscat_s iphelper_wcscat_s
#define wmemcpy iphelper_wmemcpy
#define wmemset iphelper_wmemset
#define wcsrchr iphelper_wcsrchr
#define wcstol iphelper_wcstol
#define _wcsdup iphelper_wcsdup
#define wcslen iphelper_wcslen
#define wcsnlen iphelper_wcsnlen
#define wcscmp iphelper_wcscmp
#define wcsncmp iphelper_wcsncmp
#define wcscpy iphelper_wcscpy
#define wcsncpy iphelper_wcsncpy
#define wcscat iphelper_wcscat
#define wcschr iphelper_wcschr
#define wcsstr iphelper_wcsstr
#define wcstoul iphelper_wcstoul
#define wcstoull iphelper_wcstoull
#define _wcstoui64 iphelper_wcstoull
#define _wcsicmp iphelper_wcsicmp
#define _wtoi iphelper_wtoi
#endif

#ifdef __cplusplus
}
#ifndef IPHELPER_NO_STDIO
/* std::printf is to be found under the name that the macro gives it. */
namespace std {
using ::iphelper_fprintf;
using ::iphelper_fwprintf;
using ::iphelper_printf;
using ::iphelper_snprintf;
using ::iphelper_sprintf;
using ::iphelper_swprintf;
using ::iphelper_vfprintf;
using ::iphelper_vsnprintf;
using ::iphelper_mbstowcs;
using ::iphelper_wcstombs;
using ::iphelper_wcscmp;
using ::iphelper_wcscpy;
using ::iphelper_wcslen;
using ::iphelper_wprintf;
}
#endif
#endif

#endif
