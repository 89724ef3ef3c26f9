"""Runs a Python program that was written for Windows' ctypes and calls IP Helper: windows_ctypes.py PROGRAM [ARGUMENT...]

A program of its own calls install() before it imports wintypes. What Python has on Windows alone is made here:

- ctypes.windll, WinDLL, WINFUNCTYPE: a library is found by its Windows' name, "iphlpapi.dll" or "iphlpapi".
- the sizes of Windows: long and DWORD have 32 bits, BOOL too.
- GetLastError, get_last_error, set_last_error, FormatError, WinError: of libiphlpapi, for each thread.
- kernel32 as far as libiphlpapi has it: events, waits, threads.

A WCHAR has 16 bits, Python's c_wchar here 32: wintypes.WCHAR is c_uint16, LPWSTR a pointer to it, and text() reads one.
"""
import ctypes
import ctypes.wintypes as wintypes
import os
import runpy
import sys

LIBRARIES = {"iphlpapi": "libiphlpapi.so.1", "icmp": "libiphlpapi.so.1", "kernel32": "libiphlpapi.so.1",
             "netio": "libnetio.so.1"}
# What Python takes from C's long, which has 64 bits here, and from C's wide character, which has 32.
SIZES = {
    "BOOL": ctypes.c_int32, "DWORD": ctypes.c_uint32, "HRESULT": ctypes.c_int32, "LONG": ctypes.c_int32,
    "ULONG": ctypes.c_uint32, "LCID": ctypes.c_uint32, "LGRPID": ctypes.c_uint32, "LCTYPE": ctypes.c_uint32,
    "COLORREF": ctypes.c_uint32, "WCHAR": ctypes.c_uint16,
}


class WinDLL(ctypes.CDLL):
    """A library by its Windows' name. Its functions return int32 unless told otherwise, as on Windows."""

    def __init__(self, name, *arguments, **options):
        known = os.path.basename(name).lower().removesuffix(".dll")
        super().__init__(LIBRARIES.get(known, name), *arguments, **options)


def text(wide):
    """The string in an array of WCHAR, or behind an LPWSTR."""
    units = []
    for unit in wide:
        if unit == 0:
            break
        units.append(unit)
    return b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le", "replace")


def _format_error(code=None):
    library = ctypes.windll.iphlpapi
    code = library.GetLastError() if code is None else code
    ignore_inserts, from_system = 0x200, 0x1000
    buffer = ctypes.create_string_buffer(1024)
    length = library.FormatMessageA(ignore_inserts | from_system, None, ctypes.c_uint32(code), 0, buffer, 1024, None)
    return buffer.raw[:length].decode().rstrip() or "<no description>"


def _win_error(code=None, description=None):
    code = ctypes.windll.iphlpapi.GetLastError() if code is None else code
    error = OSError(f"[WinError {code}] {description or _format_error(code)}")
    error.winerror = code
    return error


def install():
    """Makes Windows' names in ctypes and wintypes."""
    ctypes.c_long, ctypes.c_ulong = ctypes.c_int32, ctypes.c_uint32
    for name, size in SIZES.items():
        setattr(wintypes, name, size)
        for pointer in (f"P{name}", f"LP{name}"):
            setattr(wintypes, pointer, ctypes.POINTER(size))
    wintypes.LPWSTR = wintypes.LPCWSTR = ctypes.POINTER(ctypes.c_uint16)
    ctypes.WinDLL, ctypes.WINFUNCTYPE = WinDLL, ctypes.CFUNCTYPE
    ctypes.windll = ctypes.LibraryLoader(WinDLL)
    ctypes.GetLastError = lambda: ctypes.windll.iphlpapi.GetLastError()
    # On Windows these are a copy, since Python itself makes calls; here none of them touches the library's number.
    ctypes.get_last_error = ctypes.GetLastError
    ctypes.set_last_error = lambda code: ctypes.windll.iphlpapi.SetLastError(ctypes.c_uint32(code))
    ctypes.FormatError, ctypes.WinError = _format_error, _win_error


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    install()
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
