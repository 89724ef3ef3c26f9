/* Extended statistics of one connection: switched on, then printed. Usage: estats LOCAL_PORT REMOTE_PORT, of 127.0.0.1. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
#include <tcpestats.h>
#include <stdio.h>
#include <stdlib.h>

static void set(PMIB_TCPROW row, TCP_ESTATS_TYPE type)
{
    TCP_ESTATS_DATA_RW_v0 one;
    TCP_ESTATS_BANDWIDTH_RW_v0 two;
    PUCHAR rw = (PUCHAR)&one;
    ULONG size = sizeof(one), status;

    one.EnableCollection = TRUE;
    if (type == TcpConnectionEstatsBandwidth) {
        two.EnableCollectionOutbound = TcpBoolOptEnabled;
        two.EnableCollectionInbound = TcpBoolOptUnchanged;
        rw = (PUCHAR)&two;
        size = sizeof(two);
    }
    status = SetPerTcpConnectionEStats(row, type, rw, 0, size, 0);
    if (status != NO_ERROR)
        printf("set %d: %lu\n", type, (unsigned long)status);
}

#define GET(name, type, part) \
    status = GetPerTcpConnectionEStats(&row, type, NULL, 0, 0, NULL, 0, 0, (PUCHAR)&part, 0, sizeof(part)); \
    if (status != NO_ERROR) { \
        printf("%s: %lu\n", name, (unsigned long)status); \
        return 1; \
    }

int main(int count, char **words)
{
    MIB_TCPROW row;
    TCP_ESTATS_SYN_OPTS_ROS_v0 options;
    TCP_ESTATS_DATA_ROD_v0 data;
    TCP_ESTATS_DATA_RW_v0 on;
    TCP_ESTATS_SND_CONG_ROD_v0 congestion;
    TCP_ESTATS_PATH_ROD_v0 path;
    TCP_ESTATS_REC_ROD_v0 receive;
    TCP_ESTATS_OBS_REC_ROD_v0 peer;
    TCP_ESTATS_FINE_RTT_ROD_v0 times;
    ULONG status;
    int type;

    if (count != 3)
        return 2;
    ZeroMemory(&row, sizeof(row));
    row.dwState = MIB_TCP_STATE_ESTAB;
    row.dwLocalAddr = row.dwRemoteAddr = htonl(INADDR_LOOPBACK);
    row.dwLocalPort = htons((u_short)atoi(words[1]));
    row.dwRemotePort = htons((u_short)atoi(words[2]));
    for (type = TcpConnectionEstatsData; type < TcpConnectionEstatsMaximum; type++)
        set(&row, (TCP_ESTATS_TYPE)type);
    status = GetPerTcpConnectionEStats(&row, TcpConnectionEstatsSynOpts, NULL, 0, 0, (PUCHAR)&options, 0,
        sizeof(options), NULL, 0, 0);
    if (status != NO_ERROR)
        return 1;
    status = GetPerTcpConnectionEStats(&row, TcpConnectionEstatsData, (PUCHAR)&on, 0, sizeof(on), NULL, 0, 0,
        (PUCHAR)&data, 0, sizeof(data));
    if (status != NO_ERROR)
        return 1;
    GET("congestion", TcpConnectionEstatsSndCong, congestion);
    GET("path", TcpConnectionEstatsPath, path);
    GET("receive", TcpConnectionEstatsRec, receive);
    GET("peer", TcpConnectionEstatsObsRec, peer);
    GET("times", TcpConnectionEstatsFineRtt, times);
    printf("advmss:%lu mss:%lu on:%d\n", (unsigned long)options.MssSent, (unsigned long)path.CurMss,
        on.EnableCollection);
    printf("bytes_sent:%llu bytes_acked:%llu bytes_received:%llu\n", (unsigned long long)data.DataBytesOut,
        (unsigned long long)data.ThruBytesAcked, (unsigned long long)data.ThruBytesReceived);
    printf("segs_out:%llu segs_in:%llu data_segs_out:%llu data_segs_in:%llu\n", (unsigned long long)data.SegsOut,
        (unsigned long long)data.SegsIn, (unsigned long long)data.DataSegsOut, (unsigned long long)data.DataSegsIn);
    printf("rto:%lu cwnd:%lu\n", (unsigned long)path.CurRto, (unsigned long)(congestion.CurCwnd / path.CurMss));
    printf("rtt:%g/%g minrtt:%g\n", times.SumRtt / 1000.0, times.RttVar / 1000.0, times.MinRtt / 1000.0);
    printf("wscale:%d,%d snd_wnd:%lu\n", peer.WinScaleRcvd, receive.WinScaleSent, (unsigned long)peer.CurRwinRcvd);
    return 0;
}
