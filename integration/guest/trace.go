//go:build linux

package guest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"burnfs/mmc"
)

// traced is how many lines a trace keeps.
const traced = 500

// Trace passes commands on to a drive and remembers the last ones.
type Trace struct {
	mmc.Transport

	mu    sync.Mutex
	lines []line // guarded by mu; the oldest first, at most traced
	lost  int    // guarded by mu; lines that went
}

// line is a command, or several in succession that were the same in all but
// the address.
type line struct {
	op      mmc.Opcode
	cdb     []byte // of the first
	outcome string
	times   int
	bytes   int // moved by all
}

// NewTrace remembers what a drive is told.
func NewTrace(drive mmc.Transport) *Trace { return &Trace{Transport: drive} }

// Execute implements mmc.Transport.
func (t *Trace) Execute(ctx context.Context, cmd *mmc.Command) error {
	l := line{op: cmd.Opcode(), cdb: append([]byte(nil), cmd.CDB...), times: 1}
	err := t.Transport.Execute(ctx, cmd)
	var sense *mmc.SenseError
	switch {
	case errors.As(err, &sense):
		l.outcome = fmt.Sprintf("%X/%02X/%02X", uint8(sense.Key), sense.ASC, sense.ASCQ)
		if sense.Deferred {
			l.outcome += " deferred"
		}
	case err != nil:
		l.outcome = err.Error()
	default:
		l.bytes = len(cmd.Transferred())
	}
	t.note(l)
	return err
}

func (t *Trace) note(l line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.lines); n > 0 {
		last := &t.lines[n-1]
		if last.op == l.op && last.outcome == l.outcome && (addressed(l.op) || string(last.cdb) == string(l.cdb)) {
			last.times++
			last.bytes += l.bytes
			return
		}
		if n == traced {
			t.lines = append(t.lines[:0], t.lines[1:]...)
			t.lost++
		}
	}
	t.lines = append(t.lines, l)
}

// addressed are the commands of which one differs from the next by nothing of
// interest.
func addressed(op mmc.Opcode) bool {
	switch op {
	case mmc.OpRead10, mmc.OpWrite10, mmc.OpRead12, mmc.OpWrite12, 0xbe: // READ CD
		return true
	}
	return false
}

// String lists the commands, the oldest first.
func (t *Trace) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	if t.lost > 0 {
		fmt.Fprintf(&b, "(%d lines before these)\n", t.lost)
	}
	for _, l := range t.lines {
		fmt.Fprintf(&b, "%-26v % x", l.op, l.cdb)
		if l.times > 1 {
			fmt.Fprintf(&b, "  %d times", l.times)
		}
		if l.bytes > 0 {
			fmt.Fprintf(&b, "  %d bytes", l.bytes)
		}
		if l.outcome != "" {
			fmt.Fprintf(&b, "  -> %s", l.outcome)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
