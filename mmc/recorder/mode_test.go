package recorder_test

import (
	"errors"
	"strings"
	"testing"

	"burnfs/mmc/emu"
	"burnfs/mmc/recorder"
)

func TestParseMode(t *testing.T) {
	for i, name := range recorder.ModeNames() {
		for _, s := range []string{name, strings.ToUpper(name)} {
			if m, err := recorder.ParseMode(s); err != nil || m != recorder.Mode(i) || m.String() != name {
				t.Errorf("%q: %v, %v", s, m, err)
			}
		}
	}
	for _, s := range []string{"", "raw", "mode?"} {
		if _, err := recorder.ParseMode(s); err == nil {
			t.Errorf("%q is a mode", s)
		}
	}
}

// TestModesOfMedia: a way to write that a medium does not have is refused
// before anything is sent.
func TestModesOfMedia(t *testing.T) {
	for _, c := range []struct {
		media  emu.Media
		refuse []recorder.Mode
		reason string
	}{
		{emu.CDR, []recorder.Mode{recorder.ModeIncremental, recorder.ModeDAO}, "words of DVD-R"},
		{emu.DVDPlusR, []recorder.Mode{recorder.ModeTAO, recorder.ModeSAO, recorder.ModeIncremental, recorder.ModeDAO}, "one way only"},
		{emu.BDR, []recorder.Mode{recorder.ModeTAO, recorder.ModeSAO, recorder.ModeIncremental, recorder.ModeDAO}, "one way only"},
		{emu.BDRE, []recorder.Mode{recorder.ModeTAO, recorder.ModeSAO, recorder.ModeIncremental, recorder.ModeDAO}, "no sessions"},
	} {
		t.Run(string(c.media), func(t *testing.T) {
			d := newDisc(t, c.media, emu.CreateOptions{})
			for _, m := range c.refuse {
				_, err := recorder.New(d.drive, d.inspect(), recorder.Options{Mode: m, Blocks: 1000})
				if nw, ok := errors.AsType[*recorder.NotWritableError](err); !ok || !strings.Contains(nw.Reason, m.String()) {
					t.Errorf("%v (%s): %v", m, c.reason, err)
				}
			}
		})
	}
}
