/* A part of a program that is written as a driver: its functions return NTSTATUS and come from libnetio. */
#include <ntddk.h>

#include <netioapi.h>

NTSTATUS driver_flavour(NET_IFINDEX index);

NTSTATUS driver_flavour(NET_IFINDEX index)
{
    MIB_IF_ROW2 row;
    memset(&row, 0, sizeof row);
    row.InterfaceIndex = index;
    return GetIfEntry2(&row);
}
