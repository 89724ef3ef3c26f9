/* Part of iphelper, MIT OR Apache-2.0. */
/* Annotations of parameters, which say nothing to gcc. */
#ifndef _INC_SAL
#define _INC_SAL

#define _In_
#define _In_opt_
#define _In_z_
#define _In_reads_(size)
#define _In_reads_bytes_(size)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(size)
#define _Out_
#define _Out_opt_
#define _Out_writes_(size)
#define _Out_writes_opt_(size)
#define _Out_writes_bytes_opt_(size)
#define _Outptr_
#define _Ret_maybenull_
#define _Success_(condition)
#define _Must_inspect_result_
#define _Check_return_
#define IN
#define OUT
#define OPTIONAL

#endif
