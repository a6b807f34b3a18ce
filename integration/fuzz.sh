#!/bin/sh
# Runs every fuzz target of the module for the given time or number of inputs, one
# after the other, as `go test -fuzz` takes only one. Usage: fuzz.sh TIME
#
# A package's tests are built once for all of its targets, and run as go test runs
# them. They now and then take the end of a short time for a failure, and say no
# more than "context deadline exceeded"; such a run is repeated, and takes longer:
# the machine may be busy. Inputs are not minimised, which takes up to a minute.
set -eu
time=${1:-2s}
go=${GO:-go}
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

fuzz() { # target directory package
	limit=$time
	for try in 1 2 3 4; do
		if out=$(cd "$2" && "$work/test" -test.paniconexit0 -test.run='^$' -test.fuzz="^$1\$" -test.fuzztime="$limit" \
			-test.fuzzminimizetime=1x -test.fuzzcachedir="$corpora/$3" 2>&1); then
			printf '%s\n' "$out" | sed -n 's/^fuzz: elapsed/elapsed/p' | tail -n 1 | sed "s|^|ok  	$3 $1: |"
			return 0
		fi
		case $out in
		*'Failing input written'* | *'panic'*) break ;;
		*'context deadline exceeded'*) limit=$(longer "$limit") ;;
		*) break ;;
		esac
	done
	printf '%s\n' "$out"
	return 1
}

grep -rl '^func Fuzz' --include='*_test.go' . | xargs -n 1 dirname | sort -u | while read -r dir; do
	package=$("$go" list "$dir")
	"$go" test -c -vet=off -fuzz=. -o "$work/test" "$dir" >/dev/null || exit 1
	for target in $(cat "$dir"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); do
		fuzz "$target" "$dir" "$package" || exit 1
	done
done
