// Package failure holds what burnfs tells a user when something went wrong.
//
// A Failure answers three questions, in this order: what happened, what it
// means for the user's data, and what to do next. The technical cause is kept
// beside them and shown with -v. Explain is the one place where errors of the
// packages below become such answers.
package failure

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"burnfs/cmd/burnfs/internal/exitcode"
)

// Failure is an error that a user can act on. It travels as JSON from the
// daemon to the command that asked.
type Failure struct {
	Code exitcode.Code `json:"code"`
	// What happened, one sentence without a final full stop.
	What string `json:"what"`
	// Data says what this means for the user's files; may be empty when no
	// data is concerned.
	Data string `json:"data,omitempty"`
	// Next says what to do; one or more sentences.
	Next string `json:"next,omitempty"`
	// Cause is the text of the underlying error, for -v.
	Cause string `json:"cause,omitempty"`

	err error
}

// New makes a Failure; cause may be nil.
func New(code exitcode.Code, cause error, what, data, next string) *Failure {
	f := &Failure{Code: code, What: what, Data: data, Next: next, err: cause}
	if cause != nil {
		f.Cause = cause.Error()
	}
	return f
}

// Usagef is a Failure for a wrong command line.
func Usagef(format string, args ...any) *Failure {
	return New(exitcode.Usage, nil, fmt.Sprintf(format, args...), "", "See 'burnfs help'.")
}

// Error is the sentence of what happened, with the cause when there is one.
func (f *Failure) Error() string {
	if f.Cause == "" {
		return f.What
	}
	return f.What + ": " + f.Cause
}

// Unwrap is the cause, when it happened in this process.
func (f *Failure) Unwrap() error { return f.err }

// CodeOf is the exit status for err: 0 for nil, the Failure's number, or
// exitcode.General.
func CodeOf(err error) exitcode.Code {
	if err == nil {
		return exitcode.OK
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Code
	}
	return exitcode.General
}

// Print writes err for a user, each line beginning with name. The cause is
// printed when verbose is set, and always when there is nothing else to say.
func Print(w io.Writer, name string, err error, verbose bool) {
	f, ok := errors.AsType[*Failure](err)
	if !ok {
		fmt.Fprintf(w, "%s: %v\n", name, err)
		return
	}
	line := func(s string) {
		for l := range strings.SplitSeq(strings.TrimSpace(s), "\n") {
			if l != "" {
				fmt.Fprintf(w, "%s: %s\n", name, l)
			}
		}
	}
	line(f.What)
	line(f.Data)
	line(f.Next)
	if f.Cause != "" && (verbose || f.Data == "" && f.Next == "") {
		line("cause: " + f.Cause)
	}
}
