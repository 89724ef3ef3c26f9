#!/bin/sh
# Builds and installs the C libraries, their headers and their pkg-config files.
#
#     crates/capi/install.sh [--libraries FOLDER] PREFIX
#
# PREFIX is absolute, such as /usr/local. --libraries installs libraries that are built already. In the environment:
# DESTDIR is put before every path that is written, as packages want it; LIBDIR is the folder of libraries under PREFIX,
# lib unless given.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
workspace=$(cd "$here/../.." && pwd)
libraries=
if [ "${1-}" = --libraries ]; then
    libraries=${2:?a folder of libraries}
    shift 2
fi
case "${1-}" in
/*) prefix=${1%/} ;;
*)
    echo "usage: install.sh [--libraries FOLDER] PREFIX (an absolute path)" >&2
    exit 2
    ;;
esac
libdir=${LIBDIR:-lib}
root=${DESTDIR-}$prefix

if [ -z "$libraries" ]; then
    cargo build --release --manifest-path "$workspace/Cargo.toml" --package iphlpapi --package netio
    libraries=${CARGO_TARGET_DIR:-$workspace/target}/release
fi

field() { sed -n "s/^$1 = \"\(.*\)\"$/\1/p" "$workspace/Cargo.toml" | head -n 1; }
version=$(field version)
url=$(field repository)

mkdir -p "$root/$libdir/pkgconfig" "$root/include/iphelper"
for name in iphlpapi netio; do
    # The soname is what programs ask for at run time, the plain name what the linker asks for.
    install -m 755 "$libraries/lib$name.so" "$root/$libdir/lib$name.so.1"
    ln -sf "lib$name.so.1" "$root/$libdir/lib$name.so"
    sed -e "s|@PREFIX@|$prefix|" -e "s|@LIBDIR@|$libdir|" -e "s|@VERSION@|$version|" -e "s|@URL@|$url|" \
        "$here/$name/$name.pc.in" >"$root/$libdir/pkgconfig/$name.pc"
    chmod 644 "$root/$libdir/pkgconfig/$name.pc"
done
install -m 644 "$here"/include/*.h "$root/include/iphelper/"
# Windows does not mind capitals: the spellings that programs have lead to the one file.
for spelling in "$here"/include/spellings/*; do
    ln -sf "$(basename "$(readlink "$spelling")")" "$root/include/iphelper/$(basename "$spelling")"
done
# C++ keeps its own wide characters, which have 32 bits.
sed -e 's/^Name: .*/Name: iphlpapi-c++/' -e 's/ -fshort-wchar$//' "$root/$libdir/pkgconfig/iphlpapi.pc" \
    >"$root/$libdir/pkgconfig/iphlpapi-c++.pc"
chmod 644 "$root/$libdir/pkgconfig/iphlpapi-c++.pc"

echo "installed into $root; programs compile with: \$(pkg-config --cflags --libs iphlpapi)"
if [ -z "${DESTDIR-}" ]; then
    echo "if the dynamic loader looks into $prefix/$libdir, run ldconfig as root; if not, link with -Wl,-rpath,$prefix/$libdir"
fi
