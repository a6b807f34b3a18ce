// Package manual makes the manual pages out of the commands themselves, the
// table of exit codes and the table of mount options, so that they cannot say
// anything else than the program does. genman writes them to cmd/burnfs/man, and
// a test holds the two together.
package manual
