package review_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"burnfs/iso9660/check"
	"burnfs/mmc"
	"burnfs/mmc/medium"
	"burnfs/session/history"
	"burnfs/session/review"
)

// broken is a drive of which every READ fails.
type broken struct{ err error }

func (b broken) ReadBlocks(context.Context, uint32, []byte) error { return b.err }

func mediumError() error {
	return mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyMediumError, 0x11, 0))
}

func TestPlaces(t *testing.T) {
	good := func(start uint32) history.Session { return history.Session{Start: start, Readable: true} }
	cut := history.Session{Start: 500, Cut: true}
	overwritable, sequential := medium.Overwritable, medium.Sequential
	for _, row := range []struct {
		kind     medium.Kind
		sessions []history.Session
		newest   []bool
		heads    int
		reason   string
	}{
		{sequential, nil, nil, 0, "a blank disc"},
		{sequential, []history.Session{good(0), good(300)}, []bool{false, true}, 0, "a table of sessions"},
		{sequential, []history.Session{good(0), cut}, []bool{true, true}, 0, "nothing makes up for what was cut"},
		{sequential, []history.Session{cut, good(900)}, []bool{false, true}, 0, "the later one does"},
		{overwritable, []history.Session{good(32), good(300)}, []bool{false, true, true}, 1, "block 16 shows the newest"},
		{overwritable, []history.Session{good(0)}, []bool{true}, 0, "block 16 is the session's own"},
		{overwritable, []history.Session{good(32), cut}, []bool{true, true}, 0, "block 16 shows nobody knows what"},
	} {
		places := review.Places(&medium.Info{Kind: row.kind}, row.sessions)
		var newest []bool
		heads := 0
		for _, p := range places {
			newest = append(newest, p.Newest)
			if p.Head {
				heads++
			}
		}
		if !slices.Equal(newest, row.newest) || heads != row.heads {
			t.Errorf("%s: %+v", row.reason, places)
		}
	}
}

func TestNothingToCheck(t *testing.T) {
	gone := &mmc.TransportError{CDB: make([]byte, 10), Gone: true}
	for _, row := range []struct {
		place  review.Place
		disc   error
		rule   check.Rule // 0: none
		err    error
		reason string
	}{
		{review.Place{Session: history.Session{Audio: true}}, nil, 0, nil, "audio"},
		{review.Place{Session: history.Session{Problem: "no descriptors"}}, nil, check.Session, nil, "another file system"},
		{review.Place{Session: history.Session{Cut: true}, Newest: true}, nil, check.Session, nil, "an interrupted burn, and nothing behind it"},
		{review.Place{Session: history.Session{Cut: true}}, nil, check.InterruptedSession, nil, "an interrupted burn that was done again"},
		{review.Place{Session: history.Session{Readable: true}}, mediumError(), check.Session, nil, "scratched since it was listed"},
		{review.Place{Session: history.Session{Readable: true}}, gone, 0, mmc.ErrDriveGone, "the drive was unplugged, which says nothing of the disc"},
	} {
		var rule check.Rule
		var last error
		for f, err := range row.place.Check(t.Context(), broken{row.disc}, check.Options{}) {
			if last = err; err == nil {
				rule = f.Rule
			}
		}
		if rule != row.rule || !errors.Is(last, row.err) {
			t.Errorf("%s: rule %v, %v", row.reason, rule, last)
		}
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := review.Place{Session: history.Session{Readable: true}}
	for _, err := range p.Check(ctx, broken{mediumError()}, check.Options{}) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
