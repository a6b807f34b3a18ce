#!/bin/sh
# Runs every fuzz target of the module for the given time or number of inputs, one
# after the other, as `go test -fuzz` takes only one. Usage: fuzz.sh TIME
# A number is the better choice for a test: go test now and then takes the end of a
# short time for a failure. Inputs are not minimised, which takes up to a minute.
set -eu
time=${1:-4000x}
go=${GO:-go}

grep -rl '^func Fuzz' --include='*_test.go' . | while read -r file; do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		dir=$(dirname "$file")
		out=$("$go" test -run='^$' -fuzz="^$target\$" -fuzztime="$time" -fuzzminimizetime=1x "$dir" 2>&1) || {
			printf '%s\n' "$out"
			exit 1
		}
		printf '%s\n' "$out" | tail -n 1 | sed "s|\$| $target|"
	done
done
