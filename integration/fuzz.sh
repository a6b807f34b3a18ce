#!/bin/sh
# Runs every fuzz target of the module for the given time or number of inputs, each
# with one worker, as many side by side as there are processors: much of a short time
# is spent on building, and on the inputs that are there. Usage: fuzz.sh TIME [DIRECTORY]
#
# The targets of a package, those of the directory, come one after the other, as
# `go test -fuzz` takes only one. Its tests are built once, and run as go test runs
# them. They now and then take the end of a short time for a failure, and say no
# more than "context deadline exceeded"; such a run is repeated, and takes longer:
# the machine may be busy. Inputs are not minimised, which takes up to a minute.
set -eu
time=${1:-2s}
go=${GO:-go}
if [ -z "${2-}" ]; then
	# 255: none begins any more.
	grep -rl '^func Fuzz' --include='*_test.go' . | xargs -n 1 dirname | sort -u | xargs -n 1 -P "$(nproc)" sh -c '"$0" "$@" || exit 255' "$0" "$time"
	exit
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
corpora=$("$go" env GOCACHE)/fuzz

# longer is a time of several of the given one, or the same number of inputs.
longer() { # time
	case $1 in
	*[!0-9]*s | *x) echo "$1" ;;
	*s) echo "$((${1%s} * 5))s" ;;
	*) echo "$1" ;;
	esac
}

# stands tells whether what ended a worker does so again. Go takes it for hung when
# the machine has no time for it in ten seconds.
stands() { # target directory; $out is what was said
	input=$(printf '%s\n' "$out" | sed -n "s|.*Failing input written to \(testdata/fuzz/$1/[0-9a-f]*\)$|\1|p" | head -n 1)
	[ -n "$input" ] || return 0
	(cd "$2" && "$work/test" -test.paniconexit0 -test.timeout=1m -test.run="^$1\$/^${input##*/}\$") >/dev/null 2>&1 || return 0
	rm "$2/$input"
	return 1
}

fuzz() { # target directory package
	limit=$time
	for try in 1 2 3 4; do
		if out=$(cd "$2" && "$work/test" -test.paniconexit0 -test.run='^$' -test.fuzz="^$1\$" -test.fuzztime="$limit" -test.parallel=1 \
			-test.fuzzminimizetime=1x -test.fuzzcachedir="$corpora/$3" 2>&1); then
			printf '%s\n' "$out" | sed -n 's/^fuzz: elapsed/elapsed/p' | tail -n 1 | sed "s|^|ok  	$3 $1: |"
			return 0
		fi
		case $out in
		*'hung or terminated unexpectedly'*) stands "$1" "$2" && break ;;
		*'Failing input written'* | *'panic'*) break ;;
		*'context deadline exceeded'*) limit=$(longer "$limit") ;;
		*) break ;;
		esac
	done
	printf '%s\n' "$out"
	return 1
}

package=$("$go" list "$2")
"$go" test -c -vet=off -fuzz=. -o "$work/test" "$2" >/dev/null
for target in $(cat "$2"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); do
	fuzz "$target" "$2" "$package"
done
