#!/bin/sh
# Prints TMPDIR=/dev/shm if that may hold the files of tests: it is in memory, has room
# for them, and programs may be run from it.
set -eu

dir=/dev/shm
[ -w $dir ] || exit 0
free=$(df -Pk $dir | awk 'NR == 2 { print $4 }')
[ "$free" -ge $((2 << 20)) ] || exit 0
probe=$(mktemp $dir/burnfs-probe-XXXXXX)
trap 'rm -f "$probe"' EXIT
printf '#!/bin/sh\nexit 0\n' >"$probe"
chmod 700 "$probe"
"$probe" 2>/dev/null || exit 0
echo TMPDIR=$dir
