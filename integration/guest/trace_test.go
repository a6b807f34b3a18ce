//go:build linux

package guest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"burnfs/mmc"
)

// talker answers as its function says.
type talker func(cmd *mmc.Command) error

func (f talker) Execute(_ context.Context, cmd *mmc.Command) error { return f(cmd) }
func (talker) Close() error                                        { return nil }

func TestTrace(t *testing.T) {
	var answer error
	trace := NewTrace(talker(func(*mmc.Command) error { return answer }))
	do := func(bytes int, cdb ...byte) {
		t.Helper()
		if err := trace.Execute(t.Context(), &mmc.Command{CDB: cdb, Data: make([]byte, bytes)}); !errors.Is(err, answer) {
			t.Errorf("the drive's answer %v became %v", answer, err)
		}
	}
	do(2048, 0x2a, 0, 0, 0, 0, 1, 0, 0, 1, 0)
	do(2048, 0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0) // the next block
	do(0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	do(0, 0x5b, 0, 1, 0, 0, 1, 0, 0, 0, 0)
	do(0, 0x5b, 0, 2, 0, 0, 0, 0, 0, 0, 0) // the session, not the track
	answer = &mmc.SenseError{Op: mmc.OpWrite10, Key: 5, ASC: 0x21, ASCQ: 2}
	do(2048, 0x2a, 0, 0, 0, 0, 9, 0, 0, 1, 0)
	answer = errors.New("cut")
	do(0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0)

	want := `WRITE(10)                  2a 00 00 00 00 01 00 00 01 00  2 times  4096 bytes
SYNCHRONIZE CACHE          35 00 00 00 00 00 00 00 00 00
CLOSE TRACK/SESSION        5b 00 01 00 00 01 00 00 00 00
CLOSE TRACK/SESSION        5b 00 02 00 00 00 00 00 00 00
WRITE(10)                  2a 00 00 00 00 09 00 00 01 00  -> 5/21/02
SYNCHRONIZE CACHE          35 00 00 00 00 00 00 00 00 00  -> cut
`
	if got := trace.String(); got != want {
		t.Errorf("the trace is\n%swant\n%s", got, want)
	}

	answer = nil
	for i := range traced {
		do(0, 0x51, 0, 0, 0, 0, 0, 0, byte(i>>8), byte(i), 0)
	}
	got := trace.String()
	if !strings.HasPrefix(got, fmt.Sprintf("(%d lines before these)\n", 6)) || strings.Count(got, "\n") != traced+1 {
		t.Errorf("the trace does not stay within %d lines: %d, %.60q", traced, strings.Count(got, "\n"), got)
	}
}
