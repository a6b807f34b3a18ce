// Package bench measures what a user waits for, with the real binary and a real
// mount: copying a tree in, burning it, mounting it again, walking it, reading it,
// and burning one small change. `make bench` runs it.
package bench
