#!/bin/sh
# Runs every fuzz target of the module for the given time or number of inputs, one
# after the other, as `go test -fuzz` takes only one. Usage: fuzz.sh TIME
#
# go test now and then takes the end of a short time for a failure, and says no
# more than "context deadline exceeded"; such a run is repeated. Inputs are not
# minimised, which takes up to a minute.
set -eu
time=${1:-2s}
go=${GO:-go}

fuzz() { # target directory
	for try in 1 2 3; do
		if out=$("$go" test -run='^$' -fuzz="^$1\$" -fuzztime="$time" -fuzzminimizetime=1x "$2" 2>&1); then
			printf '%s\n' "$out" | tail -n 1 | sed "s|\$| $1|"
			return 0
		fi
		case $out in
		*'Failing input written'* | *'panic'*) break ;;
		*'context deadline exceeded'*) ;;
		*) break ;;
		esac
	done
	printf '%s\n' "$out"
	return 1
}

grep -rl '^func Fuzz' --include='*_test.go' . | while read -r file; do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		fuzz "$target" "$(dirname "$file")" || exit 1
	done
done
