#!/bin/sh
# Runs every fuzz target of the module for the given time, one after the other, as
# `go test -fuzz` takes only one. Usage: fuzz.sh TIME
set -eu
time=${1:-3s}
go=${GO:-go}

grep -rl '^func Fuzz' --include='*_test.go' . | while read -r file; do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		dir=$(dirname "$file")
		out=$("$go" test -run='^$' -fuzz="^$target\$" -fuzztime="$time" "$dir" 2>&1) || {
			printf '%s\n' "$out"
			exit 1
		}
		printf '%s\n' "$out" | tail -n 1 | sed "s|\$| $target|"
	done
done
