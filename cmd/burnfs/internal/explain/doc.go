// Package explain turns errors of the packages below into what a user is told:
// what happened, what it means for the data, what to do next, and an exit code.
// It is the only such ladder; an error without a rung here is reported with its
// own text and exitcode.General.
package explain
