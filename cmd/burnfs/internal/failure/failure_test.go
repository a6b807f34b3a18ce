package failure

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
)

func TestPrint(t *testing.T) {
	cause := errors.New("WRITE(10) lba 4711: 3/0C/00")
	full := New(exitcode.Commit, cause, "burning failed", "nothing is lost", "try again:\n  like this")
	tests := []struct {
		err     error
		verbose bool
		want    string
		reason  string
	}{
		{full, false, "b: burning failed\nb: nothing is lost\nb: try again:\nb:   like this\n", "what, data, next; each line named"},
		{full, true, "b: burning failed\nb: nothing is lost\nb: try again:\nb:   like this\nb: cause: WRITE(10) lba 4711: 3/0C/00\n", "with -v the cause"},
		{New(exitcode.General, cause, "it failed", "", ""), false, "b: it failed\nb: cause: WRITE(10) lba 4711: 3/0C/00\n", "a cause is better than nothing"},
		{New(exitcode.Usage, nil, "no such option", "", ""), false, "b: no such option\n", "nothing to add"},
		{fmt.Errorf("wrapped: %w", full), false, "b: burning failed\nb: nothing is lost\nb: try again:\nb:   like this\n", "found inside"},
		{cause, false, "b: WRITE(10) lba 4711: 3/0C/00\n", "an error without a code"},
	}
	for _, tt := range tests {
		var out strings.Builder
		Print(&out, "b", tt.err, tt.verbose)
		if out.String() != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.reason, out.String(), tt.want)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want exitcode.Code
	}{
		{nil, 0}, {errors.New("x"), exitcode.General}, {Usagef("%d", 1), exitcode.Usage},
		{fmt.Errorf("a: %w", New(exitcode.Busy, nil, "w", "", "")), exitcode.Busy},
	} {
		if got := CodeOf(tt.err); got != tt.want {
			t.Errorf("CodeOf(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

// It travels from the daemon to the command.
func TestJSON(t *testing.T) {
	f := New(exitcode.Full, errors.New("cause"), "what", "data", "next")
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var g Failure
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	if g.Code != f.Code || g.What != f.What || g.Data != f.Data || g.Next != f.Next || g.Cause != f.Cause {
		t.Errorf("%s became %+v", b, g)
	}
	if f.Error() != "what: cause" || g.Error() != f.Error() {
		t.Errorf("texts: %q and %q", f.Error(), g.Error())
	}
}
