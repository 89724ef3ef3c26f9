// Lists IPv4 TCP connections with their processes, closes one, lists routes, asks for an echo: a program for Windows.
//
//     NetworkState.exe connections
//     NetworkState.exe close LOCAL PORT REMOTE PORT
//     NetworkState.exe routes
//     NetworkState.exe ping ADDRESS
//
// On Linux Mono finds the library by NetworkState.exe.config: mcs NetworkState.cs && mono NetworkState.exe connections
using System;
using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;

static class NativeMethods
{
    public const int NoError = 0;
    public const int ErrorInsufficientBuffer = 122;
    public const uint AfInet = 2;
    public const int TcpTableOwnerPidAll = 5;
    public const uint MibTcpStateDeleteTcb = 12;

    [StructLayout(LayoutKind.Sequential)]
    public struct MibTcpRow
    {
        public uint State;
        public uint LocalAddress;
        public uint LocalPort;
        public uint RemoteAddress;
        public uint RemotePort;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct MibTcpRowOwnerPid
    {
        public MibTcpRow Row;
        public uint OwningPid;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct MibIpForwardRow
    {
        public uint Destination, Mask, Policy, NextHop, InterfaceIndex, Type, Protocol, Age, NextHopAs;
        public uint Metric1, Metric2, Metric3, Metric4, Metric5;
    }

    [DllImport("iphlpapi.dll")]
    public static extern int GetExtendedTcpTable(
        IntPtr table, ref int size, bool order, uint family, int tableClass, uint reserved);

    [DllImport("iphlpapi.dll")]
    public static extern int SetTcpEntry(ref MibTcpRow row);

    [DllImport("iphlpapi.dll")]
    public static extern int GetIpForwardTable(IntPtr table, ref int size, bool order);

    [DllImport("iphlpapi.dll", SetLastError = true)]
    public static extern IntPtr IcmpCreateFile();

    [DllImport("iphlpapi.dll", SetLastError = true)]
    public static extern uint IcmpSendEcho(
        IntPtr handle, uint address, byte[] data, ushort size, IntPtr options, byte[] reply, int replySize, int timeout);

    [DllImport("iphlpapi.dll", SetLastError = true)]
    public static extern bool IcmpCloseHandle(IntPtr handle);
}

static class NetworkState
{
    static readonly string[] States =
    {
        "?", "CLOSED", "LISTEN", "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT",
        "CLOSING", "LAST_ACK", "TIME_WAIT", "DELETE_TCB"
    };

    delegate int Ask(IntPtr table, ref int size);

    static int Main(string[] arguments)
    {
        try
        {
            if (arguments.Length == 1 && arguments[0] == "connections")
                Connections();
            else if (arguments.Length == 5 && arguments[0] == "close")
                Close(arguments);
            else if (arguments.Length == 1 && arguments[0] == "routes")
                Routes();
            else if (arguments.Length == 2 && arguments[0] == "ping")
                Ping(arguments[1]);
            else
                throw new ArgumentException(
                    "usage: connections | close LOCAL PORT REMOTE PORT | routes | ping ADDRESS");
            return 0;
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }

    static void Connections()
    {
        Ask ask = (IntPtr table, ref int size) => NativeMethods.GetExtendedTcpTable(
            table, ref size, true, NativeMethods.AfInet, NativeMethods.TcpTableOwnerPidAll, 0);
        ForEach<NativeMethods.MibTcpRowOwnerPid>("GetExtendedTcpTable", ask, row =>
        {
            string local = End(row.Row.LocalAddress, row.Row.LocalPort);
            string remote = End(row.Row.RemoteAddress, row.Row.RemotePort);
            Console.WriteLine("{0,-22} {1,-22} {2,-11} {3}", local, remote, States[row.Row.State], row.OwningPid);
        });
    }

    static void Close(string[] arguments)
    {
        var row = new NativeMethods.MibTcpRow
        {
            State = NativeMethods.MibTcpStateDeleteTcb,
            LocalAddress = Address(arguments[1]),
            LocalPort = Port(arguments[2]),
            RemoteAddress = Address(arguments[3]),
            RemotePort = Port(arguments[4]),
        };
        Check("SetTcpEntry", NativeMethods.SetTcpEntry(ref row));
        Console.WriteLine("closed");
    }

    static void Routes()
    {
        Ask ask = (IntPtr table, ref int size) => NativeMethods.GetIpForwardTable(table, ref size, true);
        ForEach<NativeMethods.MibIpForwardRow>("GetIpForwardTable", ask, row =>
        {
            Console.WriteLine("{0} {1} by {2} interface {3} metric {4}", new IPAddress(row.Destination),
                new IPAddress(row.Mask), new IPAddress(row.NextHop), row.InterfaceIndex, row.Metric1);
        });
    }

    // Of functions that return no code the last error tells why they failed.
    static void Ping(string address)
    {
        IntPtr handle = NativeMethods.IcmpCreateFile();
        if (handle == new IntPtr(-1))
            throw new Win32Exception(0, "IcmpCreateFile: " + Marshal.GetLastWin32Error());
        var data = new byte[32];
        var reply = new byte[256];
        uint count = NativeMethods.IcmpSendEcho(
            handle, Address(address), data, (ushort)data.Length, IntPtr.Zero, reply, reply.Length, 2000);
        int error = Marshal.GetLastWin32Error();
        NativeMethods.IcmpCloseHandle(handle);
        if (count == 0)
            throw new Win32Exception(0, "IcmpSendEcho: " + error);
        Console.WriteLine("{0} answers, status {1}", new IPAddress(BitConverter.ToUInt32(reply, 0)),
            BitConverter.ToUInt32(reply, 4));
    }

    // The rows of a table. It may grow between two calls, so ask until it fits.
    static void ForEach<T>(string function, Ask ask, Action<T> action)
    {
        int size = 0;
        IntPtr table = IntPtr.Zero;
        try
        {
            int code;
            while ((code = ask(table, ref size)) == NativeMethods.ErrorInsufficientBuffer)
            {
                Marshal.FreeHGlobal(table);
                table = Marshal.AllocHGlobal(size);
            }
            Check(function, code);
            int count = Marshal.ReadInt32(table);
            for (int i = 0; i < count; i++)
            {
                IntPtr row = IntPtr.Add(table, 4 + i * Marshal.SizeOf(typeof(T)));
                action((T)Marshal.PtrToStructure(row, typeof(T)));
            }
        }
        finally
        {
            Marshal.FreeHGlobal(table);
        }
    }

    static void Check(string function, int code)
    {
        if (code != NativeMethods.NoError)
            throw new Win32Exception(code, function + ": " + code);
    }

    static string End(uint address, uint port)
    {
        return new IPAddress(address) + ":" + (ushort)IPAddress.NetworkToHostOrder((short)port);
    }

    static uint Address(string text)
    {
        return BitConverter.ToUInt32(IPAddress.Parse(text).GetAddressBytes(), 0);
    }

    static uint Port(string text)
    {
        return (ushort)IPAddress.HostToNetworkOrder((short)ushort.Parse(text));
    }
}
