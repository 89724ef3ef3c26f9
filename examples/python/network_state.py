"""Lists IPv4 TCP connections with their processes, closes one, waits for changes of addresses: a program for Windows, by
ctypes alone.

    network_state.py connections
    network_state.py changes COUNT
    network_state.py close LOCAL PORT REMOTE PORT

On Linux: python3 windows_ctypes.py network_state.py connections
"""
import ctypes
import socket
import sys
from ctypes import wintypes

iphlpapi = ctypes.WinDLL("iphlpapi.dll")
kernel32 = ctypes.WinDLL("kernel32.dll", use_last_error=True)

NO_ERROR = 0
ERROR_INSUFFICIENT_BUFFER = 122
AF_INET = 2
TCP_TABLE_OWNER_PID_ALL = 5
MIB_TCP_STATE_DELETE_TCB = 12
ERROR_IO_PENDING = 997
INFINITE = 0xFFFFFFFF
WAIT_OBJECT_0 = 0
STATES = ["?", "CLOSED", "LISTEN", "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2",
          "CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT", "DELETE_TCB"]


class MIB_TCPROW(ctypes.Structure):
    _fields_ = [(name, wintypes.DWORD) for name in
                ("dwState", "dwLocalAddr", "dwLocalPort", "dwRemoteAddr", "dwRemotePort")]


class MIB_TCPROW_OWNER_PID(MIB_TCPROW):
    _fields_ = [("dwOwningPid", wintypes.DWORD)]


class OVERLAPPED(ctypes.Structure):
    _fields_ = [("Internal", ctypes.c_size_t), ("InternalHigh", ctypes.c_size_t), ("Offset", wintypes.DWORD),
                ("OffsetHigh", wintypes.DWORD), ("hEvent", wintypes.HANDLE)]


iphlpapi.GetExtendedTcpTable.argtypes = [
    ctypes.c_void_p, wintypes.PDWORD, wintypes.BOOL, wintypes.ULONG, ctypes.c_int, wintypes.ULONG]
iphlpapi.GetExtendedTcpTable.restype = wintypes.DWORD
iphlpapi.SetTcpEntry.argtypes = [ctypes.POINTER(MIB_TCPROW)]
iphlpapi.SetTcpEntry.restype = wintypes.DWORD
iphlpapi.NotifyAddrChange.argtypes = [ctypes.POINTER(wintypes.HANDLE), ctypes.POINTER(OVERLAPPED)]
iphlpapi.NotifyAddrChange.restype = wintypes.DWORD
kernel32.CreateEventW.argtypes = [ctypes.c_void_p, wintypes.BOOL, wintypes.BOOL, ctypes.c_void_p]
kernel32.CreateEventW.restype = wintypes.HANDLE
kernel32.WaitForSingleObject.argtypes = [wintypes.HANDLE, wintypes.DWORD]
kernel32.WaitForSingleObject.restype = wintypes.DWORD
kernel32.CloseHandle.argtypes = [wintypes.HANDLE]


def rows():
    """The table's rows. It may grow between two calls, so ask until it fits."""
    size = wintypes.DWORD(0)
    table = None
    while True:
        code = iphlpapi.GetExtendedTcpTable(
            table, ctypes.byref(size), True, AF_INET, TCP_TABLE_OWNER_PID_ALL, 0)
        if code != ERROR_INSUFFICIENT_BUFFER:
            break
        table = ctypes.create_string_buffer(size.value)
    if code != NO_ERROR:
        raise ctypes.WinError(code)
    count = wintypes.DWORD.from_buffer(table).value
    return (MIB_TCPROW_OWNER_PID * count).from_buffer(table, ctypes.sizeof(wintypes.DWORD))


def end(address, port):
    """An address is in network byte order, a port too, in the low half of its member."""
    host = socket.inet_ntoa(address.to_bytes(4, sys.byteorder))
    return f"{host}:{socket.ntohs(port & 0xFFFF)}"


def connections():
    for row in rows():
        local, remote = end(row.dwLocalAddr, row.dwLocalPort), end(row.dwRemoteAddr, row.dwRemotePort)
        print(f"{local:<22} {remote:<22} {STATES[row.dwState]:<11} {row.dwOwningPid}")


def close(local, local_port, remote, remote_port):
    def address(text):
        return int.from_bytes(socket.inet_aton(text), sys.byteorder)

    row = MIB_TCPROW(MIB_TCP_STATE_DELETE_TCB, address(local), socket.htons(int(local_port)),
                     address(remote), socket.htons(int(remote_port)))
    code = iphlpapi.SetTcpEntry(ctypes.byref(row))
    if code != NO_ERROR:
        raise ctypes.WinError(code)
    print("closed")


def changes(count):
    """Each request is good for one change."""
    handle, overlapped = wintypes.HANDLE(), OVERLAPPED()
    overlapped.hEvent = kernel32.CreateEventW(None, False, False, None)
    if not overlapped.hEvent:
        raise ctypes.WinError(ctypes.get_last_error())
    for _ in range(int(count)):
        code = iphlpapi.NotifyAddrChange(ctypes.byref(handle), ctypes.byref(overlapped))
        if code != ERROR_IO_PENDING:
            raise ctypes.WinError(code)
        print("waiting", flush=True)
        if kernel32.WaitForSingleObject(overlapped.hEvent, INFINITE) != WAIT_OBJECT_0:
            raise ctypes.WinError(ctypes.get_last_error())
        print("changed", flush=True)
    if not kernel32.CloseHandle(overlapped.hEvent):
        raise ctypes.WinError(ctypes.get_last_error())


def main(arguments):
    if arguments[:1] == ["connections"] and len(arguments) == 1:
        connections()
    elif arguments[:1] == ["changes"] and len(arguments) == 2:
        changes(arguments[1])
    elif arguments[:1] == ["close"] and len(arguments) == 5:
        close(*arguments[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
